"""How the scores of a list are made comparable with those of another: each way by question, on what the list holds."""

from __future__ import annotations

from typing import Literal

import numpy as np

from pipelines.records import PADDING, BoolArray, DoubleArray, Rankings

Normalisation = Literal["min-max", "theoretical-min-max", "z-score", "distribution", "max", "sum", "l2", "rank", "none"]


def normalised(ranking: Rankings, how: Normalisation, least: float = 0.0) -> DoubleArray:
    """Return each row's scores made comparable, 0 where there is no hit.

    With m the mean and sd the standard deviation of a row's n scores:

    - min-max: (s - min) / (max - min); 1 where all are equal
    - theoretical-min-max: (s - least) / (max - least), so that the last of a list keeps what it has (Bruch, Gai and
      Ingber, 2023); `least` is what a score can be at least, or the least that there is, if that is less
    - z-score: (s - m) / sd
    - distribution: (s - (m - 3 sd)) / (6 sd), cut to [0, 1]: a few outliers do not press the others together
    - max: s / |max|; sum: (s - min) / sum of (s - min); l2: s / the length of all s as a vector
    - rank: 1 - (r - 1) / n for rank r of n hits
    - none: as they are
    """
    hit = ranking.chunk != PADDING
    some = hit.any(axis=1, keepdims=True)
    if how == "none" or not hit.any():
        return np.where(hit, ranking.score, 0.0).astype(np.float64)
    scores = np.where(hit, ranking.score.astype(np.float64), np.nan)
    result = _ways(how, np.where(some, scores, 0.0), hit, least)
    return np.nan_to_num(np.where(hit, result, 0.0))


def _ways(how: Normalisation, s: DoubleArray, hit: BoolArray, least: float) -> DoubleArray:
    """Apply one way to scores [n, depth], NaN behind the hits of a row that has any."""
    high, low = np.nanmax(s, axis=1, keepdims=True), np.nanmin(s, axis=1, keepdims=True)
    if how == "min-max":
        return _between(s, low, high)
    if how == "theoretical-min-max":
        return _between(s, np.minimum(low, least), high)
    if how == "max":
        return np.asarray(s / np.where(high != 0, np.abs(high), 1.0))
    if how == "sum":
        return _over(s - low, np.nansum(s - low, axis=1, keepdims=True))
    if how == "l2":
        return _over(s, np.sqrt(np.nansum(s**2, axis=1, keepdims=True)))
    if how == "rank":
        place = np.arange(s.shape[1], dtype=np.float64)[None, :]
        return np.asarray(1 - place / np.maximum(hit.sum(axis=1, keepdims=True), 1))
    mean, spread = np.nanmean(s, axis=1, keepdims=True), np.nanstd(s, axis=1, keepdims=True)
    if how == "z-score":
        return np.asarray((s - mean) / np.where(spread > 0, spread, 1.0))
    return np.asarray(np.clip(_between(s, mean - 3 * spread, mean + 3 * spread), 0.0, 1.0))


def _between(s: DoubleArray, low: DoubleArray, high: DoubleArray) -> DoubleArray:
    """Return where s lies from `low` (0) to `high` (1); 1 where the two are the same."""
    return np.asarray(np.where(high > low, (s - low) / np.where(high > low, high - low, 1.0), 1.0))


def _over(s: DoubleArray, whole: DoubleArray) -> DoubleArray:
    """Return the share that s has of a whole; 1 each where there is no whole to share."""
    return np.asarray(np.where(whole > 0, s / np.where(whole > 0, whole, 1.0), 1.0))
