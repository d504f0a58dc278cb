"""The verbs of pipelines and runs: evaluate, list, compare, look at one question."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.compare.comparison import Comparison, RunScores, compare
from pipelines.compare.questions import QuestionDifference
from pipelines.compare.questions import question_differences as differences
from pipelines.errors import shorten
from pipelines.golden.dataset import Dataset
from pipelines.kept import KeptRun
from pipelines.pipeline import Pipeline, parse_settings
from pipelines.records import Metric
from pipelines.runs.curves import Curves
from pipelines.runs.depth import QuestionInDepth, dataset_of, in_depth
from pipelines.runs.evaluate import Evaluated
from pipelines.runs.evaluate import evaluate as evaluate_here
from pipelines.runs.record import ALL_QUESTIONS, Details, Run
from pipelines.runs.table import DEFAULT_METRICS, Table, runs_table, scores_table
from pipelines.verbs.home import cache, database, store
from pipelines.whatif import WhatIf, opened


def evaluate(
    pipeline: Pipeline, dataset: Dataset, *, split: str | None = None, name: str | None = None, seed: int = 0
) -> Evaluated:
    """Evaluate in this process and keep the run: for notebooks and tests."""
    curves = Curves(database())
    done = evaluate_here(pipeline, dataset, cache(), split=split, name=name, seed=seed, learnt=curves.enter)
    curves.flush()
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
    first, *rest = [scores_of(reference) for reference in (baseline, *others)]
    return compare(first, rest, metrics, resamples, seed)


def scores_of(reference: str) -> RunScores:
    """Return what a comparison needs of a run."""
    found = run(reference)
    kept = details(found.id)
    split = None if found.split == ALL_QUESTIONS else found.split
    name, version = found.dataset_name, found.dataset_version
    return RunScores(found.id, found.name, name, version, split, kept.question_ids, kept.scores, kept.fates)


def question_differences(baseline: str, other: str, metric: str) -> tuple[QuestionDifference, ...]:
    """Return how each question fares in two runs on one metric, the greatest loss first."""
    return differences(scores_of(baseline), scores_of(other), metric)


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
    return opened(run(reference), cache())


def kept_run(reference: str) -> KeptRun:
    """Return a run, opened together with its dataset.

    Raises:
        NotFoundError: when there is no such run, or its dataset is gone or was changed since.
    """
    found = run(reference)
    return KeptRun.open(found, details(found.id), cache())
