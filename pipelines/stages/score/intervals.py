"""Half-open spans in columns, and the few operations on them that scoring is made of. No loop over spans."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pipelines.records import LongArray

_BITS = 32
_LOW = (1 << _BITS) - 1


class Spans(NamedTuple):
    """Half-open spans `[start, end)`, int64 [n_spans]; spans of different owners never meet."""

    owner: LongArray
    start: LongArray
    end: LongArray

    def take(self, rows: npt.NDArray[Any]) -> Spans:
        """Return the spans at `rows`, an index array or a mask."""
        return Spans(self.owner[rows], self.start[rows], self.end[rows])


class FirstRanks(NamedTuple):
    """Disjoint pieces of owners, int64 [n_pieces]: `chars` of them are first covered at `rank`. Ordered by owner."""

    owner: LongArray
    chars: LongArray
    rank: LongArray


def pack(high: npt.NDArray[Any], low: npt.NDArray[Any]) -> LongArray:
    """Join two columns into one int64 that sorts by `high`, then `low` (0 to 2^32 - 1)."""
    packed: LongArray = (high.astype(np.int64) << _BITS) | low
    return packed


def high_part(packed: LongArray) -> LongArray:
    """Return `high` of `pack`."""
    return packed >> _BITS


def low_part(packed: LongArray) -> LongArray:
    """Return `low` of `pack`."""
    return packed & _LOW


def expand(counts: LongArray) -> tuple[LongArray, LongArray]:
    """Return row i `counts[i]` times, and beside it 0, 1, ... counts[i] - 1."""
    row = np.repeat(np.arange(len(counts)), counts)
    offset = np.arange(len(row)) - (np.cumsum(counts) - counts)[row]
    return row, offset


def merge(spans: Spans) -> Spans:
    """Return each owner's union as disjoint spans, ordered by owner and start; touching spans become one."""
    if not len(spans.owner):
        return spans
    left = pack(spans.owner, spans.start)
    order = np.argsort(left, kind="stable")
    left = left[order]
    reach = np.maximum.accumulate(pack(spans.owner, spans.end)[order])
    heads = np.flatnonzero(np.append(True, left[1:] > reach[:-1]))
    tails = np.append(heads[1:], len(left)) - 1
    return Spans(high_part(left[heads]), low_part(left[heads]), low_part(reach[tails]))


def chars_by(owner: LongArray, chars: LongArray, n_owners: int) -> LongArray:
    """Return the sum of `chars` for every owner, int64 [n_owners]."""
    return np.bincount(owner, weights=chars, minlength=n_owners).astype(np.int64)


def first_ranks(spans: Spans, rank: LongArray) -> FirstRanks:
    """Cut every owner at all its spans' ends and find, for each piece, the least `rank` of the spans over it.

    `rank` is int64 [n_spans]. All that coverage by rank needs is a cumulative sum of what is returned.
    """
    left, right = pack(spans.owner, spans.start), pack(spans.owner, spans.end)
    points = np.unique(np.concatenate((left, right)))
    first = np.searchsorted(points, left)
    row, offset = expand(np.searchsorted(points, right) - first)
    never = np.iinfo(np.int64).max
    earliest = np.full(len(points), never)
    np.minimum.at(earliest, first[row] + offset, rank[row])
    pieces = np.flatnonzero(earliest < never)
    return FirstRanks(high_part(points[pieces]), points[pieces + 1] - points[pieces], earliest[pieces])
