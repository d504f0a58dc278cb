"""What a trainer is handed, and where it works: the seam between the plans, which know the corpus, and the trainers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from pipelines.progress import Progress, silent
from pipelines.records import FloatArray
from pipelines.records.pairs import TrainingPairs


class Encode(Protocol):
    """Encodes texts by the base model; what was embedded before, in any run, is looked up."""

    def __call__(self, texts: Sequence[str], *, queries: bool) -> FloatArray:
        """Return one vector a text, float32 [n_texts, dimensions]."""
        ...


@dataclass(frozen=True)
class Dev:
    """The dev questions on the real corpus: by them, training chooses where to stop.

    `by_vectors` takes chunk vectors [n_chunks, dimensions] and question vectors [n_questions, dimensions], searches all
    chunks exactly, and returns the mean of `metric` over the questions that have one (higher is better).
    """

    metric: str
    questions: tuple[str, ...]
    by_vectors: Callable[[FloatArray, FloatArray], float]


@dataclass(frozen=True)
class PairDev:
    """The dev questions with the chunks that a reranker would be handed for each: `pairs` in order of question, rank.

    `by_scores` takes one score a pair, float32 [n_pairs], and returns the mean of `metric` of the rankings they make;
    `before` is that of the `n_questions` rankings as they were retrieved.
    """

    metric: str
    pairs: tuple[tuple[str, str], ...]
    by_scores: Callable[[FloatArray], float]
    n_questions: int = 0
    before: float | None = None


@dataclass(frozen=True)
class Lesson:
    """What an encoder learns from. `corpus` is what is embedded for every chunk; `encode` is the base model.

    `dev` is None where there is no dev question with evidence: `no_dev` says why, and all epochs are trained.
    """

    pairs: TrainingPairs
    corpus: Sequence[str]
    encode: Encode
    dev: Dev | None = None
    no_dev: str = ""


@dataclass(frozen=True)
class PairLesson:
    """What a cross-encoder learns from."""

    pairs: TrainingPairs
    dev: PairDev | None = None
    no_dev: str = ""


@dataclass(frozen=True)
class Point:
    """One point of a training's curve: after `step` of `steps`. What was not measured there is None."""

    step: int
    steps: int
    epoch: float
    seconds: float
    loss: float | None = None
    learning_rate: float | None = None
    dev: float | None = None
    metric: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


def _unheard(value: Any) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Workshop:
    """Where a training works. `checkpoints` is its own for as long as it is not finished, also after a crash.

    `progress` is told after each step and may raise `Cancelled`; `tell` gets each point of the curve; `note` what the
    user should know of the result; `worked` what kind of work was done, how many units, and in how many seconds.
    `about` is what a model card says of the data: dataset, version, splits.
    """

    checkpoints: Path
    progress: Progress = silent
    tell: Callable[[Point], None] = _unheard
    note: Callable[[str], None] = _unheard
    worked: Callable[[str, float, float], None] = lambda what, units, seconds: None
    about: Mapping[str, Any] | None = None
