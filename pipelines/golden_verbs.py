"""The verbs of slices, of judging, and of golden sets in other formats; `api` offers them beside its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines import judging
from pipelines.cache import Cache
from pipelines.compare.comparison import RunScores
from pipelines.errors import DatasetError, shorten
from pipelines.execution import Execution
from pipelines.golden.dataset import Dataset
from pipelines.golden.exporters import Content, ExportReport, export_content, exporters
from pipelines.golden.importers import importers
from pipelines.golden.naming import slug
from pipelines.judging import Filled, Holes, Judgment, JudgmentFile, Published, Queue, QueueItem
from pipelines.kept import KeptRun
from pipelines.pipeline import Pipeline
from pipelines.plan import plan
from pipelines.records import Documents, Question
from pipelines.runs.database import Database
from pipelines.runs.jobs import Job, Jobs
from pipelines.runs.record import ALL_QUESTIONS
from pipelines.runs.spawn import ensure_worker
from pipelines.runs.store import RunStore
from pipelines.runs.submit import submit_evaluation
from pipelines.settings import cache_folder, database_url, dataset_folders, home, runs_folder
from pipelines.slices import SliceReport, SliceRow, slice_runs

__all__ = [
    "ExportReport", "Filled", "Holes", "Judgment", "Published", "Queue", "QueueItem", "SliceReport", "SliceRow",
    "export_dataset", "export_formats", "import_formats", "import_judging", "judging_csv", "judging_queue",
    "judgments", "label_holes", "publish_judgments", "record_judgment", "rescore", "slices",
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


def label_holes(reference: str) -> Holes:
    """Return the share of a run's retrieved chunks that nobody judged, and what that could make of each metric.

    Raises:
        NotFoundError: when there is no such run, or its dataset is gone or was changed since.
    """
    return judging.holes(kept_run(reference))


def judging_queue(references: Sequence[str], judge: str, depth: int = judging.DEPTH, again: bool = False) -> Queue:
    """Return what `judge` is to judge of what runs retrieved within their first `depth` ranks, most telling first.

    What somebody judged already is not asked again, unless `again` asks for second opinions. Runs must be of one
    version of one dataset.

    Raises:
        NotFoundError: when there is no such run, or its dataset is gone or was changed since.
        ComparisonError: for no run, or runs on several dataset versions.
    """
    runs = [kept_run(reference) for reference in references]
    if not runs:
        raise DatasetError("No run was given to judge; choose at least one.")
    dataset = runs[0].dataset
    documents, questions = _located(dataset)
    latest = _file(dataset.documents_version).latest()
    return judging.queue_of(runs, dataset, documents, questions, latest, judging.named_judge(judge), depth, again)


def record_judgment(documents_version: str, judgment: Judgment) -> Judgment:
    """Keep a judgement of a passage; it is on the disk when this returns. A later one of the same person replaces it.

    `documents_version` is the queue's; `QueueItem.judgment` makes the judgement. A grade of None takes it back.

    Raises:
        ConfigurationError: for a grade outside 0 to 3, or no name.
        StorageError: when the disk is full or refuses.
    """
    return _file(documents_version).add([judgment])[0]


def judgments(dataset: Dataset) -> list[Judgment]:
    """Return each person's last word on each passage of a dataset's documents, oldest first."""
    return sorted(_file(dataset.documents_version).latest().values(), key=lambda one: one.at)


def judging_csv(queue: Queue, judge: str = "") -> str:
    """Return a queue as CSV, to be judged in a spreadsheet: fill in the column `grade`."""
    return judging.to_csv(queue, judge)


def import_judging(dataset: Dataset, text: str, where: str, judge: str = "") -> Filled:
    """Keep the judgements of a filled table; `judge` stands for an empty name, `where` names it in messages.

    Raises:
        DatasetError: for a table that is none, or one made from other documents.
        StorageError: when the disk is full or refuses.
    """
    documents, questions = _located(dataset)
    filled = judging.from_csv(text, where, questions, documents, dataset.documents_version, judge)
    if filled.judgments:
        _file(dataset.documents_version).add(filled.judgments)
    return filled


def publish_judgments(dataset: Dataset, dest: str | Path | None) -> Published:
    """Write a new version of a dataset with what was judged; `dest` None writes it in its place.

    A `dest` that is a mere name becomes a folder among the user's own datasets. In place, the old questions are kept
    beside the new.

    Raises:
        DatasetError: when nothing was judged that changes the dataset, or `dest` is taken.
        StorageError: when the disk refuses; what was there is left as it was.
    """
    documents, questions = _located(dataset)
    latest = _file(dataset.documents_version).latest()
    return judging.publish(dataset, documents, questions, latest, None if dest is None else _own_folder(dest))


def rescore(reference: str, dataset: Dataset) -> Job:
    """Have a worker evaluate a run's pipeline on another version of its questions: what did not change is looked up.

    Raises:
        NotFoundError: when there is no such run.
        DatasetError: when the dataset lacks the questions of the run's split.
    """
    run = _store().get(reference)
    pipeline = Pipeline.parse(run.settings, f"the pipeline of run '{shorten(run.name)}'")
    split = None if run.split == ALL_QUESTIONS else run.split
    table = Jobs(Database(database_url()))
    job = submit_evaluation(table, pipeline, dataset, split=split, name=run.name, seed=run.seed, again=False)
    if job.active:
        ensure_worker()
    return job


def _file(documents_version: str) -> JudgmentFile:
    return JudgmentFile(home() / "judging", documents_version)


def _located(dataset: Dataset) -> tuple[Documents, tuple[Question, ...]]:
    """Return the documents as the dataset itself parses them, and all questions located in them."""
    return dataset.documents(), dataset.resolved()


def _own_folder(dest: str | Path) -> Path:
    path = Path(dest).expanduser()
    return dataset_folders()[0] / slug(str(dest)) if str(dest) == path.name else path


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
