"""Rules over any searcher, exact: scores fade with age, and a document gives a few chunks at most, before the cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.records import PADDING, BoolArray, DoubleArray, FloatArray, IntArray, Rankings
from pipelines.stages.retrieve.lookup import Lookup, Searcher

_HITS_AT_ONCE = 4_000_000
_MOST_QUERIES = 64


@dataclass(frozen=True)
class Rules:
    """What is done to found chunks before the ranking is cut.

    `kept` is the share of its score that each chunk keeps, float64 [n_chunks]; None: all of it. At most
    `per_document` chunks are taken of each document in `document`, int32 [n_chunks]; None: any number.
    """

    kept: DoubleArray | None = None
    document: IntArray | None = None
    per_document: int | None = None

    def applied(self, found: Rankings) -> Rankings:
        """Return the rankings with faded scores, in their new order, without what a document has too many of."""
        return capped(faded(found, self.kept), self.document, self.per_document)


@dataclass(frozen=True)
class RuledSearcher:
    """Asks a searcher for more and more, until nothing that it has not shown could change what is returned.

    A chunk never gains by a rule, so that one still unseen scores at most what the last one seen scored before.
    Whole blocks of queries are asked again, never a part of one: a matrix product of another shape has other bits.
    """

    searcher: Searcher
    rules: Rules
    depth: int
    n_chunks: int

    def search(self, lookup: Lookup) -> Rankings:
        """Return the ranking of every query, as deep as is asked for wherever the rules leave so many."""
        depth = min(lookup.depth or self.depth, self.n_chunks)
        result = Rankings.empty(len(lookup.texts), depth)
        step = max(1, min(_MOST_QUERIES, _HITS_AT_ONCE // max(1, self.n_chunks)))
        for at in range(0, len(lookup.texts), step):
            block = self._block(lookup.between(at, at + step), depth)
            result.chunk[at : at + step], result.score[at : at + step] = block.chunk, block.score
        return result

    def _block(self, lookup: Lookup, depth: int) -> Rankings:
        result = Rankings.empty(len(lookup.texts), depth)
        left = np.ones(len(lookup.texts), dtype=np.bool_)
        reach = reached_first(depth, self.n_chunks)
        while depth and left.any():
            found = self.searcher.search(replace(lookup, depth=reach))
            ruled = _widened(self.rules.applied(found), depth)
            done = left & (self._settled(found, ruled) if reach < self.n_chunks else True)
            result.chunk[done], result.score[done] = ruled.chunk[done], ruled.score[done]
            left &= ~done
            reach = min(self.n_chunks, 4 * reach)
        return result

    def _settled(self, found: Rankings, ruled: Rankings) -> BoolArray:
        """Return which rows no unseen chunk can change: all was seen, or the last one returned is out of reach."""
        ended = found.chunk[:, -1] == PADDING
        full = ruled.chunk[:, -1] != PADDING
        if self.rules.kept is not None:
            full &= ruled.score[:, -1] > found.score[:, -1]
        return np.asarray(ended | full)


def reached_first(depth: int, n_chunks: int) -> int:
    """Return how many chunks are looked at first where `depth` are wanted under rules."""
    return min(n_chunks, 2 * depth)


def faded(found: Rankings, kept: DoubleArray | None) -> Rankings:
    """Return the rankings by what their scores become: s x kept, and for a negative score s - |s| x (1 - kept).

    Of equal scores the lower chunk comes first.
    """
    if kept is None or not found.chunk.size:
        return found
    hit = found.chunk != PADDING
    score = found.score - np.abs(found.score) * (1 - kept[found.chunk])
    faded_score: FloatArray = np.where(hit, score, -np.inf).astype(np.float32)
    order = np.lexsort((found.chunk, -faded_score), axis=1)
    chunk = np.take_along_axis(found.chunk, order, axis=1)
    values = np.take_along_axis(faded_score, order, axis=1)
    return Rankings(chunk, np.where(chunk == PADDING, np.float32(0), values))


def capped(found: Rankings, document: IntArray | None, most: int | None) -> Rankings:
    """Return the rankings with at most `most` chunks of a document, the best ones; what is behind moves up."""
    if most is None or document is None or not found.chunk.size:
        return found
    kept = (_nth_of_its_document(found.chunk, document) < most) & (found.chunk != PADDING)
    order = np.argsort(~kept, axis=1, kind="stable")
    chunk = np.take_along_axis(np.where(kept, found.chunk, np.int32(PADDING)), order, axis=1)
    return Rankings(chunk, np.take_along_axis(np.where(kept, found.score, np.float32(0)), order, axis=1))


def _nth_of_its_document(chunk: IntArray, document: IntArray) -> IntArray:
    """Return how many chunks of its document stand before each, int32 [n_rows, depth]."""
    owner = np.where(chunk == PADDING, PADDING, document[chunk])
    order = np.argsort(owner, axis=1, kind="stable")
    together = np.take_along_axis(owner, order, axis=1)
    place = np.broadcast_to(np.arange(chunk.shape[1], dtype=np.int32), chunk.shape)
    begins = np.ones(chunk.shape, dtype=np.bool_)
    begins[:, 1:] = together[:, 1:] != together[:, :-1]
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    nth = np.empty(chunk.shape, dtype=np.int32)
    np.put_along_axis(nth, order, place - first, axis=1)
    return nth


def _widened(rankings: Rankings, depth: int) -> Rankings:
    """Return rankings of exactly `depth` ranks, padded where there are fewer."""
    result, width = Rankings.empty(rankings.n_questions, depth), min(depth, rankings.depth)
    result.chunk[:, :width], result.score[:, :width] = rankings.chunk[:, :width], rankings.score[:, :width]
    return result
