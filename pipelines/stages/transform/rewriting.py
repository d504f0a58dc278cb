"""What the transformers that have questions reworded share: prompts with a place for the question, answers by lines."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from pydantic import Field, field_validator

from pipelines.errors import EndpointError, shorten
from pipelines.models.chat import Prompt
from pipelines.records import Queries
from pipelines.stages.transform import ChatTransformer

QUESTION = "{question}"
_MOST_CHARS = 2_000
_BULLET = re.compile(r"^\s*(?:[-*•–]+|\(?\d{1,2}[.):])\s+")
_QUOTES = "\"'“”„«»`"


def prompt_field(default: str) -> str:
    """Return the knob of a prompt with a place for the question."""
    text: str = Field(
        default,
        min_length=1,
        max_length=8_000,
        description=f"What the model is told; {QUESTION} stands for the question",
        json_schema_extra={"format": "long"},
    )
    return text


def with_a_place(prompt: str) -> str:
    """Return a prompt that has a place for the question.

    Raises:
        ValueError: for one that has none.
    """
    if QUESTION not in prompt:
        raise ValueError(f"must hold {QUESTION} where the question stands, but got '{shorten(prompt)}'.")
    return prompt


def lines(answer: str) -> list[str]:
    """Return the lines of an answer without bullets, numbers and quotes; introductions that end in ':' are left out."""
    found = [_BULLET.sub("", line).strip().strip(_QUOTES).strip() for line in answer.splitlines()]
    kept = [line[:_MOST_CHARS] for line in found if re.search(r"\w", line) and not line.endswith(":")]
    return list({line.casefold(): line for line in reversed(kept)}.values())[::-1]


def told_of_useless(model: str, useless: int, of: int, what: str, note: Callable[[str], None]) -> None:
    """Note how many answers held nothing that can be searched for.

    Raises:
        EndpointError: when all were so.
    """
    if useless and useless == of:
        raise EndpointError(
            f"None of the {of} answers of model '{shorten(model)}' held {what}; change the prompt, or choose a model "
            "that follows it: the answers are kept."
        )
    if useless:
        note(f"{useless} of {of} answers of {model} held no {what.removeprefix('a ')}: the question itself was used.")


class LinesTransformer(ChatTransformer):
    """Asks once a question and searches for the lines of the answer, the question itself first where it is kept."""

    what: ClassVar[str] = "a query"

    keep_question: bool = Field(True, description="Whether the question itself is one of the queries")
    rrf_k: int = Field(60, ge=1, le=1000, description="How flat reciprocal ranks are when the queries are fused")

    @field_validator("prompt", check_fields=False)
    @classmethod
    def _place(cls, prompt: str) -> str:
        return with_a_place(prompt)

    @abstractmethod
    def most(self) -> int:
        """Return how many lines are searched for at most."""

    @abstractmethod
    def told(self) -> str:
        """Return the prompt, with a place for the question."""

    def prompts(self, question: str) -> list[Prompt]:
        """Return the one prompt of a question."""
        return [Prompt.of(self.told().replace(QUESTION, question))]

    def rewritten(
        self, questions: Sequence[str], answers: Sequence[Sequence[str]], note: Callable[[str], None]
    ) -> Queries:
        """Return the queries of all questions; an answer without any leaves the question alone."""
        found = [lines(own[0])[: self.most()] for own in answers]
        told_of_useless(self.model, sum(not own for own in found), len(found), self.what, note)
        return Queries.several([self._queries(one, own) for one, own in zip(questions, found, strict=True)], self.rrf_k)

    def _queries(self, question: str, found: Sequence[str]) -> list[str]:
        kept = [question] if self.keep_question or not found else []
        return list(dict.fromkeys([*kept, *found]))
