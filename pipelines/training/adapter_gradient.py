"""An adapter learnt by steps: every question against all chunks of the corpus, from the identity on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.records import FloatArray, LongArray
from pipelines.training.adapter_maps import Maps
from pipelines.training.adapter_vectors import Vectors

if TYPE_CHECKING:
    import torch

STEPS, STEPS_EACH, EVERY = 40, 20, 10
"""Steps, each over all questions: at one strength alone, at each of several, and between two looks at dev."""

LEARNING_RATE = 3e-3
_SCALE = 20.0
_HELD = 25.0
"""Penalty on the map's squared distance from the identity, at a strength of 1, in sums over pairs: the more pairs, the
freer the map. Found on 472 questions on five corpora, with 50 to 300 of them to learn from. docs/embedding.md."""

_NEVER = -1e4
_MOST_PAIRS, _MOST_CHUNKS = 1024, 4096
"""Of more, each step takes others, drawn by the seed: a step needs some 100 MB at most."""


@dataclass(frozen=True)
class Reached:
    """Where the steps are: after `step` of them, the last at a strength and with a mean loss."""

    step: int
    strength: float
    loss: float
    maps: Maps


def descended(vectors: Vectors, strengths: Sequence[float], *, both: bool, seed: int) -> Iterator[Reached]:
    """Yield the maps after every few steps of Adam on the softmax over all chunks, others that answer left out.

    The steps go on from one strength to the next: from the strongest, a path of maps that are held ever less. Equal
    vectors, strengths and seed, equal maps, on any number of cores.
    """
    import torch

    tables = [torch.from_numpy(one) for one in (vectors.questions, vectors.positives, vectors.corpus)]
    moved = [torch.zeros(vectors.width, vectors.width, requires_grad=True) for _ in range(1 + both)]
    optimiser = torch.optim.Adam(moved, lr=LEARNING_RATE)
    random = np.random.default_rng(seed)
    for step, strength in enumerate(path(strengths), 1):
        with _one_thread():
            loss = _loss(tables, moved, vectors, _drawn(random, len(vectors.positives), _MOST_PAIRS), random)
            held = strength * _HELD / len(vectors.positives)
            penalty = held * sum((one.square().sum() for one in moved), torch.zeros(()))
            optimiser.zero_grad()
            (loss + penalty).backward()
            optimiser.step()
        if step % EVERY == 0:
            yield Reached(step, strength, float(loss.detach()), _maps(moved))


def path(strengths: Sequence[float]) -> list[float]:
    """Return the strength of every step."""
    return [one for one in strengths for _ in range(STEPS if len(strengths) == 1 else STEPS_EACH)]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute in one thread: products as small as these gain little by more, and lose much on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _loss(
    tables: list[torch.Tensor],
    moved: list[torch.Tensor],
    vectors: Vectors,
    pairs: LongArray,
    random: np.random.Generator,
) -> torch.Tensor:
    """Return the mean over pairs of -log(p / (p + sum of all chunks that do not answer)), of exp(scale * cosine)."""
    import torch

    questions, positives, corpus = tables
    some = _drawn(random, len(corpus), _MOST_CHUNKS)
    asked, own = np.unique(vectors.question[pairs], return_inverse=True)
    query = _turned(questions[torch.from_numpy(asked)], moved[0])
    held = positives[torch.from_numpy(pairs)]
    chunks = corpus if len(some) == len(corpus) else corpus[torch.from_numpy(some)]
    if len(moved) == 2:
        held, chunks = _turned(held, moved[1]), _turned(chunks, moved[1])
    answers = torch.from_numpy(vectors.answered(asked, some))
    against = (_SCALE * query @ chunks.T).masked_fill(answers, _NEVER).logsumexp(1)
    against = against + float(np.log(len(corpus) / len(some)))
    rows = torch.from_numpy(own)
    found = _SCALE * (query[rows] * held).sum(1)
    return (torch.logaddexp(found, against[rows]) - found).mean()


def _turned(vectors: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    import torch

    turned: torch.Tensor = torch.nn.functional.normalize(vectors + vectors @ moved, dim=1)
    return turned


def _drawn(random: np.random.Generator, n: int, most: int) -> LongArray:
    return np.arange(n) if n <= most else np.sort(random.choice(n, most, replace=False))


def _maps(moved: list[torch.Tensor]) -> Maps:
    own = np.eye(len(moved[0]), dtype=np.float32)
    found: list[FloatArray] = [own + one.detach().numpy() for one in moved]
    return Maps(*found)
