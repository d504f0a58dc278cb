"""Which questions got better, and which worse: one metric of two runs, question by question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from pipelines.compare.comparable import check_comparable, chosen_metrics
from pipelines.compare.paired import differences
from pipelines.compare.run_scores import RunScores
from pipelines.resampling.means import finite

Outcome: TypeAlias = Literal["win", "tie", "loss"]
FirstHits: TypeAlias = Mapping[str, int | None]


@dataclass(frozen=True)
class QuestionDifference:
    """One question in both runs; what is None was unscored, for the `reason` given.

    `difference` is run minus baseline; `outcome` is the run's, in the metric's direction. The ranks of the first hit
    start at 1 and are None where nothing was hit, or where they were not given.
    """

    question_id: str
    baseline: float | None
    value: float | None
    difference: float | None
    outcome: Outcome | None
    baseline_first_hit: int | None = None
    first_hit: int | None = None
    reason: str | None = None


def question_differences(
    baseline: RunScores,
    run: RunScores,
    metric: str,
    *,
    baseline_first_hits: FirstHits | None = None,
    first_hits: FirstHits | None = None,
) -> tuple[QuestionDifference, ...]:
    """Return every question, the greatest loss first, equals by id, and last those unscored in either run.

    `first_hits` tells, by question id, the rank of the first hit.

    Raises:
        ComparisonError: as `compare` does.
    """
    check_comparable(baseline, [run])
    declared = chosen_metrics((baseline, run), [metric])[0]
    ids = sorted(baseline.question_ids)
    old, new = (r.table(ids, [metric])[:, 0] for r in (baseline, run))
    difference = differences(old, new)
    gain = difference if declared.higher_is_better else -difference
    reasons = _reasons(baseline, run, metric, ids)
    return tuple(
        QuestionDifference(
            question_id=ids[i],
            baseline=finite(old[i]),
            value=finite(new[i]),
            difference=finite(difference[i]),
            outcome=_outcome(gain[i]),
            baseline_first_hit=(baseline_first_hits or {}).get(ids[i]),
            first_hit=(first_hits or {}).get(ids[i]),
            reason=reasons[i],
        )
        for i in np.argsort(gain, kind="stable").tolist()  # NaN sorts last
    )


def _outcome(gain: float) -> Outcome | None:
    if np.isnan(gain):
        return None
    return "tie" if gain == 0 else "win" if gain > 0 else "loss"


def _reasons(baseline: RunScores, run: RunScores, metric: str, ids: Sequence[str]) -> list[str | None]:
    """Return why a question has no difference, None where it has one."""
    ours, theirs = (_texts(r, metric, ids) for r in (baseline, run))
    return [
        old if old == new else "; ".join(f"{who}: {text}" for who, text in (("baseline", old), ("run", new)) if text)
        for old, new in zip(ours, theirs, strict=True)
    ]


def _texts(run: RunScores, metric: str, ids: Sequence[str]) -> list[str | None]:
    """Return the recorded reason of each unscored question, None where it was scored."""
    values = run.table(ids, [metric])[:, 0]
    column = [m.name for m in run.scores.metrics].index(metric)
    codes = run.scores.reason[run.rows(ids), column].tolist()
    texts = [run.scores.reasons[code] or "unscored" for code in codes]
    return [text if missing else None for text, missing in zip(texts, np.isnan(values).tolist(), strict=True)]
