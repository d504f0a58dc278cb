"""What a filter gains and loses: the same questions with it and without it, and what it reads out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipelines.catalog import build_component
from pipelines.compare.paired import paired
from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.execution import Execution
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import Plan, plans
from pipelines.records import DoubleArray, MetadataValue, Question, Scores
from pipelines.resampling.means import finite
from pipelines.stages.filter.guess import Guess
from pipelines.stages.filter.reading import Reader

_LEAST_LOSS = 1e-9
_MEANS = ("gold_survival", "candidates_removed", "filter_precision", "filter_recall")


@dataclass(frozen=True)
class Mean:
    """A mean over the `n` questions that it could be computed for; None with a reason where there are none."""

    mean: float | None
    n: int
    reason: str | None = None


@dataclass(frozen=True)
class WithAndWithout:
    """A metric with the filter and without any, paired by question over `n` of them; the interval is of 95 %."""

    metric: str
    with_filter: float | None
    without: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    wins: int
    losses: int
    n: int


@dataclass(frozen=True)
class FieldAgreement:
    """What was read of one field, in questions: `right` of `read` values are labelled so, of `labelled` labels."""

    field: str
    read: int
    right: int
    labelled: int

    @property
    def precision(self) -> float | None:
        """The share of the values read, in questions that label the field, which are labelled."""
        return self.right / self.read if self.read else None

    @property
    def recall(self) -> float | None:
        """The share of the labels that were read."""
        return self.right / self.labelled if self.labelled else None


@dataclass(frozen=True)
class Condition:
    """A condition that was read, in Chroma's syntax, with its confidence and the words that it was read from."""

    where: Mapping[str, Any]
    confidence: float
    said: str


@dataclass(frozen=True)
class ReadQuestion:
    """A question with what was read out of it, its labels, and the share of its evidence that the filter leaves.

    `gold_in_chunks` is the share that any chunk holds: what is missing there was lost before the filter.
    """

    question_id: str
    text: str
    conditions: tuple[Condition, ...]
    labels: Mapping[str, MetadataValue]
    gold_survival: float | None
    gold_in_chunks: float | None
    with_filter: float | None
    without: float | None


@dataclass(frozen=True)
class FilterReport:
    """A pipeline's filter on the questions of a dataset; `lost` are those of whose evidence it removes a part."""

    component: str
    split: str | None
    n_questions: int
    gain: WithAndWithout
    gold_survival: Mean
    candidates_removed: Mean
    precision: Mean
    recall: Mean
    fields: tuple[FieldAgreement, ...]
    questions: tuple[ReadQuestion, ...]
    notes: tuple[str, ...]

    @property
    def lost(self) -> tuple[ReadQuestion, ...]:
        """The questions that lose evidence to the filter."""
        return tuple(q for q in self.questions if _removed(q))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        fields = [{**asdict(one), "precision": one.precision, "recall": one.recall} for one in self.fields]
        return {**asdict(self), "fields": fields}


def filter_reported(
    pipeline: Pipeline, dataset: Dataset, run: Execution, *, split: str | None, metric: str, seed: int
) -> FilterReport:
    """Evaluate the pipeline with its filter and with none, and read the questions.

    Raises:
        ConfigurationError: for a metric that the pipeline does not measure.
    """
    questions = dataset.select(split)
    none = Pipeline({**pipeline.components, "filter": build_component("filter", {"use": "none"}, "pipeline")})
    own, other = plans([pipeline, none], dataset, questions)
    now, was = run.get(own.scores), run.get(other.scores)
    values = _values(now, metric), _values(was, metric)
    read = _read(own, run)
    run.account_for(own.candidates)
    survival, removed, precision, recall = (_mean(now, name) for name in _MEANS)
    return FilterReport(
        component=pipeline.filter.name,
        split=split,
        n_questions=len(questions),
        gain=_gain(metric, *values, seed),
        gold_survival=survival,
        candidates_removed=removed,
        precision=precision,
        recall=recall,
        fields=_fields(questions, read, set(run.get(own.chunks).columns)),
        questions=_questions(questions, read, *(_values(one, "gold_survival") for one in (now, was)), *values),
        notes=tuple(run.notes),
    )


def _removed(one: ReadQuestion) -> bool:
    if one.gold_survival is None or one.gold_in_chunks is None:
        return False
    return one.gold_survival < one.gold_in_chunks - _LEAST_LOSS


def _values(scores: Scores, metric: str) -> DoubleArray:
    names = [one.name for one in scores.metrics]
    if metric not in names:
        raise ConfigurationError(
            f"The pipeline does not measure '{shorten(metric)}'; choose one of {shorten(', '.join(names), 300)}."
            f"{did_you_mean(metric, names)}"
        )
    return scores.column(metric)


def _gain(metric: str, now: DoubleArray, was: DoubleArray, seed: int) -> WithAndWithout:
    found = paired(was[:, None], now[None, :, None], higher_is_better=np.asarray([True]), seed=seed)
    one = {name: finite(float(getattr(found, name)[0, 0])) for name in ("mean", "baseline_mean", "difference", "low")}
    high, p = (finite(float(array[0, 0])) for array in (found.high, found.p))
    counts = (int(array[0, 0]) for array in (found.wins, found.losses, found.n))
    return WithAndWithout(metric, one["mean"], one["baseline_mean"], one["difference"], one["low"], high, p, *counts)


def _mean(scores: Scores, name: str) -> Mean:
    values = scores.column(name)
    scored = values[~np.isnan(values)]
    if len(scored):
        return Mean(float(scored.mean()), len(scored))
    position = [one.name for one in scores.metrics].index(name)
    codes = scores.reason[:, position]
    return Mean(None, 0, scores.reasons[int(np.bincount(codes).argmax())] if len(codes) else "there are no questions")


def _read(plan: Plan, run: Execution) -> list[Sequence[Guess]]:
    """Return what the filter reads out of every question; nothing for one that reads none."""
    reader = getattr(run.get(plan.sieve), "reader", None)
    if not isinstance(reader, Reader):
        return [() for _ in plan.questions]
    return [reader.guesses(question.text) for question in plan.questions]


def _fields(
    questions: Sequence[Question], read: Sequence[Sequence[Guess]], known: set[str]
) -> tuple[FieldAgreement, ...]:
    counts: dict[str, list[int]] = {}
    for question, guesses in zip(questions, read, strict=True):
        values: dict[str, set[MetadataValue]] = {}
        for one in guesses:
            for name, own in one.values.items():
                values[name] = values[name] & set(own) if name in values else set(own)
        for name, label in question.filter.items():
            if name in known and any(read):
                tally = counts.setdefault(name, [0, 0, 0])
                tally[0] += len(values.get(name, ()))
                tally[1] += label in values.get(name, ())
                tally[2] += 1
    return tuple(FieldAgreement(name, *tally) for name, tally in sorted(counts.items()))


def _questions(
    questions: Sequence[Question],
    read: Sequence[Sequence[Guess]],
    *values: DoubleArray,
) -> tuple[ReadQuestion, ...]:
    return tuple(
        ReadQuestion(
            question.id,
            question.text,
            tuple(Condition(one.where, one.confidence, one.said) for one in own),
            dict(question.filter),
            *(finite(float(column[q])) for column in values),
        )
        for q, (question, own) in enumerate(zip(questions, read, strict=True))
    )
