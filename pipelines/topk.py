"""The best of many scores in a fixed order: falling score, equal ones by rising index. A smaller k gives a prefix."""

from __future__ import annotations

import numpy as np

from pipelines.records import PADDING, DoubleArray, FloatArray, IntArray, Rankings


def top_k(scores: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """Return columns and scores of the `k` greatest of each row of `scores` [n, m], both [n, min(k, m)].

    Of equal scores the lower column comes first, at the cut too. Scores of -inf are kept: see `padded`.
    """
    n, m = scores.shape
    if k < m:
        columns = _cut(scores, k)
    else:
        columns = np.broadcast_to(np.arange(m, dtype=np.int32), (n, m))
    values = np.take_along_axis(scores, columns, axis=1)
    # Columns rise, so that a stable sort leaves the lower one first among equals.
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(values, order, axis=1)


def _cut(scores: FloatArray, k: int) -> IntArray:
    """Return the columns, rising, of the `k` greatest of each row, int32 [n, k]."""
    n, m = scores.shape
    # The best are sought as the least negatives: numpy is slow to find the greatest where most of a row is -inf.
    negative = -scores
    negative.partition(k - 1, axis=1)
    least = -negative[:, k - 1, None]
    chosen = scores > least
    short = k - np.count_nonzero(chosen, axis=1)
    rows = np.arange(n)
    chosen[rows, (scores == least).argmax(axis=1)] = True
    for row in np.flatnonzero(short > 1):
        chosen[row, np.flatnonzero(scores[row] == least[row])[: short[row]]] = True
    places = np.flatnonzero(chosen)
    if len(places) != n * k:  # what is not a number is neither greater nor equal
        return _cut(np.where(np.isnan(scores), np.float32(-np.inf), scores), k)
    columns: IntArray = (places % m).astype(np.int32).reshape(n, k)
    return columns


class Best:
    """The best `k` of each of `n` rows of scores that come block by block, with columns that rise from block to block.

    After the first block a score is looked at again only where it beats the least of the best so far, so that what
    a block costs is little more than one comparison a score.
    """

    def __init__(self, n: int, k: int) -> None:
        self._k = k
        self._column = np.zeros((n, 0), dtype=np.int32)
        self._score = np.zeros((n, 0), dtype=np.float32)

    def add(self, columns: IntArray, scores: FloatArray) -> None:
        """Take in `scores` [n, m] of `columns` [m]; -inf stands for what may not be found."""
        if self._score.shape[1] < self._k:
            place, found = top_k(scores, self._k)
        else:
            place, found = self._better(scores)
        if not found.size:
            return
        column = np.concatenate([self._column, columns[place]], axis=1)
        score = np.concatenate([self._score, found], axis=1)
        best, self._score = top_k(score, self._k)
        self._column = np.take_along_axis(column, best, axis=1)

    def _better(self, scores: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return places, rising, and scores of what beats the least so far, padded with -inf."""
        better = scores > self._score[:, -1:]
        counts = np.count_nonzero(better, axis=1)
        widest = int(counts.max(initial=0))
        if widest > self._k:
            return top_k(scores, self._k)
        flat = np.flatnonzero(better)
        row, place = np.divmod(flat, scores.shape[1])
        nth = np.arange(len(flat)) - (np.cumsum(counts) - counts)[row]
        places = np.zeros((len(scores), widest), dtype=np.int32)
        found = np.full((len(scores), widest), -np.inf, dtype=np.float32)
        places[row, nth], found[row, nth] = place, scores.ravel()[flat]
        return places, found

    def rankings(self, depth: int) -> Rankings:
        """Return the best so far, of exactly `depth` columns; what is -inf becomes padding."""
        return padded(self._column, self._score, depth)


def padded(columns: IntArray, scores: FloatArray, depth: int) -> Rankings:
    """Return rankings of exactly `depth` columns: hits with a score of -inf, or beyond the end, become padding."""
    rankings = Rankings.empty(len(columns), depth)
    width = min(depth, columns.shape[1])
    hit = np.isfinite(scores[:, :width])
    rankings.chunk[:, :width] = np.where(hit, columns[:, :width], PADDING)
    rankings.score[:, :width] = np.where(hit, scores[:, :width], 0.0)
    return rankings


def fuse(parts: list[tuple[IntArray, DoubleArray]], depth: int) -> Rankings:
    """Add up what each chunk earns in several lists and rank the sums.

    Each part is (chunk [n, d], gain [n, d]), padding where chunk is -1. Gains are summed in the order of the parts.
    """
    chunk = np.concatenate([c for c, _ in parts], axis=1)
    gain = np.concatenate([np.where(c == PADDING, 0.0, g) for c, g in parts], axis=1)
    order = np.argsort(chunk, axis=1, kind="stable")
    chunk, gain = np.take_along_axis(chunk, order, axis=1), np.take_along_axis(gain, order, axis=1)
    first = np.ones(chunk.shape, dtype=np.bool_)
    first[:, 1:] = chunk[:, 1:] != chunk[:, :-1]
    run = np.cumsum(first, axis=1) - 1 + np.arange(len(chunk))[:, None] * chunk.shape[1]
    total = np.bincount(run.ravel(), weights=gain.ravel(), minlength=chunk.size)[run]
    scores = np.where(first & (chunk != PADDING), total, -np.inf).astype(np.float32)
    columns, values = top_k(scores, min(depth, scores.shape[1]))
    return padded(np.take_along_axis(chunk, columns, axis=1), values, depth)
