"""The verbs of slices, of judging, and of golden sets in other formats; `api` offers them beside its own."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.cache import Cache
from pipelines.compare.comparison import RunScores
from pipelines.kept import KeptRun
from pipelines.runs.database import Database
from pipelines.runs.record import ALL_QUESTIONS
from pipelines.runs.store import RunStore
from pipelines.settings import cache_folder, database_url, runs_folder
from pipelines.slices import SliceReport, SliceRow, slice_runs

__all__ = ["SliceReport", "SliceRow", "slices"]


def _store() -> RunStore:
    return RunStore(Database(database_url()), runs_folder())


def kept_run(reference: str) -> KeptRun:
    """Return a run, opened together with its dataset.

    Raises:
        NotFoundError: when there is no such run, or its dataset is gone or was changed since.
    """
    store = _store()
    run = store.get(reference)
    return KeptRun.open(run, store.details(run.id), Cache(cache_folder()))


def _scores(reference: str) -> RunScores:
    store = _store()
    run = store.get(reference)
    kept = store.details(run.id)
    split = None if run.split == ALL_QUESTIONS else run.split
    return RunScores(run.id, run.name, run.dataset_name, run.dataset_version, split, kept.question_ids, kept.scores)


def slices(
    reference: str,
    baseline: str | None = None,
    metrics: Sequence[str] | None = ("recall@5",),
    by: str | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> SliceReport:
    """Return metrics of a run by tag, metadata of the evidence's documents, question length and kind of evidence.

    `by` is one of these ways alone: "tag", "length", "evidence", "answerable", "split", "filter" or a metadata field
    (None: all). With a baseline, every slice is compared too. `metrics` None is every metric.

    Raises:
        NotFoundError: when there is no such run, or its dataset is gone or was changed since.
        ComparisonError: when the baseline was not evaluated on the same questions, or lacks a metric.
        ConfigurationError: for a way to part the questions that there is not.
    """
    kept = kept_run(reference)
    return slice_runs(
        _scores(kept.run.id),
        kept.questions,
        kept.documents,
        baseline=None if baseline is None else _scores(baseline),
        metrics=metrics,
        by=by,
        resamples=resamples,
        seed=seed,
    )
