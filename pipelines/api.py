"""The verbs that the browser UI, the command line and notebooks call."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.cache import Cache
from pipelines.chat_verbs import (
    Answer,
    ChatClient,
    FunctionClient,
    Message,
    Prompt,
    Sampling,
    from_llama_index,
    register_chat_client,
)
from pipelines.compare.comparison import Comparison, RunScores, compare
from pipelines.compare.questions import QuestionDifference
from pipelines.compare.questions import question_differences as differences
from pipelines.errors import DatasetError, did_you_mean, shorten
from pipelines.golden.check import check
from pipelines.golden.dataset import Dataset
from pipelines.golden.findings import Report
from pipelines.golden.importers import ImportReport, import_dataset
from pipelines.golden.loading import LoadReport, LoadRow, load_report
from pipelines.golden.upload import from_uploads
from pipelines.golden_verbs import (
    ExportReport,
    SliceReport,
    SliceRow,
    export_dataset,
    export_formats,
    import_formats,
    slices,
)
from pipelines.judging_verbs import (
    Filled,
    Holes,
    Judgment,
    Published,
    Queue,
    QueueItem,
    import_judging,
    judging_csv,
    judging_queue,
    judgments,
    label_holes,
    publish_judgments,
    record_judgment,
    rescore,
)
from pipelines.loss_verbs import Bar, Losses, LostEvidence, LostQuestion, cut_name, losses
from pipelines.metadata_verbs import (
    Condition,
    Disagreement,
    ExtractionReport,
    FieldAgreement,
    FieldReport,
    FilterReport,
    ReadQuestion,
    extraction_report,
    filter_report,
)
from pipelines.pipeline import Pipeline, parse_settings
from pipelines.preview import Preview, PreviewedChunk, document_ids, preview
from pipelines.records import Metric
from pipelines.runs.database import Database
from pipelines.runs.depth import QuestionInDepth, RankedChunk, dataset_of, first_rank, in_depth
from pipelines.runs.evaluate import Evaluated
from pipelines.runs.evaluate import evaluate as evaluate_here
from pipelines.runs.jobs import Job, Jobs
from pipelines.runs.record import ALL_QUESTIONS, Details, Run
from pipelines.runs.spawn import MOST_STARTS, ensure_worker, refuse_to_go_on
from pipelines.runs.store import RunStore
from pipelines.runs.submit import submit_evaluation
from pipelines.runs.table import DEFAULT_METRICS, Table, runs_table, scores_table
from pipelines.settings import cache_folder, database_url, dataset_folders, runs_folder
from pipelines.sweep_verbs import (
    SWEEP,
    Estimate,
    SweepListed,
    SweepSpec,
    SweepView,
    check_sweep,
    default_split,
    job_log,
    measured_metrics,
    pause,
    preflight,
    read_sweep,
    resume,
    run_sweep,
    sweep,
    sweep_json,
    sweep_of_job,
    sweep_table,
    sweeps,
    sweeps_listed,
    workers_of,
    write_study,
)
from pipelines.whatif import WhatIf, opened

__all__ = [
    "DEFAULT_METRICS",
    "SWEEP",
    "Answer",
    "Bar",
    "ChatClient",
    "Condition",
    "Disagreement",
    "Estimate",
    "ExportReport",
    "ExtractionReport",
    "FieldAgreement",
    "FieldReport",
    "Filled",
    "FilterReport",
    "FunctionClient",
    "Holes",
    "Job",
    "Judgment",
    "LoadReport",
    "LoadRow",
    "Losses",
    "LostEvidence",
    "LostQuestion",
    "Message",
    "Preview",
    "PreviewedChunk",
    "Prompt",
    "Published",
    "QuestionInDepth",
    "Queue",
    "QueueItem",
    "RankedChunk",
    "ReadQuestion",
    "Sampling",
    "SliceReport",
    "SliceRow",
    "SweepListed",
    "SweepSpec",
    "SweepView",
    "Table",
    "check_sweep",
    "cut_name",
    "dataset_of",
    "default_split",
    "document_ids",
    "export_dataset",
    "export_formats",
    "extraction_report",
    "filter_report",
    "first_rank",
    "from_llama_index",
    "import_formats",
    "import_judging",
    "job_log",
    "judging_csv",
    "judging_queue",
    "judgments",
    "label_holes",
    "load_report",
    "losses",
    "measured_metrics",
    "pause",
    "preflight",
    "preview",
    "publish_judgments",
    "read_sweep",
    "record_judgment",
    "register_chat_client",
    "rescore",
    "resume",
    "run_sweep",
    "slices",
    "sweep",
    "sweep_json",
    "sweep_of_job",
    "sweep_table",
    "sweeps",
    "sweeps_listed",
    "write_study",
]  # fmt: skip

_WATCH_S = 0.1


def store() -> RunStore:
    """Return the run store of this home folder."""
    return RunStore(Database(database_url()), runs_folder())


def jobs() -> Jobs:
    """Return the job table of this home folder."""
    return Jobs(Database(database_url()))


@dataclass(frozen=True)
class DatasetPlace:
    """A dataset that can be chosen by name."""

    name: str
    path: Path
    bundled: bool


def datasets() -> list[DatasetPlace]:
    """Return the datasets that are found by name: the user's own, then the bundled ones."""
    own, bundled = dataset_folders()
    places = [(folder, folder is bundled) for folder in (own, bundled) if folder.is_dir()]
    found: dict[str, DatasetPlace] = {}
    for folder, comes_along in places:
        for path in sorted(folder.iterdir()):
            if (path / "questions.jsonl").is_file() and not path.name.startswith("."):
                found.setdefault(path.name, DatasetPlace(path.name, path, comes_along))
    return list(found.values())


