"""A training from its start, or from where it was interrupted, to its best weights: steps, epochs, checkpoints."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.errors import Cancelled
from pipelines.models.devices import threads
from pipelines.training.checkpoints import WEIGHTS, Checkpoints
from pipelines.training.course import Course
from pipelines.training.lesson import Workshop
from pipelines.training.memory import give_back

if TYPE_CHECKING:
    from pipelines.training.trainer import Resumable, Watch

CHECKPOINT_EVERY_S = 45.0


@dataclass
class Running:
    """One training. `measured` returns the dev metric of the weights as they are, and is None where there is no dev."""

    model: Any
    course: Course
    checkpoints: Checkpoints
    workshop: Workshop
    trainer_of: Callable[[Watch], Resumable]
    measured: Callable[[], float] | None = None

    def run(self, metric: str = "", before: float | None = None) -> None:
        """Train until the last epoch, or until no better one comes; `before` is the dev metric to be improved on."""
        from pipelines.training.trainer import Watch, load_weights

        self.checkpoints.prepare()
        self._trainer = self.trainer_of(Watch(self._after_step, self._after_epoch))
        self._kept_at = time.perf_counter()
        found = self.checkpoints.newest()
        if found is not None:
            self.course = Course.of(found[1]["course"])
            load_weights(self.model, found[0] / WEIGHTS)
            self._measure()
        elif before is not None:
            self.workshop.tell(self.course.started(metric, before))
        if not self.course.ended:
            self._trainer.train(resume_from_checkpoint=str(found[0]) if found else None)

    def take_best(self) -> None:
        """Put the weights of the best epoch into the model; those of the last where no dev metric was measured."""
        from pipelines.training.trainer import load_weights

        best = self.course.best
        if best is not None and best["step"] != self.course.step:
            load_weights(self.model, self.checkpoints.folder(best["step"]) / WEIGHTS)

    def still(self, done: int, total: int) -> None:
        """Say that the training is where it was: while the dev metric is measured, which may be cancelled too."""
        self.workshop.progress(self.course.step, self.course.steps)

    def _after_step(self, step: int, loss: float, learning_rate: float) -> None:
        give_back()
        point = self.course.learnt(step, loss, learning_rate)
        if point is not None:
            self.workshop.tell(point)
        try:
            self.workshop.progress(step, self.course.steps)
        except Cancelled:
            self._keep()
            raise
        if time.perf_counter() - self._kept_at >= CHECKPOINT_EVERY_S:
            self._keep()

    def _after_epoch(self) -> bool:
        """Keep a checkpoint, then measure on dev; return whether to stop."""
        self.course.n_ended += 1
        self._keep()
        self._measure()
        return self.course.ended

    def _measure(self) -> None:
        """Measure the weights on dev, unless that was done before an interruption."""
        if self.measured is None or len(self.course.dev) >= self.course.n_ended:
            return
        self.workshop.tell(self.course.measured(self.measured()))
        give_back()
        self.checkpoints.amend(self.course.step, {"course": self.course.state()})
        self._prune()

    def _keep(self) -> None:
        self._trainer.keep(self.checkpoints, self.course.state())
        self._prune()
        self._kept_at = time.perf_counter()

    def _prune(self) -> None:
        best = self.course.best
        self.checkpoints.prune(() if best is None else (best["step"],))


@contextmanager
def reproducibly(seed: int, device: str) -> Iterator[None]:
    """Draw by the seed and compute with our number of threads, and leave both as they were found."""
    import torch
    from transformers import set_seed

    n_threads, python, numpy = torch.get_num_threads(), random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[torch.cuda.current_device()] if device == "cuda" else []):
            torch.set_num_threads(threads())
            set_seed(seed)
            yield
    finally:
        torch.set_num_threads(n_threads)
        random.setstate(python)
        np.random.set_state(numpy)
