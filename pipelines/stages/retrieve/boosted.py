"""A soft filter over any searcher, exact: each group of chunks with one bonus is searched to the full depth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.records import PADDING, BoolArray, ByteArray, Candidates, FloatArray, IntArray, LongArray, Rankings
from pipelines.stages.retrieve.lookup import Lookup, Searcher
from pipelines.topk import padded, top_k


@dataclass(frozen=True)
class Boosted:
    """Adds the candidates' bonus to the scores: bonus x |best score of the query|, over all that may be found.

    Within a group of equal bonus the order is that of the plain scores, so the best of all is among the best of each
    group. A smaller depth is a prefix of a larger one; without a bonus the searcher is asked as it is.
    """

    searcher: Searcher
    n_chunks: int

    def search(self, lookup: Lookup) -> Rankings:
        """Return the ranking of every query."""
        candidates = lookup.candidates
        if candidates.level is None or candidates.bonus is None:
            return self.searcher.search(lookup)
        plain = np.flatnonzero(candidates.mask == PADDING)
        lifted = np.flatnonzero(candidates.mask != PADDING)
        if not len(lifted):
            return self.searcher.search(replace(lookup, candidates=_without_bonus(candidates)))
        found = self._lifted(lookup, lifted, candidates.level, candidates.bonus)
        result = Rankings.empty(len(lookup.texts), found.depth)
        _put(result, lifted, found)
        if len(plain):
            _put(result, plain, self.searcher.search(_some(lookup, plain, None)))
        return result

    def _lifted(self, lookup: Lookup, rows: LongArray, level: ByteArray, bonus: FloatArray) -> Rankings:
        """Return the rankings of the queries `rows`, all of which have a bonus."""
        mask = lookup.candidates.mask[rows]
        parts: list[tuple[IntArray, FloatArray, FloatArray]] = []
        for n in range(bonus.shape[1]):
            allowed: BoolArray = lookup.candidates.allowed & (level == n)
            has: BoolArray = np.asarray(allowed.any(axis=1))[mask]
            if has.any():
                found = self.searcher.search(_some(lookup, rows[has], allowed))
                parts.append(_spread(found, has, bonus[mask, n]))
        return _joined(parts, len(rows))


def _some(lookup: Lookup, rows: LongArray, allowed: BoolArray | None) -> Lookup:
    """Return the searches `rows`, among the chunks of `allowed` [n_masks, n_chunks]."""
    candidates = _without_bonus(lookup.candidates.rows(rows))
    vectors = None if lookup.vectors is None else lookup.vectors[rows]
    if allowed is not None:
        candidates = replace(candidates, allowed=allowed)
    texts = [lookup.texts[row] for row in rows]
    terms = None if lookup.terms is None else [lookup.terms[row] for row in rows]
    return replace(lookup, texts=texts, candidates=candidates, vectors=vectors, terms=terms)


def _without_bonus(candidates: Candidates) -> Candidates:
    return replace(candidates, level=None, bonus=None)


def _spread(found: Rankings, has: BoolArray, bonus: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return chunks, scores (-inf where there is none) and bonus of all rows, of which `has` were searched."""
    chunk = np.full((len(has), found.depth), PADDING, dtype=np.int32)
    score = np.full(chunk.shape, -np.inf, dtype=np.float32)
    chunk[has], score[has] = found.chunk, np.where(found.chunk == PADDING, np.float32(-np.inf), found.score)
    return chunk, score, bonus


def _joined(parts: list[tuple[IntArray, FloatArray, FloatArray]], n_rows: int) -> Rankings:
    """Merge the groups' rankings by their scores with the bonus; of equal scores the lower chunk comes first."""
    if not parts:
        return Rankings.empty(n_rows, 0)
    depth = max(chunk.shape[1] for chunk, _, _ in parts)
    plain = np.concatenate([score for _, score, _ in parts], axis=1)
    best = np.abs(plain.max(axis=1, initial=-np.inf))
    best[~np.isfinite(best)] = 0
    chunk = np.concatenate([own for own, _, _ in parts], axis=1)
    score = np.concatenate([own + (bonus * best)[:, None] for _, own, bonus in parts], axis=1).astype(np.float32)
    order = np.argsort(chunk, axis=1, kind="stable")
    chunk, score = np.take_along_axis(chunk, order, axis=1), np.take_along_axis(score, order, axis=1)
    columns, values = top_k(score, min(depth, score.shape[1]))
    return padded(np.take_along_axis(chunk, columns, axis=1), values, depth)


def _put(result: Rankings, rows: LongArray, found: Rankings) -> None:
    width = min(result.depth, found.depth)
    result.chunk[rows, :width], result.score[rows, :width] = found.chunk[:, :width], found.score[:, :width]
