"""What is changed, what comes of it, and why it may be refused."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.compare.comparison import Comparison, RunScores
from pipelines.compare.questions import QuestionDifference, question_differences
from pipelines.errors import NotFoundError, WorkbenchError, shorten
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.runs.depth import dataset_of
from pipelines.runs.record import ALL_QUESTIONS, Run


class CostlyChange(WorkbenchError):
    """A change whose outputs are not at hand: a job can compute them, a slider cannot."""


class OutputsGone(NotFoundError):
    """A run whose stages' outputs are not in the store any more; running it again brings them back."""


@dataclass(frozen=True)
class Answer:
    """A pipeline on all questions, beside the run as it was; the two `RunScores` hold every metric by question.

    `comparison` is paired, of the chosen metrics; its intervals come from `comparison.resamples` resamples, fewer than
    the compare page draws. `notes` say what would be misread; `seconds` is how long the answer took.
    """

    pipeline: Pipeline
    was: RunScores
    now: RunScores
    comparison: Comparison
    notes: tuple[str, ...]
    seconds: float

    def changed(self, metric: str) -> tuple[QuestionDifference, ...]:
        """Return the questions that got worse or better on `metric`, the greatest loss first, the greatest win last."""
        rows = question_differences(self.was, self.now, metric)
        return tuple(row for row in rows if row.outcome in ("win", "loss"))


@dataclass(frozen=True)
class Origin:
    """What is changed: a pipeline on the questions of a dataset's split (None: all); `run` where one was logged."""

    pipeline: Pipeline
    dataset: Dataset
    split: str | None = None
    run: Run | None = None

    @classmethod
    def of(cls, run: Run) -> Origin:
        """Return a run's own pipeline, dataset and split.

        Raises:
            NotFoundError: when its dataset is gone or was changed since.
            ConfigurationError: when its pipeline is none any more.
        """
        split = None if run.split == ALL_QUESTIONS else run.split
        pipeline = Pipeline.parse(run.settings, f"the pipeline of run '{shorten(run.name)}'")
        return cls(pipeline, dataset_of(run), split, run)

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"run '{shorten(self.run.name)}'" if self.run else "this pipeline"
