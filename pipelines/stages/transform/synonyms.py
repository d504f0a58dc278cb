"""Synonyms and acronyms from a list of the user's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipelines.errors import shorten
from pipelines.records import Queries
from pipelines.stages.transform import Transformer

Term = Annotated[str, Field(min_length=1, max_length=200)]
Case = Literal["acronyms", "exact", "ignore"]


class SynonymsTransformer(Transformer, name="synonyms", version=1):
    """Expand acronyms and synonyms by a list of your own, such as `ARR: annual recurring revenue`.

    Choose it where questions say what the texts never spell out, or the other way round: it costs nothing and touches
    only questions that hold a term of the list. Terms are whole words; the longest match wins, and what was added is
    not expanded again. `append` suits BM25 best; `queries` keeps the question's own vector and fuses by rank.
    """

    terms: dict[Term, Annotated[list[Term], Field(min_length=1, max_length=50)]] = Field(
        default_factory=dict,
        description="Each term with what else it is called, such as ARR: annual recurring revenue, yearly recurring "
        "revenue",
    )
    both_ways: bool = Field(True, description="Whether what a term is also called brings in the term and its others")
    how: Literal["append", "queries"] = Field(
        "append",
        description="Append what is meant to the question, or search with each wording as a query of its own too",
    )
    case: Case = Field(
        "acronyms",
        description="Which letters must agree: those of terms in capitals only (so that IT is not it), all, or none",
    )
    rrf_k: int = Field(
        60, ge=1, le=1000, description="How flat reciprocal ranks are when several queries are fused (queries only)"
    )

    @field_validator("terms", mode="before")
    @classmethod
    def _lists(cls, terms: object) -> object:
        """Take a text for a list of one."""
        if not isinstance(terms, Mapping):
            return terms
        return {str(term): [value] if isinstance(value, str) else value for term, value in terms.items()}

    @field_validator("terms")
    @classmethod
    def _plain(cls, terms: dict[str, list[str]]) -> dict[str, list[str]]:
        tidy = {" ".join(term.split()): [" ".join(one.split()) for one in others] for term, others in terms.items()}
        for term, others in tidy.items():
            for one in (term, *others):
                if not re.search(r"\w", one):
                    raise ValueError(f"holds '{shorten(one)}', in which there is no letter and no digit.")
        return tidy

    @property
    def one_query(self) -> bool:
        """Whether every question has one query."""
        return self.how == "append"

    def transform(self, questions: Sequence[str]) -> Queries:
        """Return each question with what its terms mean appended, or beside its rewordings."""
        book = Book(self.terms, self.both_ways, self.case)
        if self.how == "append":
            return Queries.of([book.appended(question) for question in questions])
        return Queries.several([book.reworded(question) for question in questions], self.rrf_k)


@dataclass(frozen=True)
class Book:
    """A list of terms with what they stand for, ready to be looked up in questions."""

    terms: Mapping[str, Sequence[str]]
    both_ways: bool
    case: Case

    def appended(self, question: str) -> str:
        """Return the question and, behind it, all that its terms stand for and that it does not say itself."""
        added: dict[str, str] = {}
        for match in self._matches(question):
            for other in self._others(match.group()):
                if not self._pattern_of([other]).search(question):
                    added.setdefault(other.lower(), other)
        return " ".join([question, *added.values()])

    def reworded(self, question: str) -> list[str]:
        """Return the question, and one rewording for the first, the second, ... other wording of its terms."""
        n = max((len(self._others(match.group())) for match in self._matches(question)), default=0)
        texts = [question, *(self._nth(question, i) for i in range(n))]
        return list(dict.fromkeys(texts))

    def _nth(self, question: str, n: int) -> str:
        """Return the question with each term in its n-th other wording; a term with fewer takes its last."""

        def other(match: re.Match[str]) -> str:
            others = self._others(match.group())
            return others[min(n, len(others) - 1)] if others else match.group()

        return self._pattern.sub(other, question) if self._found else question

    def _matches(self, question: str) -> list[re.Match[str]]:
        return list(self._pattern.finditer(question)) if self._found else []

    def _others(self, found: str) -> list[str]:
        """Return what a term, as it stands in a question, stands for."""
        words = " ".join(found.split())
        return self._found.get(words) or self._found.get(words.lower(), [])

    @cached_property
    def _found(self) -> dict[str, list[str]]:
        """All terms, those whose case does not matter folded, with what they stand for."""
        found: dict[str, dict[str, None]] = {}
        for term, others in self.terms.items():
            group = [term, *others]
            for one in group if self.both_ways else group[:1]:
                name = one if self._exact(one) else one.lower()
                found.setdefault(name, {}).update(dict.fromkeys(other for other in group if other != one))
        return {name: list(others) for name, others in found.items() if others}

    def _exact(self, term: str) -> bool:
        return self.case == "exact" or (self.case == "acronyms" and term.isupper())

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return self._pattern_of(list(self._found))

    def _pattern_of(self, terms: Sequence[str]) -> re.Pattern[str]:
        """Return what finds any of the terms as whole words, the longest first, with any white space between words."""
        parts = []
        for term in sorted(terms, key=lambda one: (-len(one), one)):
            words = r"\s+".join(re.escape(word) for word in term.split())
            parts.append(words if self._exact(term) else f"(?i:{words})")
        return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)")
