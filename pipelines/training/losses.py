"""What is made small, of the embeddings of one batch: losses that take any number of negatives a pair.

This module imports torch, so it is imported where a training begins, never at the top of another module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pipelines.training.methods import Loss

SCALE = 20.0
"""What cosines are multiplied by before a softmax: the library's own default, a temperature of 0.05."""
TRIPLET_MARGIN = 0.3
"""By how much a positive's cosine should exceed a negative's."""

PairLoss = Callable[[Tensor, Mapping[str, Tensor], "Tensor | None"], Tensor]
"""Of embeddings [n_texts, width], the layout of the batch, and a guide's embeddings if any: a mean over its pairs."""


def pair_loss(loss: Loss) -> PairLoss:
    """Return the loss of that name; `cached-mnrl` is `mnrl`, computed in bounded memory."""
    found: dict[str, PairLoss] = {
        "mnrl": ranking,
        "cached-mnrl": ranking,
        "gist": guided,
        "triplet": triplets,
        "cosent": graded,
    }
    return found[loss]


def cosines(embeddings: Tensor, layout: Mapping[str, Tensor]) -> Tensor:
    """Return the cosine of every question with every candidate of the batch, [n_pairs, n_candidates]."""
    unit = functional.normalize(embeddings, dim=1)
    return unit.index_select(0, layout["questions"]) @ unit.index_select(0, layout["candidates"]).T


def ranking(embeddings: Tensor, layout: Mapping[str, Tensor], guide: Tensor | None = None) -> Tensor:
    """Return the multiple negatives ranking loss: each question should find its positive among all the candidates.

    It is that of sentence-transformers where no text is repeated; a repeated candidate counts once, and another answer
    of a question is not among its negatives.
    """
    scores = (SCALE * cosines(embeddings, layout)).masked_fill(layout["hidden"], -torch.inf)
    return functional.cross_entropy(scores, layout["target"])


def guided(embeddings: Tensor, layout: Mapping[str, Tensor], guide: Tensor | None = None) -> Tensor:
    """Return `ranking` without the candidates that a guide finds nearer to the question than its positive (GISTEmbed).

    They may well be answers that nobody marked. Solatorio 2024, arXiv 2402.16829; questions against candidates alone.
    """
    if guide is None:
        raise ValueError("The guided loss needs the embeddings of a guide.")
    seen = cosines(guide, layout)
    positive = seen.gather(1, layout["target"][:, None])
    nearer = (seen > positive).scatter(1, layout["target"][:, None], False)
    return ranking(embeddings, {**layout, "hidden": layout["hidden"] | nearer})


def triplets(embeddings: Tensor, layout: Mapping[str, Tensor], guide: Tensor | None = None) -> Tensor:
    """Return the triplet loss of cosines, over every negative of every pair."""
    from sentence_transformers.sentence_transformer.losses import TripletDistanceMetric, TripletLoss

    loss = TripletLoss(None, TripletDistanceMetric.COSINE, TRIPLET_MARGIN)
    rows = [embeddings.index_select(0, column) for column in layout["triplets"].T]
    found: Tensor = loss.compute_loss_from_embeddings(rows, None)
    return found


def graded(embeddings: Tensor, layout: Mapping[str, Tensor], guide: Tensor | None = None) -> Tensor:
    """Return the CoSENT loss: cosines should be in the order of the grades, negatives being graded 0."""
    from sentence_transformers.sentence_transformer.losses import CoSENTLoss

    sides = [embeddings.index_select(0, layout[side]) for side in ("left", "right")]
    found: Tensor = CoSENTLoss(None, SCALE).compute_loss_from_embeddings(sides, layout["score"])
    return found


def distillation(embeddings: Tensor, layout: Mapping[str, Tensor], teacher: Tensor) -> Tensor:
    """Return how far each question's candidates are from the teacher's shares of them: a mean over the questions.

    The Kullback-Leibler divergence of two softmaxes over the batch's candidates, at one temperature, as
    sentence-transformers' DistillKLDivLoss has it; no candidate is left out, since the teacher judges all of them.
    """
    ours = functional.log_softmax(SCALE * cosines(embeddings, layout), dim=1)
    theirs = functional.log_softmax(SCALE * cosines(teacher, layout), dim=1)
    return functional.kl_div(ours, theirs, reduction="batchmean", log_target=True)


def at_lengths(loss: Callable[[Tensor], Tensor], embeddings: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """Return the sum of a loss over the embeddings cut at each length (Matryoshka), as the library sums it."""
    total: Any = sum(loss(embeddings[:, :length]) for length in lengths)
    return total
