"""An adapter solved at once: canonical correlation of questions and their answers, held to the base.

With A and B the vectors of the pairs, row by row, and h how strongly the maps are held:

    S_a = I + A'A / h      S_b = I + B'B / h      S_ab = I + A'B / h      U s V' = svd(S_a^-1/2 S_ab S_b^-1/2)

    W_a = S_a^-1/2 U s^1/2 U'      W_b = S_b^-1/2 V s^1/2 U'

These are regularised canonical correlation analysis (Hotelling 1936; Vinod 1976) but that the regulariser is on the
cross-product as well, so that both maps are the identity where h is large or nothing was seen. Where queries alone are
mapped, theirs is W_a W_b', which gives the same inner products.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipelines.records import BoolArray
from pipelines.training.adapter_maps import Maps, unit
from pipelines.training.adapter_vectors import Vectors

_FOLDS = 5
_TIED = 1e-6
_HELD = 3.0
"""`h` at a strength of 1: found on 472 questions on five corpora. docs/embedding.md."""


def solved(vectors: Vectors, strength: float, *, both: bool) -> Maps:
    """Return the maps at a strength of being held to the base; the greater, the nearer."""
    held = max(strength, 1e-6) * _HELD
    asked = vectors.questions[vectors.question].astype(np.float64)
    answer = vectors.positives.astype(np.float64)
    own = np.eye(vectors.width)
    left, right = (_inverse_root(own + one.T @ one / held) for one in (asked, answer))
    u, s, vt = np.linalg.svd(left @ (own + asked.T @ answer / held) @ right)
    query, document = left @ (u * np.sqrt(s)) @ u.T, right @ (vt.T * np.sqrt(s)) @ u.T
    if both:
        return Maps(query.astype(np.float32), document.astype(np.float32))
    return Maps((query @ document.T).astype(np.float32))


def _inverse_root(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    values, own = np.linalg.eigh(matrix)
    root: npt.NDArray[np.float64] = own / np.sqrt(values) @ own.T
    return root


def cross_validated(vectors: Vectors, strengths: Sequence[float], *, both: bool, seed: int) -> float:
    """Return the strength at which questions that were left out, a fifth at a time, find their answers best.

    Best is the highest mean reciprocal rank of an answer among all chunks; of equals the strongest comes first.
    """
    fold = np.random.default_rng(seed).permutation(len(vectors.questions)) % _FOLDS
    scores = [
        sum(
            _reciprocal_ranks(vectors, solved(vectors.without(fold == k), one, both=both), fold == k)
            for k in range(_FOLDS)
        )
        for one in strengths
    ]
    return strengths[int(np.argmax(scores))]


def _reciprocal_ranks(vectors: Vectors, maps: Maps, held_out: BoolArray) -> float:
    """Return the sum over the pairs of questions that were left out of one over the rank of their answer."""
    rows = held_out[vectors.question]
    asked = vectors.questions[vectors.question[rows]]
    asked = asked if maps.query is None else asked @ maps.query
    answers, corpus = vectors.positives[rows], vectors.corpus
    if maps.document is not None:
        answers, corpus = unit(answers @ maps.document), unit(corpus @ maps.document)
    found = np.einsum("ij,ij->i", asked, answers)[:, None]
    return float((1.0 / (1 + (asked @ corpus.T > found + _TIED).sum(axis=1))).sum())
