"""The verbs of judging what nobody has judged; `api` offers them beside its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines import judging
from pipelines.errors import DatasetError, shorten
from pipelines.golden.dataset import Dataset
from pipelines.golden.naming import slug
from pipelines.judging import Filled, Holes, Judgment, JudgmentFile, Published, Queue, QueueItem
from pipelines.pipeline import Pipeline
from pipelines.records import Documents, Question
from pipelines.runs import spawn
from pipelines.runs.jobs import Job
from pipelines.runs.record import ALL_QUESTIONS
from pipelines.runs.submit import submit_evaluation
from pipelines.settings import dataset_folders, home
from pipelines.verbs.home import jobs, store
from pipelines.verbs.runs import kept_run

__all__ = [
    "Filled", "Holes", "Judgment", "Published", "Queue", "QueueItem", "import_judging", "judging_csv",
    "judging_queue", "judgments", "label_holes", "publish_judgments", "record_judgment", "rescore",
]  # fmt: skip


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
    run = store().get(reference)
    pipeline = Pipeline.parse(run.settings, f"the pipeline of run '{shorten(run.name)}'")
    split = None if run.split == ALL_QUESTIONS else run.split
    job = submit_evaluation(jobs(), pipeline, dataset, split=split, name=run.name, seed=run.seed, again=False)
    if job.active:
        spawn.ensure_worker()
    return job


def _file(documents_version: str) -> JudgmentFile:
    return JudgmentFile(home() / "judging", documents_version)


def _located(dataset: Dataset) -> tuple[Documents, tuple[Question, ...]]:
    """Return the documents as the dataset itself parses them, and all questions located in them."""
    return dataset.documents(), dataset.resolved()


def _own_folder(dest: str | Path) -> Path:
    if not str(dest).strip():
        raise DatasetError("The new dataset has no name; give it one, or a folder's path.")
    path = Path(dest).expanduser()
    return dataset_folders()[0] / slug(str(dest)) if str(dest) == path.name else path