def open_dataset(name_or_path: str | Path) -> Dataset:
    """Open a dataset by its folder's name, or by path.

    Raises:
        DatasetError: when there is none, or when it is not sound enough to be read.
    """
    known = {place.name: place.path for place in datasets()}
    if str(name_or_path) in known:
        return Dataset.open(known[str(name_or_path)])
    path = Path(name_or_path).expanduser()
    if not path.exists() and path.name == str(name_or_path):
        names = ", ".join(known) or "none yet"
        raise DatasetError(
            f"There is no dataset '{shorten(name_or_path)}'; known are {shorten(names, 300)}: name one of them, "
            f"or a folder's path.{did_you_mean(str(name_or_path), known)}"
        )
    return Dataset.open(path)


def submit(
    pipeline: Pipeline,
    dataset: Dataset,
    *,
    split: str | None = None,
    name: str | None = None,
    seed: int = 0,
    again: bool = True,
) -> Job:
    """Have a worker process evaluate `pipeline`; the same thing asked for twice is one job.

    With `again` false, a job that has finished counts as the same thing too.
    """
    job = submit_evaluation(jobs(), pipeline, dataset, split=split, name=name, seed=seed, again=again)
    if job.active:
        ensure_worker()
    return job


def watch(job_id: str, tell: Callable[[Job], None] | None = None) -> Job:
    """Wait for a job to end, telling how it stands ten times a second; a dead worker is replaced.

    Raises:
        StorageError: when worker after worker ends without the job going on, such as on a full disk.
    """
    table, starts, before = jobs(), 0, (-1, "")
    while True:
        job = table.get(job_id)
        if tell is not None:
            tell(job)
        if not job.active:
            return job
        if (job.attempts, job.state) != before:
            starts, before = 0, (job.attempts, job.state)
        starts += ensure_worker(workers_of(job))
        if starts > MOST_STARTS:
            refuse_to_go_on()
        time.sleep(_WATCH_S)


def job(job_id: str) -> Job:
    """Return how a job stands; when it is still to be done and no worker is there, one is started."""
    found = jobs().get(job_id)
    if found.active:
        ensure_worker(workers_of(found))
    return found


def active_jobs() -> list[Job]:
    """Return the jobs that wait or run, newest first; when there are any and no worker is there, one is started."""
    found = jobs().recent(active_only=True)
    if found:
        ensure_worker(max(workers_of(one) for one in found))
    return found


def recent_jobs(limit: int = 20) -> list[Job]:
    """Return the latest jobs, newest first."""
    return jobs().recent(limit)


def cancel(job_id: str) -> Job:
    """Stop a job within seconds; its finished stages are kept."""
    found = jobs().cancel(job_id)
    if found.active:
        ensure_worker()
    return found


def evaluate(
    pipeline: Pipeline, dataset: Dataset, *, split: str | None = None, name: str | None = None, seed: int = 0
) -> Evaluated:
    """Evaluate in this process and keep the run: for notebooks and tests."""
    done = evaluate_here(pipeline, dataset, Cache(cache_folder()), split=split, name=name, seed=seed)
    store().add(done.run, done.details)
    return done


