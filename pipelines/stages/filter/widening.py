"""From guesses to masks: conditions are dropped, the least sure first, where too few chunks would remain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.records import PADDING, BoolArray, Candidates, Column, IntArray
from pipelines.stages.filter import Asked
from pipelines.stages.filter.guess import Guess


@dataclass(frozen=True)
class Met:
    """What remains of a question's guesses: the conditions that are kept, and which chunks meet all of them."""

    kept: tuple[Guess, ...]
    mask: BoolArray | None
    widened: bool = False


@dataclass(frozen=True)
class Widening:
    """Joins guesses over some chunks; each distinct condition is evaluated once."""

    columns: Mapping[str, Column]
    n_chunks: int
    least: int
    missing: bool = False
    _masks: dict[str, BoolArray] = field(default_factory=dict)
    _met: dict[tuple[tuple[str, float], ...], Met] = field(default_factory=dict)

    def of(self, guesses: Sequence[Guess]) -> Met:
        """Join the guesses; while fewer than `least` chunks meet them all, the least sure of them is dropped."""
        key = tuple((one.key, one.confidence) for one in guesses)
        if key not in self._met:
            self._met[key] = self._joined(guesses)
        return self._met[key]

    def _joined(self, guesses: Sequence[Guess]) -> Met:
        kept = sorted(guesses, key=lambda one: -one.confidence)
        while kept:
            mask = np.logical_and.reduce([self.mask(one) for one in kept])
            if np.count_nonzero(mask) >= min(self.least, self.n_chunks):
                return Met(tuple(kept), mask, len(kept) < len(guesses))
            kept = self._without_least_sure(kept)
        return Met((), None, bool(guesses))

    def _without_least_sure(self, kept: list[Guess]) -> list[Guess]:
        """Drop a guess; among equally sure ones that which the fewest chunks meet."""
        least = min(kept, key=lambda one: (one.confidence, int(np.count_nonzero(self.mask(one)))))
        return [one for one in kept if one is not least]

    def mask(self, guess: Guess) -> BoolArray:
        """Return which chunks meet one guess."""
        key = guess.key
        if key not in self._masks:
            self._masks[key] = guess.mask(self.columns, self.n_chunks, self.missing)
        return self._masks[key]


def hard(met: Sequence[Met], n_chunks: int, agreement: IntArray | None, notes: Sequence[str]) -> Candidates:
    """Return candidates that leave out what does not meet every kept condition; equal masks are one."""
    rows: dict[bytes, int] = {}
    distinct: list[BoolArray] = []
    mask = np.full(len(met), PADDING, dtype=np.int32)
    for q, one in enumerate(met):
        if one.mask is None:
            continue
        key = one.mask.tobytes()
        if key not in rows:
            rows[key] = len(distinct)
            distinct.append(one.mask)
        mask[q] = rows[key]
    allowed = np.stack(distinct) if distinct else np.zeros((0, n_chunks), dtype=np.bool_)
    empty = int(np.count_nonzero(~np.asarray(allowed.any(axis=1))[mask[mask != PADDING]])) if n_chunks else 0
    told = (*notes, nothing_left(empty, len(met))) if empty else tuple(notes)
    return Candidates(mask, allowed, agreement=agreement, notes=told)


def agreement(asked: Sequence[Asked], kept: Sequence[Sequence[Guess]], columns: Mapping[str, Column]) -> IntArray:
    """Count, for every question, the values read that are labelled, those read in labelled fields, and the labels.

    Labels of fields that no chunk has are not counted; nor is what is read in fields without a label, of which nobody
    said whether it is right.
    """
    counts = np.zeros((len(asked), 3), dtype=np.int32)
    for q, (one, guesses) in enumerate(zip(asked, kept, strict=True)):
        labels = {name: value for name, value in one.known.items() if name in columns}
        read = _read(guesses)
        right = sum(labels[name] in values for name, values in read.items() if name in labels)
        counts[q] = right, sum(len(values) for name, values in read.items() if name in labels), len(labels)
    return counts


def _read(guesses: Sequence[Guess]) -> dict[str, set[object]]:
    """Return the values that all guesses on a field allow."""
    read: dict[str, set[object]] = {}
    for one in guesses:
        for name, values in one.values.items():
            read[name] = read[name] & set(values) if name in read else set(values)
    return read


def nothing_left(n: int, of: int) -> str:
    """Say for how many questions a filter removes everything."""
    return (
        f"The filter removes every chunk for {n:,} of {of:,} questions: nothing can be found for them, and they count "
        "as missed."
    )
