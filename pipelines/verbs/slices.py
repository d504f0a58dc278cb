"""The verb of slices."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.slices import SliceReport, slice_runs
from pipelines.verbs.runs import kept_run, scores_of


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
        scores_of(kept.run.id),
        kept.questions,
        kept.documents,
        baseline=None if baseline is None else scores_of(baseline),
        metrics=metrics,
        by=by,
        resamples=resamples,
        seed=seed,
    )
