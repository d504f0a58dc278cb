"""The trainer of sentence-transformers with our batches, our checkpoints, and our eyes on it.

This module imports torch and transformers, so it is imported where a training begins, never at the top of another.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from sentence_transformers import CrossEncoderTrainer, SentenceTransformerTrainer
from sentence_transformers.base.trainer import BaseTrainer
from torch.utils.data import BatchSampler
from transformers import TrainerCallback

from pipelines.training.checkpoints import STATE, TENSORS, WEIGHTS, Checkpoints, tensors_of


class EpochBatches(Protocol):
    """Which rows are learnt from together in each epoch, numbered from 0; every epoch has `n_batches` batches."""

    @property
    def n_batches(self) -> int:
        """Return the number of batches of an epoch."""
        ...

    def of(self, epoch: int) -> list[list[int]]:
        """Return the positions of each batch's rows."""
        ...


class Watch(TrainerCallback):  # type: ignore[misc]
    """What is called after each step, with the step, its loss and its learning rate, and after each epoch.

    `after_epoch` returns whether to stop. What either raises ends the training there.
    """

    def __init__(self, after_step: Callable[[int, float, float], None], after_epoch: Callable[[], bool]) -> None:
        self._after_step, self._after_epoch = after_step, after_epoch
        self._rate = 0.0
        self.loss = 0.0

    def on_optimizer_step(self, args: Any, state: Any, control: Any, lr_scheduler: Any = None, **kwargs: Any) -> None:
        """Remember the learning rate of this step, before it is set to that of the next."""
        self._rate = float(lr_scheduler.get_last_lr()[0])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report a step."""
        self._after_step(state.global_step, self.loss, self._rate)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report an epoch."""
        control.should_training_stop = self._after_epoch()


class Resumable(BaseTrainer):  # type: ignore[misc]
    """Mix this into a trainer of sentence-transformers: it goes on from our checkpoints, tensors as safetensors."""

    def __init__(self, batches: EpochBatches, watch: Watch, **arguments: Any) -> None:
        self._batches, self._watch = batches, watch
        super().__init__(**arguments)
        for callback in list(self.callback_handler.callbacks):
            if type(callback).__name__ in ("PrinterCallback", "ProgressCallback"):
                self.remove_callback(callback)
        self.add_callback(watch)

    def get_batch_sampler(self, dataset: Any, batch_size: int, drop_last: bool, **others: Any) -> BatchSampler:
        """Return our batches, whatever the trainer's own arguments say."""
        return _Sampler(self._batches)

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Write no card of the library's own: ours names the data and what came of it."""

    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        """Do a step, and show its loss."""
        loss = super().training_step(*args, **kwargs)
        self._watch.loss = float(loss)
        return loss

    # Checkpoints --------------------------------------------------------------------------------------------------

    def keep(self, checkpoints: Checkpoints, course: dict[str, Any]) -> None:
        """Keep the state after the last step, with the course of the training.

        Raises:
            StorageError: when the disk is full or refuses.
        """
        optimizer = self.optimizer.state_dict()
        tensors = {f"optimizer.{i}.{k}": _whole(v) for i, held in optimizer["state"].items() for k, v in held.items()}
        tensors["random.torch"] = torch.random.get_rng_state()
        if torch.cuda.is_available():
            tensors["random.cuda"] = torch.cuda.random.get_rng_state()
        state = {
            "course": course,
            "groups": optimizer["param_groups"],
            "scheduler": self.lr_scheduler.state_dict(),
            "random": {"python": random.getstate(), "numpy": _plain_numpy_state()},
        }
        reached = {"global_step": self.state.global_step, "epoch": self.state.epoch, "log_history": []}
        trainer = json.dumps({**reached, "train_batch_size": self.args.train_batch_size})
        checkpoints.save(self.state.global_step, weights_of(self.model), tensors, state, trainer)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_weights(self.model, Path(resume_from_checkpoint) / WEIGHTS)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        state = _state(checkpoint)
        held: dict[int, dict[str, Any]] = {}
        for name, value in tensors_of(Path(checkpoint) / TENSORS).items():
            kind, _, rest = name.partition(".")
            if kind == "optimizer":
                row, _, key = rest.partition(".")
                held.setdefault(int(row), {})[key] = value
        self.optimizer.load_state_dict({"state": held, "param_groups": state["groups"]})
        self.lr_scheduler.load_state_dict(state["scheduler"])

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        tensors, state = tensors_of(Path(checkpoint) / TENSORS), _state(checkpoint)["random"]
        torch.random.set_rng_state(tensors["random.torch"])
        if "random.cuda" in tensors and torch.cuda.is_available():
            torch.cuda.random.set_rng_state(tensors["random.cuda"])
        version, internal, gauss = state["python"]
        random.setstate((version, tuple(internal), gauss))
        name, keys, *rest = state["numpy"]
        np.random.set_state((name, np.asarray(keys, dtype=np.uint32), *rest))


def arguments(kind: type, place: Path, device: str, **knobs: Any) -> Any:
    """Return a trainer's arguments, of one device: it saves, logs and shows nothing by itself."""
    on_cpu = device == "cpu"
    found = kind(
        output_dir=str(place),
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        **knobs,
    )
    found._n_gpu = min(found.n_gpu, 1)
    return found


class WeightsTrainer(Resumable, SentenceTransformerTrainer):  # type: ignore[misc]
    """Trains an encoder, and goes on from our checkpoints."""


class PairTrainer(Resumable, CrossEncoderTrainer):  # type: ignore[misc]
    """Trains a cross-encoder, and goes on from our checkpoints."""


class _Sampler(BatchSampler):  # type: ignore[misc]
    """Our batches of the epoch that the trainer has set."""

    def __init__(self, batches: EpochBatches) -> None:
        self._batches, self._epoch = batches, 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._batches.n_batches

    def __iter__(self) -> Iterator[list[int]]:
        yield from self._batches.of(self._epoch)


def weights_of(model: Any) -> dict[str, Any]:
    """Return the weights that are trained, by name, as they are now."""
    return {name: _whole(weight) for name, weight in model.named_parameters() if weight.requires_grad}


def load_weights(model: Any, path: Path) -> None:
    """Set the weights that are trained, in place, to those of a file."""
    found = tensors_of(path)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                weight.copy_(found[name])


def _whole(tensor: Any) -> Any:
    return tensor.detach().cpu().contiguous()


def _plain_numpy_state() -> list[Any]:
    name, keys, *rest = np.random.get_state()
    return [name, np.asarray(keys).tolist(), *rest]


def _state(checkpoint: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(checkpoint) / STATE).read_text(encoding="utf-8"))
    return found
