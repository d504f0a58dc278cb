"""What was gained: the same questions before and after, paired, on those documents that were learnt from and others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from pipelines.compare.comparison import ComparisonRow, compare
from pipelines.compare.paired import differences
from pipelines.compare.run_scores import RunScores
from pipelines.errors import counted
from pipelines.finetune.records import Where
from pipelines.records import DoubleArray, Scores
from pipelines.sweeps.optimism import difference_interval

HEADLINE = "ndcg@10"
METRICS = (HEADLINE, "recall@5", "mrr@10")
_LEAST = 6
"""Questions below which no pattern of signs is rarer than 1 in 20: such a gain cannot be told from chance."""


@dataclass(frozen=True)
class Gain:
    """One metric before and after, on the questions of `where`; what is None has its `reason`."""

    where: Where
    metric: str
    before: float | None
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    wins: int
    ties: int
    losses: int
    n: int
    verdict: str | None
    reason: str | None
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


def gains(
    where: Where, before: RunScores, after: Mapping[str, RunScores], metrics: Sequence[str], seed: int
) -> dict[str, list[Gain]]:
    """Return the gains of several runs over one, by label; questions without evidence are left out before.

    The first metric decides, and was chosen before anything was seen: its p is corrected over the runs alone, those of
    the others over all of them.
    """
    asked = np.flatnonzero(~np.isnan(before.table(before.question_ids, metrics)).all(axis=1))
    before = among(before, {before.question_ids[i] for i in asked})
    after = {label: among(run, before.question_ids) for label, run in after.items()}
    if not before.question_ids:
        return {label: [no_gain(where, metric, _NOBODY[where]) for metric in metrics] for label in after}
    labels = list(after)
    others = [replace(after[label], run_id=f"{i}", name=label) for i, label in enumerate(labels)]
    tested = [part for part in (list(metrics[:1]), list(metrics[1:])) if part]
    rows = [row for part in tested for row in compare(before, others, part, seed=seed).rows]
    found: dict[str, list[Gain]] = {label: [] for label in labels}
    for row in rows:
        found[labels[int(row.run_id)]].append(_gain(where, row))
    return found


_NOBODY: Mapping[Where, str] = {
    "all": "no question has evidence",
    "seen": "no question has its evidence in a document that was learnt from",
    "unseen": "every question has evidence in a document that was learnt from",
    "outside": "no dataset outside was named",
    "dev": "there is no dev question with evidence",
}


def no_gain(where: Where, metric: str, reason: str) -> Gain:
    """Return a gain that cannot be told."""
    nothing = dict.fromkeys(("before", "after", "difference", "low", "high", "p", "p_holm", "verdict"))
    sentence = f"{metric} {_ON[where]}: not told, for {reason}."
    return Gain(where, metric, **nothing, wins=0, ties=0, losses=0, n=0, reason=reason, sentence=sentence)


_ON: Mapping[Where, str] = {
    "all": "on all questions",
    "seen": "on documents that were learnt from",
    "unseen": "on unseen documents",
    "outside": "outside",
    "dev": "on dev",
}


def _gain(where: Where, row: ComparisonRow) -> Gain:
    reason = row.reason if row.ties < row.n or not row.n else None
    verdict = row.verdict if row.difference is not None else None
    if row.n and row.n < _LEAST and reason is None:
        reason = f"{counted(row.n, 'question')} cannot tell a gain from chance; {_LEAST} are the least"
    return Gain(
        where=where,
        metric=row.metric,
        before=row.baseline_mean,
        after=row.mean,
        difference=row.difference,
        low=row.low,
        high=row.high,
        p=row.p,
        p_holm=row.p_holm,
        wins=row.wins,
        ties=row.ties,
        losses=row.losses,
        n=row.n,
        verdict=verdict,
        reason=reason,
        sentence=said(where, row),
    )


def said(where: Where, row: ComparisonRow) -> str:
    """Say in words what came of it; what got worse is said to have got worse."""
    told = row.sentence()
    if row.verdict == "worse":
        return f"GOT WORSE {_ON[where]}: {told}"
    if row.verdict == "better":
        return f"Better {_ON[where]}: {told}"
    return f"{_ON[where][0].upper()}{_ON[where][1:]}: {told}"


def among(run: RunScores, question_ids: Collection[str]) -> RunScores:
    """Return a run as if it had answered these questions alone."""
    wanted = frozenset(question_ids)
    kept = [one for one in run.question_ids if one in wanted]
    rows, own = run.rows(kept), run.scores
    scores = Scores(own.metrics, own.values[rows], own.reason[rows], own.reasons)
    return replace(run, question_ids=tuple(kept), scores=scores, fates=None)


@dataclass(frozen=True)
class Optimism:
    """How much greater the gain is on dev, by which training was stopped, than on the reported split."""

    metric: str
    dev: float
    reported: float
    difference: float
    low: float
    high: float
    n_dev: int
    n_reported: int

    def sentence(self, split: str) -> str:
        """Say it."""
        told = f"The gain in {self.metric} is {self.dev:+.3f} on dev, which decided where training stopped, and "
        told += f"{self.reported:+.3f} on {split}: {self.difference:+.3f} (95 % interval {self.low:+.3f} to "
        told += f"{self.high:+.3f}; {self.n_dev} and {self.n_reported} questions)"
        if self.low > 0:
            return f"{told}; dev flatters it."
        return f"{told}; that dev flatters it is not shown." if self.high > 0 else f"{told}; dev does not flatter it."


def optimism(
    metric: str, dev: tuple[RunScores, RunScores], reported: tuple[RunScores, RunScores], seed: int
) -> Optimism | None:
    """Return the optimism; both hold the run before and the run after. None where either has less than two questions.

    The questions differ, so the gains of the two splits are resampled each on its own.
    """
    own, other = _gained(metric, *dev), _gained(metric, *reported)
    if min(len(own), len(other)) < 2:
        return None
    low, high = difference_interval(own, other, seed=seed)
    means = float(own.mean()), float(other.mean())
    return Optimism(metric, *means, means[0] - means[1], low, high, len(own), len(other))


def _gained(metric: str, before: RunScores, after: RunScores) -> DoubleArray:
    ids = sorted(before.question_ids)
    found = differences(before.table(ids, [metric])[:, 0], after.table(ids, [metric])[:, 0])
    return np.asarray(found[~np.isnan(found)])
