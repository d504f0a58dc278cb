"""The verbs of slices, and of golden sets in other formats; `api` offers them beside its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.cache import Cache
from pipelines.compare.comparison import RunScores
from pipelines.errors import DatasetError, shorten
from pipelines.execution import Execution
from pipelines.golden.dataset import Dataset
from pipelines.golden.exporters import Content, ExportReport, export_content, exporters
from pipelines.golden.importers import importers
from pipelines.kept import KeptRun
from pipelines.pipeline import Pipeline
from pipelines.plan import plan
from pipelines.runs.database import Database
from pipelines.runs.record import ALL_QUESTIONS
from pipelines.runs.store import RunStore
from pipelines.settings import cache_folder, database_url, runs_folder
from pipelines.slices import SliceReport, SliceRow, slice_runs

__all__ = [
    "ExportReport", "SliceReport", "SliceRow", "export_dataset", "export_formats", "import_formats", "slices",
]  # fmt: skip


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


def import_formats() -> dict[str, str]:
    """Return the formats that can be imported, each with what its source is."""
    return {name: one.source for name, one in importers().items()}


def export_formats() -> dict[str, str]:
    """Return the formats that a dataset can be exported to, each with what is written."""
    return {name: one.about for name, one in exporters().items()}


def export_dataset(
    dataset: Dataset, dest: str | Path, format_name: str = "beir", pipeline: Pipeline | None = None
) -> ExportReport:
    """Write a dataset in another format into a folder of its own.

    With a pipeline, its chunks take the place of documents, as its loader and chunker make them.

    Raises:
        DatasetError: for an unknown format, a format without chunks, or a place that is taken.
        StorageError: when the disk refuses.
    """
    if pipeline is None:
        content = Content(dataset.manifest, dataset.documents(), dataset.resolved())
    else:
        if format_name != "beir":
            raise DatasetError(
                f"Only beir is written of a pipeline's chunks, not {shorten(format_name)}; leave it out."
            )
        made, execution = plan(pipeline, dataset, dataset.questions), Execution(Cache(cache_folder()))
        documents, chunks = execution.get(made.documents), execution.get(made.chunks)
        questions = dataset.resolved(loader=pipeline.load)
        content = Content(dataset.manifest, documents, questions, chunks, pipeline.label())
    return export_content(format_name, content, dest)
