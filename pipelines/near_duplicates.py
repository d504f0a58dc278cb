"""Questions that ask the same in nearly the same words, and texts that say the same: what counts twice, or leaks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from rapidfuzz import fuzz, process

from pipelines.records import Evidence, Question

ALIKE = 92
"""Similarity of the words in alphabetical order, in percent, from which two questions may be one."""
TEXTS_ALIKE = 90
"""Similarity in percent from which two texts say the same."""

_ALIKE_ON_ONE_SPAN = 75
"""Share of common words, in percent, from which two questions with the very same evidence are one, reworded."""
_LEAST_QUOTED_CHARS = 10
_BLOCK = 512
_WORD = re.compile(r"\w+")
_SHORTEST = ALIKE / (200 - ALIKE)
"""The ratio is at most 2 min / (min + max) of the lengths: a text that is shorter than this share cannot be alike."""


def words_key(text: str) -> str:
    """Return the words of a text in lower case and alphabetical order: neither punctuation nor their order counts."""
    return " ".join(sorted(_WORD.findall(text.lower())))


def alike_pairs(questions: Sequence[Question]) -> Iterator[tuple[int, int]]:
    """Yield the positions i < j of questions that are nearly the same, in order."""
    yield from ((i, j) for i, j in alike_between(questions, questions) if i < j)


def alike_between(rows: Sequence[Question], columns: Sequence[Question]) -> list[tuple[int, int]]:
    """Return (i, j) where `rows[i]` and `columns[j]` are nearly the same, in order.

    They are when nine tenths of their words' letters agree, and when it is not another year, name or filter that they
    ask for. Texts of too different a length are not compared; memory is bounded by 512 rows.
    """
    found: list[tuple[int, int]] = []
    asked, known = [words_key(one.text) for one in rows], [words_key(one.text) for one in columns]
    by_length = sorted(range(len(known)), key=lambda j: len(known[j]))
    lengths = np.asarray([len(known[j]) for j in by_length])
    order = sorted(range(len(asked)), key=lambda i: len(asked[i]))
    for at in range(0, len(order), _BLOCK):
        block = order[at : at + _BLOCK]
        shortest, longest = len(asked[block[0]]), len(asked[block[-1]])
        first = int(np.searchsorted(lengths, int(shortest * _SHORTEST)))
        last = int(np.searchsorted(lengths, int(longest / _SHORTEST) + 1, side="right"))
        window = by_length[first:last]
        scores = process.cdist(
            [asked[i] for i in block],
            [known[j] for j in window],
            scorer=fuzz.ratio,
            score_cutoff=ALIKE,
            dtype=np.uint8,
        )
        near = [(block[i], window[j]) for i, j in np.argwhere(scores).tolist()]
        found += [(i, j) for i, j in near if same_matter(rows[i], columns[j], exactly=asked[i] == known[j])]
    return sorted(found)


def same_matter(a: Question, b: Question, exactly: bool = False) -> bool:
    """Return whether the difference is one of wording: another year, name or filter makes another question."""
    return dict(a.filter) == dict(b.filter) and (exactly or same_particulars(a.text, b.text))


def same_particulars(a: str, b: str) -> bool:
    """Return whether two texts name the same numbers, and no name that the other lacks, however it is written."""
    return _numbers(a) == _numbers(b) and _names(a) <= _words(b) and _names(b) <= _words(a)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _numbers(text: str) -> set[str]:
    return {word for word in _words(text) if any(c.isdigit() for c in word)}


def _names(text: str) -> set[str]:
    """Return the words with a capital that are not the first."""
    return {word.lower() for i, word in enumerate(_WORD.findall(text)) if i and word[0].isupper()}


def alike_on_one_span(rows: Sequence[Question], columns: Sequence[Question]) -> list[tuple[int, int]]:
    """Return (i, j) where a piece of evidence is the very same and most words are in common, in order.

    The same is an equal span, or an equal quote from one document; whole documents are never it.
    """
    on: dict[tuple[str, object], list[int]] = defaultdict(list)
    for j, question in enumerate(columns):
        for place in _places(question.evidence):
            on[place].append(j)
    near = {(i, j) for i, one in enumerate(rows) for place in _places(one.evidence) for j in on.get(place, ())}
    return sorted((i, j) for i, j in near if _reworded(rows[i].text, columns[j].text))


def _places(evidence: Sequence[Evidence]) -> set[tuple[str, object]]:
    """Return what pieces of evidence are known by: their spans, and their quotes where they are long enough."""
    relevant = [item for item in evidence if item.grade > 0]
    spans = {(item.document_id, (item.start, item.end)) for item in relevant if item.start is not None}
    quotes = {(item.document_id, plain(item.quote or "")) for item in relevant}
    return {*spans, *(place for place in quotes if len(place[1]) >= _LEAST_QUOTED_CHARS)}


def _reworded(a: str, b: str) -> bool:
    return fuzz.token_set_ratio(words_key(a), words_key(b)) >= _ALIKE_ON_ONE_SPAN


def plain(text: str) -> str:
    """Return a text's words alone, in lower case: neither case nor punctuation nor white space counts."""
    return " ".join(_WORD.findall(text.lower()))


def texts_alike(a: str, b: str) -> bool:
    """Return whether two texts, made `plain`, say the same."""
    return a == b or fuzz.ratio(a, b, score_cutoff=TEXTS_ALIKE) > 0