def runs(
    metrics: Sequence[str] = DEFAULT_METRICS,
    dataset: str | None = None,
    intervals: bool = False,
    losses_at: str | None = None,
) -> Table:
    """Return the table of runs, oldest first; `losses_at` adds what each stage lost at a cut such as recall@5."""
    return runs_table(store(), metrics, dataset, intervals, losses_at)


def metrics() -> tuple[Metric, ...]:
    """Return the declaration of every metric that any run has, in the order in which runs list them."""
    return store().metrics()


def read_pipeline(filename: str, content: bytes) -> Pipeline:
    """Read an uploaded YAML or JSON file; its name serves the messages alone and is never taken for a path.

    Raises:
        ConfigurationError: when it cannot be read as a pipeline.
    """
    return Pipeline.parse(read_values(content, filename), shorten(filename))


def read_values(content: bytes, name: str) -> object:
    """Read YAML or JSON into plain values, dates left as text as metadata hold them; `name` is for the messages.

    Raises:
        ConfigurationError: when it is no text or not well-formed.
    """
    return parse_settings(content, shorten(name), json_text=name.lower().endswith(".json"))


def run(reference: str) -> Run:
    """Return a run by id, name, or the beginning of its id."""
    return store().get(reference)


def details(run_id: str) -> Details:
    """Return the per-question scores and rankings of a run."""
    return store().details(run_id)


def question_scores(run_id: str) -> Table:
    """Return one row a question: its value of every metric, None where unscored, and the versions these depend on."""
    return scores_table(run(run_id), details(run_id))


def compare_runs(
    baseline: str, others: Sequence[str], metrics: Sequence[str] | None = None, resamples: int = 10_000, seed: int = 0
) -> Comparison:
    """Compare runs with a baseline, paired by question.

    Raises:
        ComparisonError: when they were not evaluated on the same questions.
    """
    first, *rest = [_scores_of(reference) for reference in (baseline, *others)]
    return compare(first, rest, metrics, resamples, seed)


def _scores_of(reference: str) -> RunScores:
    found = run(reference)
    kept = details(found.id)
    split = None if found.split == ALL_QUESTIONS else found.split
    name, version = found.dataset_name, found.dataset_version
    return RunScores(found.id, found.name, name, version, split, kept.question_ids, kept.scores, kept.fates)


def question_differences(baseline: str, other: str, metric: str) -> tuple[QuestionDifference, ...]:
    """Return how each question fares in two runs on one metric, the greatest loss first."""
    return differences(_scores_of(baseline), _scores_of(other), metric)


def check_dataset(name_or_path: str | Path) -> Report:
    """Say how sound a dataset is, and what would mislead an evaluation; errors in it do not stop the check.

    Raises:
        DatasetError: when there is no dataset folder of that name or path.
    """
    known = {place.name: place.path for place in datasets()}
    return check(known.get(str(name_or_path), Path(name_or_path).expanduser()))


def import_golden(format_name: str, source: str | Path, dest: str | Path, name: str | None = None) -> ImportReport:
    """Import a golden set of another format; see `pipelines.golden.importers`."""
    return import_dataset(format_name, source, dest, name)


def upload_dataset(
    name: str, documents: Sequence[tuple[str, bytes]], questions_csv: bytes | None, questions_jsonl: bytes | None
) -> ImportReport:
    """Write uploaded files into a dataset of the user's own; file names are never taken for paths."""
    return from_uploads(name, documents, questions_csv, questions_jsonl, dataset_folders()[0])


def question_in_depth(run_ids: Sequence[str], question_id: str) -> QuestionInDepth:
    """Return a question with everything that the runs found for it.

    Raises:
        NotFoundError: when a run lacks the question, or its dataset is gone or was changed since.
    """
    first = run(run_ids[0])
    loader = Pipeline.parse(first.settings, f"run {first.id}").load
    return in_depth(dataset_of(first), {run_id: details(run_id) for run_id in run_ids}, question_id, loader)


def what_if(reference: str) -> WhatIf:
    """Return a run opened for changes that are tried on the spot; this process holds the two that were used last.

    Raises:
        NotFoundError: when there is no such run, its dataset is gone or was changed, or its outputs are gone.
    """
    return opened(run(reference), Cache(cache_folder()))
