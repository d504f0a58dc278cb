"""What the trainer minimises: embeds a batch's distinct texts once each, and puts the losses of them together.

This module imports torch, so it is imported where a training begins, never at the top of another module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from pipelines.training.losses import at_lengths, distillation, pair_loss
from pipelines.training.methods import Loss


@dataclass(frozen=True)
class Aims:
    """What is made small. `lengths` has the full width first; `guide` and `teacher` hold a vector for every text.

    `bounded` computes the activations of a group of texts anew when they are needed, instead of keeping those of all
    (as GradCache does): the memory is then that of one group, however many pairs are in a batch, at a third more work.
    """

    loss: Loss
    lengths: tuple[int, ...]
    bfloat16: bool
    bounded: bool
    guide: Tensor | None = None
    teacher: Tensor | None = None


class Objective(nn.Module):  # type: ignore[misc]
    """The loss of one batch, as the trainer of sentence-transformers calls it."""

    def __init__(self, model: Any, aims: Aims) -> None:
        super().__init__()
        self.model = model
        self.aims = aims
        self._loss = pair_loss(aims.loss)

    def forward(self, features: Sequence[dict[str, Any]], labels: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of the texts in `features`, group by group, laid out as `labels` says."""
        without_dropout(self.model)
        embeddings = torch.cat([self._embedded(group) for group in features])
        guide, teacher = (
            None if held is None else held[labels["texts"]] for held in (self.aims.guide, self.aims.teacher)
        )
        found = at_lengths(lambda cut: self._loss(cut, labels, guide), embeddings, self.aims.lengths)
        if teacher is not None:
            found = found + at_lengths(lambda cut: distillation(cut, labels, teacher), embeddings, self.aims.lengths)
        return found

    def _embedded(self, features: dict[str, Any]) -> Tensor:
        if not self.aims.bounded:
            return self._computed(features)
        found: Tensor = checkpoint(self._computed, features, use_reentrant=False)
        return found

    def _computed(self, features: dict[str, Any]) -> Tensor:
        device = next(self.model.parameters()).device.type
        with torch.autocast(device, torch.bfloat16, enabled=self.aims.bfloat16):
            found: Tensor = self.model(dict(features))["sentence_embedding"]
        return found.float()


def without_dropout(model: Any) -> None:
    """Have nothing of the weights' inputs left out by chance, except what a LoRA's own knob says.

    Dropout costs time, and makes a step depend on random numbers that another order of the texts would draw otherwise.
    """
    model.eval()
    for name, module in model.named_modules():
        if name.rpartition(".")[2] == "lora_dropout":
            module.train()
