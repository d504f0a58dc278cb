"""The verbs of metadata: what an extraction found, and what a filter gains and loses; `api` offers them too."""

from __future__ import annotations

from pipelines.execution import Execution
from pipelines.filter_report import (
    Condition,
    FieldAgreement,
    FilterReport,
    Mean,
    ReadQuestion,
    WithAndWithout,
    filter_reported,
)
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import plan
from pipelines.stages.extract.found import Disagreement, ExtractionReport, FieldReport, reported
from pipelines.verbs.home import cache

__all__ = [
    "Condition", "Disagreement", "ExtractionReport", "FieldAgreement", "FieldReport", "FilterReport", "Mean",
    "ReadQuestion", "WithAndWithout", "extraction_report", "filter_report",
]  # fmt: skip


def extraction_report(pipeline: Pipeline, dataset: Dataset) -> ExtractionReport:
    """Return, for every field that the pipeline's extract stage yields, how much it found and how much agrees.

    Documents and chunks are looked up where they were computed before; the extraction runs here, so that its time can
    be told.

    Raises:
        MissingExtraError: when the extraction needs a library that is not installed.
        ConfigurationError: for a pattern or a model that cannot be used.
    """
    work, run = plan(pipeline, dataset, ()), Execution(cache())
    return reported(pipeline.extract, run.get(work.documents), run.get(work.cut))


def filter_report(
    pipeline: Pipeline, dataset: Dataset, *, split: str | None = None, metric: str = "recall@5", seed: int = 0
) -> FilterReport:
    """Return what the pipeline's filter gains and loses on the questions, beside the same pipeline without a filter.

    Everything that was computed before is looked up; nothing is logged as a run.

    Raises:
        ConfigurationError: for a metric that the pipeline does not measure, or a filter on a field that is not there.
    """
    return filter_reported(pipeline, dataset, Execution(cache()), split=split, metric=metric, seed=seed)
