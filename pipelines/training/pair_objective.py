"""What the trainer of a cross-encoder minimises: how well the texts that answer a question stand above the others.

This module imports torch, so it is imported where a training begins, never at the top of another module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax
from torch.utils.checkpoint import checkpoint

from pipelines.progress import Progress
from pipelines.records import FloatArray, LongArray
from pipelines.training.layout import groups
from pipelines.training.memory import GROUP_TOKENS
from pipelines.training.pair_memory import KEPT_GROUPS
from pipelines.training.pair_methods import PairLoss

Pair = tuple[str, str]


class PairObjective(nn.Module):  # type: ignore[misc]
    """The loss of some questions' lists, as the trainer of sentence-transformers calls it.

    Of a batch with many groups of texts, activations are computed anew when they are needed instead of being kept: the
    memory is then bounded, however many texts a question has.
    """

    def __init__(self, model: Any, loss: PairLoss, *, bfloat16: bool) -> None:
        super().__init__()
        self.model = model
        self._loss = {"listwise": listwise, "bce": balanced_bce}[loss]
        self._bfloat16 = bfloat16

    def forward(self, inputs: Sequence[Sequence[Any]], labels: Sequence[Tensor], **_: Any) -> Tensor:
        """Return the mean over the questions `inputs[0]`, each with its texts in `inputs[1]` and grades in `labels`."""
        self.model.eval()  # Without dropout, which keeps torch from its fused attention on a processor.
        questions, lists = inputs
        pairs = [(question, text) for question, texts in zip(questions, lists, strict=True) for text in texts]
        parts = self._scores(pairs).split([len(texts) for texts in lists])
        losses = [self._loss(part, grades.to(part)) for part, grades in zip(parts, labels, strict=True)]
        return torch.stack(losses).mean()

    def _scores(self, pairs: Sequence[Pair]) -> Tensor:
        """Return one number a pair, float32 [n_pairs]."""
        compute: Callable[[list[Pair]], Tensor] = partial(_scored, self.model, self._bfloat16)
        parts = list(grouped(self.model, pairs))
        if len(parts) > KEPT_GROUPS:
            compute = partial(checkpoint, compute, use_reentrant=False)
        found = torch.cat([compute([pairs[i] for i in part]) for part in parts])
        back: Tensor = found[torch.from_numpy(np.argsort(np.concatenate(parts))).to(found.device)]
        return back


def scores_of(model: Any, pairs: Sequence[Pair], progress: Progress, *, bfloat16: bool) -> FloatArray:
    """Return one score a pair by the weights as they are, float32 [n_pairs]; `progress` is told of each group."""
    scores = np.zeros(len(pairs), dtype=np.float32)
    plain = deepcopy(model).eval()
    if bfloat16:
        plain.bfloat16()
    done = 0
    with torch.inference_mode():
        for part in grouped(plain, pairs):
            scores[part] = _scored(plain, False, [pairs[i] for i in part]).cpu().numpy()
            done += len(part)
            progress(done, len(pairs))
    return scores


def grouped(model: Any, pairs: Sequence[Pair]) -> Iterator[LongArray]:
    """Yield the positions of pairs that are computed together: of like length, so that little of it is padding."""
    if not pairs:
        return
    encoded = model.tokenizer([a for a, _ in pairs], [b for _, b in pairs], truncation=False, verbose=False)
    lengths = np.minimum([len(ids) for ids in encoded["input_ids"]], int(model.max_seq_length))
    order = np.argsort(-lengths, kind="stable")
    yield from (order[part] for part in groups(lengths[order], GROUP_TOKENS))


def _scored(model: Any, bfloat16: bool, pairs: list[Pair]) -> Tensor:
    features = model.preprocess(pairs)
    features = {name: value.to(model.device) for name, value in features.items() if torch.is_tensor(value)}
    with torch.autocast(model.device.type, torch.bfloat16, enabled=bfloat16):
        scores: Tensor = model(features)["scores"]
    return scores.float().reshape(len(pairs))


def listwise(scores: Tensor, grades: Tensor) -> Tensor:
    """Return the cross-entropy of a list's softmax to its grades, of [n_texts] each (ListNet; Cao et al., 2007)."""
    return -(grades / grades.sum() * log_softmax(scores, dim=0)).sum()


def balanced_bce(scores: Tensor, grades: Tensor) -> Tensor:
    """Return the binary cross-entropy, of [n_texts] each, in which the answers weigh as much as all others."""
    answers = (grades > 0).to(scores)
    weight = (1 - answers).sum() / answers.sum()
    return binary_cross_entropy_with_logits(scores, answers, pos_weight=weight)
