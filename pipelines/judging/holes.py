"""Label holes of a run: the share of what it retrieved that nobody judged, and what that could change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from pipelines.errors import ConfigurationError
from pipelines.judging.bounds import BOUNDED, CAVEATS, Retrieval, bounded, why_unbounded
from pipelines.judging.judged import all_judged, judged
from pipelines.kept import KeptRun
from pipelines.records import DoubleArray, Metric
from pipelines.resampling import mean_intervals
from pipelines.resampling.grid import column_means
from pipelines.resampling.means import finite
from pipelines.runs.table import Table
from pipelines.stages.score.relevant import Relevant
from pipelines.stages.score.retrieved import Retrieved
from pipelines.stages.score.standard import StandardScorer


@dataclass(frozen=True)
class UnjudgedShare:
    """Share of the chunks up to a cut-off (`at`: "5", or "2000tok") that nobody judged: mean over `n` questions.

    A question counts where anything was retrieved within the cut; `low` to `high` is the 95 % interval.
    """

    at: str
    mean: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Bound:
    """A metric as measured, where all that is unjudged counts as irrelevant, and its bounds over `n` questions.

    `low` and `high` are the least and the greatest mean over all ways of judging the unjudged among the first k; None
    for a metric that they do not bound, for the `reason` given. `caveat` says what the bounds take for granted.
    """

    metric: str
    higher_is_better: bool
    mean: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None
    caveat: str | None = None


@dataclass(frozen=True)
class Holes:
    """The label holes of one run; `n_retrieved` and `n_unjudged` count chunks over all questions and ranks."""

    run_id: str
    run_name: str
    dataset_name: str
    dataset_version: str
    split: str
    n_questions: int
    n_retrieved: int
    n_unjudged: int
    shares: tuple[UnjudgedShare, ...]
    bounds: tuple[Bound, ...]

    def share(self, at: str) -> UnjudgedShare | None:
        """Return the share up to a cut-off, None for one that was not measured."""
        return next((one for one in self.shares if one.at == at), None)

    def bound(self, metric: str) -> Bound | None:
        """Return a metric's bounds, None for one that was not measured."""
        return next((one for one in self.bounds if one.metric == metric), None)

    def table(self) -> Table:
        """Return the shares and the bounds as one table."""
        columns = ("what", "mean", "low", "high", "n", "reason", "caveat", "run_id", "run_name", "dataset_version")
        of_all = {name: getattr(self, name) for name in ("run_id", "run_name", "dataset_version")}
        shares = [
            {"what": f"unjudged@{s.at}", "mean": s.mean, "low": s.low, "high": s.high, "n": s.n} for s in self.shares
        ]
        bounds = [{"what": b.metric, **{name: getattr(b, name) for name in columns[1:7]}} for b in self.bounds]
        return Table(columns, tuple({**row, **of_all} for row in (*shares, *bounds)))

    def to_dict(self) -> dict[str, object]:
        """Return what JSON can hold."""
        return asdict(self)


def holes(kept: KeptRun, seed: int = 0) -> Holes:
    """Measure the label holes of a run.

    Raises:
        NotFoundError: when its chunks are cut otherwise by now.
        ConfigurationError: for a scorer that has no cut-offs.
    """
    retrieval = retrieval_of(kept)
    run, scores = kept.run, kept.details.scores
    values = {metric.name: scores.values[:, i] for i, metric in enumerate(scores.metrics)}
    ranges = bounded(retrieval, values)
    held = retrieval.retrieved.n_chunks()
    return Holes(
        run_id=run.id,
        run_name=run.name,
        dataset_name=run.dataset_name,
        dataset_version=run.dataset_version,
        split=run.split,
        n_questions=len(kept.questions),
        n_retrieved=int(held.sum()),
        n_unjudged=int(retrieval.unjudged.sum()),
        shares=tuple(_shares(retrieval, seed)),
        bounds=tuple(_bound(metric, values, ranges.get(metric.name)) for metric in scores.metrics),
    )


def retrieval_of(kept: KeptRun) -> Retrieval:
    """Return a run's ranks with what was judged of them.

    Raises:
        ConfigurationError: for a scorer that has no cut-offs.
    """
    score = kept.plan.pipeline.score
    if not isinstance(score, StandardScorer):
        raise ConfigurationError(
            f"Label holes are told for the scorer 'standard', and run '{kept.run.name}' has '{score.name}'; "
            "evaluate it with the standard one."
        )
    retrieved = Retrieved.of(kept.details.rankings, kept.chunks)
    everything = all_judged(kept.located, kept.documents)
    return Retrieval(
        relevant=Relevant.of(kept.gold),
        retrieved=retrieved,
        judged=judged(kept.gold, everything, retrieved),
        everything=everything,
        cutoffs=score.cutoffs,
        budgets_tokens=score.budgets_tokens,
        coverage=score.coverage,
    )


def _shares(retrieval: Retrieval, seed: int) -> list[UnjudgedShare]:
    cuts, held = retrieval.cuts, retrieval.retrieved.n_chunks()
    within = np.minimum(cuts.rank, held[:, None])
    share = np.full(within.shape, np.nan)
    np.divide(cuts.total(retrieval.unjudged.astype(np.int64)), within, out=share, where=within > 0)
    found = mean_intervals(share, seed=seed)
    return [
        UnjudgedShare(at, found[i].mean, found[i].low, found[i].high, found[i].n)
        for i, at in enumerate(retrieval.names())
    ]


def _bound(metric: Metric, values: Mapping[str, DoubleArray], found: tuple[DoubleArray, DoubleArray] | None) -> Bound:
    own = values[metric.name]
    n, mean = int(np.count_nonzero(~np.isnan(own))), finite(column_means(own[:, None])[0])
    if found is None:
        reason = why_unbounded(metric.family) if metric.family not in BOUNDED else "k is beyond 100"
        return Bound(metric.name, metric.higher_is_better, mean, None, None, n, reason)
    low, high = (finite(column_means(side[:, None])[0]) for side in found)
    return Bound(metric.name, metric.higher_is_better, mean, low, high, n, None, CAVEATS.get(metric.family))
