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
    order = np.lexsort((columns, -values), axis=1)
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(values, order, axis=1)


def _cut(scores: FloatArray, k: int) -> IntArray:
    columns = np.argpartition(scores, -k, axis=1)[:, -k:].astype(np.int32)
    least = np.take_along_axis(scores, columns, axis=1).min(axis=1)
    tied = np.flatnonzero((scores >= least[:, None]).sum(axis=1) > k)
    for row in tied:
        above = np.flatnonzero(scores[row] > least[row])
        equal = np.flatnonzero(scores[row] == least[row])[: k - len(above)]
        columns[row] = np.concatenate([above, equal])
    return columns


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
