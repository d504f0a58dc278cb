"""Which map is taken: of several strengths of being held to the base, and several steps, the best on dev questions."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

from pipelines.errors import counted
from pipelines.records import FloatArray
from pipelines.training.adapter_closed import cross_validated, solved
from pipelines.training.adapter_gradient import EVERY, LEARNING_RATE, descended, path
from pipelines.training.adapter_maps import Maps, mapped, unit
from pipelines.training.adapter_vectors import Vectors
from pipelines.training.lesson import Dev, Lesson, Point, Workshop
from pipelines.training.methods import AdapterTraining

STRENGTHS = (3.0, 1.0, 0.3)
"""How strongly a map may be held to the base where that is to be chosen, the strongest first."""


@dataclass(frozen=True)
class Tried:
    """A map that was tried: how strongly it was held (None: the base itself), after which step, and what it gave."""

    strength: float | None
    step: int
    maps: Maps
    loss: float | None = None
    dev: float | None = None


@dataclass
class Search:
    """The search for one adapter; `pairs_seen` counts a pair once a step."""

    how: AdapterTraining
    lesson: Lesson
    vectors: Vectors
    workshop: Workshop
    curve: list[dict[str, Any]] = field(default_factory=list)
    before: float | None = None
    pairs_seen: float = 0.0
    _begun: float = field(default_factory=time.perf_counter)
    _asked: FloatArray | None = None

    @property
    def seconds(self) -> float:
        """Return the seconds so far."""
        return time.perf_counter() - self._begun

    def best(self) -> Tried:
        """Try what there is to try, and return the best of it, the first of equals.

        Raises:
            Cancelled: when the workshop's `progress` does.
        """
        if self.lesson.dev is None:
            *_, last = self._way()
            return last
        best = self._told(Tried(None, 0, self._identity()))
        self.before, since = best.dev, 0
        for one in self._way():
            since = 0 if _dev(one) > _dev(best) else since + 1
            best = max(best, one, key=_dev)
            if self.how.fit == "gradient" and since >= self.how.patience > 0:
                break
        return best

    def _way(self) -> Iterator[Tried]:
        """Yield the maps that are tried, each measured and told."""
        for one in self._maps():
            self.pairs_seen += len(self.vectors.positives) * (1 if self.how.fit == "closed" else EVERY)
            yield self._told(one)
            self.workshop.progress(one.step, self._length)

    def _maps(self) -> Iterator[Tried]:
        both = self.how.side == "both"
        if self.how.fit == "closed":
            for nth, strength in enumerate(self._strengths, 1):
                yield Tried(strength, nth, solved(self.vectors, strength, both=both))
            return
        for one in descended(self.vectors, self._strengths, both=both, seed=self.how.seed):
            yield Tried(one.strength, one.step, one.maps, one.loss)

    def _told(self, one: Tried) -> Tried:
        """Tell a map as a point of the curve, and return it with its dev metric."""
        dev = self.lesson.dev
        found = one if dev is None else replace(one, dev=self._measured(one.maps, dev))
        point = Point(
            step=one.step,
            steps=self._length,
            epoch=float(one.step),
            seconds=self.seconds,
            loss=found.loss,
            learning_rate=None if found.loss is None else LEARNING_RATE,
            dev=found.dev,
            metric="" if dev is None else dev.metric,
        )
        self.workshop.tell(point)
        self.curve.append(point.to_dict())
        return found

    def _measured(self, maps: Maps, dev: Dev) -> float:
        if self._asked is None:
            self._asked = unit(self.lesson.encode(dev.questions, queries=True))
        return dev.by_vectors(_turned(self.vectors.corpus, maps.document), _turned(self._asked, maps.query))

    @property
    def _length(self) -> int:
        return len(self._strengths) if self.how.fit == "closed" else len(path(self._strengths))

    @cached_property
    def _strengths(self) -> Sequence[float]:
        """What is tried, the strongest first."""
        if self.how.stay is not None:
            return (self.how.stay,)
        if self.lesson.dev is not None:
            return STRENGTHS
        if self.how.fit == "gradient":
            return (1.0,)
        return (cross_validated(self.vectors, STRENGTHS, both=self.how.side == "both", seed=self.how.seed),)

    def _identity(self) -> Maps:
        own = np.eye(self.vectors.width, dtype=np.float32)
        return Maps(own, own if self.how.side == "both" else None)

    # What is said of it -------------------------------------------------------------------------------------------

    def record(self, best: Tried) -> dict[str, Any]:
        """Return what the training was made of and how it went, as plain JSON."""
        dev, lesson = self.lesson.dev, self.lesson
        return {
            "method": "adapter",
            "knobs": {"side": self.how.side, "fit": self.how.fit, "stay": self.how.stay, "seed": self.how.seed},
            "about": dict(self.workshop.about or {}),
            "pairs": {
                "n": len(self.vectors.positives),
                "n_questions": len(self.vectors.questions),
                "n_left_out": len(lesson.pairs.left_out),
                "left_out": [[one.question_id, one.why] for one in lesson.pairs.left_out],
            },
            "n_chunks": len(self.vectors.corpus),
            "dev": {
                "metric": dev.metric if dev else None,
                "why": lesson.no_dev,
                "n": len(dev.questions) if dev else 0,
                "before": self.before,
                "after": best.dev,
            },
            "steps": self._length,
            "step_kept": best.step,
            "held_at": best.strength,
            "seconds": self.seconds,
            "device": "cpu",
            "precision": "float32",
            "versions": {name: version(name) for name in ("numpy", "torch")},
            "curve": self.curve,
        }

    def summary(self, best: Tried) -> str:
        """Return the outcome in one sentence."""
        learnt = f"adapter, {counted(len(self.vectors.positives), 'pair')}"
        dev = self.lesson.dev
        if dev is None or self.before is None or best.dev is None:
            why = self.lesson.no_dev if self.how.patience else "patience is 0"
            return f"{learnt}: no dev question decided ({why}), so whether it is better than the base is not known."
        where = f"{dev.metric} of {counted(len(dev.questions), 'dev question')}"
        if best.strength is None:
            return (
                f"{learnt}: nothing that was tried did better on dev than the base ({where}: {self.before:.3f}), so it "
                "is left as the base is."
            )
        steps = f" after {counted(best.step, 'step')}" if self.how.fit == "gradient" else ""
        return f"{learnt}: {where} from {self.before:.3f} to {best.dev:.3f}{steps}, held at {best.strength:g}."


def _dev(one: Tried) -> float:
    return -np.inf if one.dev is None else one.dev


def _turned(vectors: FloatArray, by: FloatArray | None) -> FloatArray:
    return vectors if by is None else unit(mapped(vectors, by))
