"""Sign-flip permutation test of many paired differences at once: exact where few differ, drawn at random otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipelines.records import DoubleArray, LongArray
from pipelines.resampling.grid import BLOCK_BYTES, Grid, blocks

# 2**13 = 8,192 patterns: no more than are drawn anyway.
EXACT_UP_TO = 13
REFINE_BELOW = 0.01


def sign_flip_p(
    differences: DoubleArray,
    tolerance: DoubleArray,
    *,
    patterns: int,
    refined: int,
    seed: int,
    block_bytes: int = BLOCK_BYTES,
) -> DoubleArray:
    """Return the two-sided p of each column of `differences`, float64 [n_columns], NaN where nothing was scored.

    If neither run were better, each question's difference could as well have had the other sign; p is the share of
    sign patterns whose sum is at least as far from 0 as the one observed. `differences` is float64
    [n_questions, n_columns] with NaN for unscored and exactly 0 for ties; sums that agree within `tolerance`
    [n_columns] count as equal. Zeros have no sign to flip, so where at most 13 differences are not zero all patterns
    are enumerated. Elsewhere `patterns` are drawn and p = (1 + count) / (1 + drawn) (Phipson and Smyth 2010), and
    where that is below 0.01, drawing goes on to `refined` patterns, since a correction over many columns needs smaller
    p than a few patterns can give.
    """
    grid = Grid.of(differences)
    bar = np.abs(grid.whole.sum(axis=0)) - np.ldexp(tolerance, -grid.exponent)
    p = np.where(np.isnan(differences).all(axis=0), np.nan, 1.0)
    moving = np.count_nonzero(grid.whole, axis=0)
    few, many = np.flatnonzero((moving > 0) & (moving <= EXACT_UP_TO)), np.flatnonzero(moving > EXACT_UP_TO)
    if len(few):
        p[few] = _enumerated(grid.whole[:, few], bar[few], block_bytes)
    if len(many):
        p[many] = _drawn(grid.whole[:, many], bar[many], patterns, refined, seed, block_bytes)
    return p


def _enumerated(whole: DoubleArray, bar: DoubleArray, block_bytes: int) -> DoubleArray:
    """Return the exact p of columns [n_questions, n_columns] with at most 13 entries that are not zero."""
    zeros_last = np.argsort(whole == 0, axis=0, kind="stable")[:EXACT_UP_TO]
    compact = np.take_along_axis(whole, zeros_last, axis=0)
    signs = _all_signs(len(compact))
    p = np.empty(whole.shape[1])
    for part in blocks(len(p), 8 * len(signs), block_bytes):
        p[part] = _exceeding(signs, compact[:, part], bar[part]) / len(signs)
    return p


def _all_signs(n: int) -> DoubleArray:
    """Return half of the 2**n patterns, float64 [2**(n - 1), n]: the other half mirrors it, as far from 0."""
    pattern = np.arange(2 ** (n - 1))[:, None]
    return np.asarray(1.0 - 2.0 * (pattern >> np.arange(n) & 1), dtype=np.float64)


def _drawn(
    whole: DoubleArray, bar: DoubleArray, patterns: int, refined: int, seed: int, block_bytes: int
) -> DoubleArray:
    """Return p from random patterns: `patterns` for every column, up to `refined` for those with a small p."""
    n, n_columns = whole.shape
    random = np.random.default_rng([seed, 1])
    count = np.zeros(n_columns, dtype=np.int64)
    for signs in _random_signs(random, n, n_columns, patterns, block_bytes):
        count += _exceeding(signs, whole, bar)
    p = (1 + count) / (1 + patterns)
    small = np.flatnonzero(p < REFINE_BELOW)
    if len(small) and refined > patterns:
        chosen, chosen_bar = whole[:, small], bar[small]
        for signs in _random_signs(random, n, len(small), refined - patterns, block_bytes):
            count[small] += _exceeding(signs, chosen, chosen_bar)
        p[small] = (1 + count[small]) / (1 + refined)
    return np.asarray(p)


def _random_signs(
    random: np.random.Generator, n: int, n_columns: int, patterns: int, block_bytes: int
) -> Iterator[DoubleArray]:
    """Yield random signs, float64 [block, n], whole 64-bit words a row, so that blocks don't change the stream."""
    for part in blocks(patterns, 8 * max(n, n_columns), block_bytes):
        words = random.integers(0, 2**64, size=(part.stop - part.start, -(-n // 64)), dtype=np.uint64)
        bits = np.unpackbits(words.view(np.uint8), axis=1, count=n)
        yield bits.astype(np.float64) * 2.0 - 1.0


def _exceeding(signs: DoubleArray, whole: DoubleArray, bar: DoubleArray) -> LongArray:
    """Count, for each column, the patterns whose sum is at least `bar` away from 0."""
    sums = whole.T @ signs.T
    np.abs(sums, out=sums)
    return np.asarray(np.count_nonzero(sums >= bar[:, None], axis=1), dtype=np.int64)
