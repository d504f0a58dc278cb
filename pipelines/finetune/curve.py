"""The learning curve: the gain against the number of training pairs. Is it worth labelling more?

Its report is `{"kind": "learning curve", "dataset", "split", "metric", "label", "baseline", "points", "doubling",
"verdict", "sentence"}`. A point is `{"share", "seeds", "n_pairs", "n_questions", "runs", "gains", "error"}`, with
`gains` a list of `Gain`, one a metric; `n_pairs` is the mean over the seeds. `doubling` compares the largest share
with the one that is nearest to half of it: `{"from_pairs", "to_pairs", "difference", "low", "high", "p", "n"}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from pipelines.compare.comparison import compare
from pipelines.compare.run_scores import RunScores
from pipelines.errors import WorkbenchError
from pipelines.finetune.bench import Bench
from pipelines.finetune.candidates import Candidate
from pipelines.finetune.gains import gains
from pipelines.finetune.records import Finetuning
from pipelines.finetune.report import metrics_of
from pipelines.finetune.schooling import Schooling
from pipelines.finetune.spec import FinetuneSpec
from pipelines.finetune.splits import leaks_of, splits_of
from pipelines.finetune.trainings import trainings
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.records import Scores
from pipelines.sweeps.batch import On
from pipelines.training.knobs import PairKnobs

WORTHWHILE = 0.01
"""A gain a doubling below which labelling is said not to pay."""


_ONE_DRAW = " Each share was drawn once; with several seeds, less of this would be chance of the draw."


@dataclass(frozen=True)
class Curving:
    """One learning curve as it is done."""

    bench: Bench
    one: Finetuning
    spec: FinetuneSpec
    dataset: Dataset

    def report(self, shares: Sequence[float], seeds: int) -> dict[str, Any]:
        """Train and evaluate every point, and return the report.

        Raises:
            WorkbenchError: when nothing could be trained; the first reason is told.
        """
        whole, on = self.spec.candidates[0], On(self.dataset, self.spec.split)
        grid = {(share, seed): _with(whole, share, seed) for share in shares for seed in range(seeds)}
        work = trainings(list(grid.values()), self.dataset, on.questions())
        school = Schooling(self.bench, self.one, work)
        told = school.train()
        sound = [one["key"] for one in told if one["error"] is None]
        if not sound:
            raise WorkbenchError(told[0]["error"])
        before = self.bench.evaluated(whole.baseline, on, f"{self.one.name}: before")
        points = []
        for share in shares:
            mine = [grid[share, seed] for seed in range(seeds)]
            own = [one for one in told if set(one["labels"]) & {candidate.label for candidate in mine}]
            points.append(self._point(share, mine, own, on, before))
        metric = metrics_of(self.bench.scores(before))[0]
        doubling = self._doubling(points, metric)
        verdict, sentence = worth(doubling, metric)
        sentence += _ONE_DRAW if seeds == 1 and doubling is not None else ""
        return {
            "kind": "learning curve",
            "dataset": {"name": self.dataset.name, "version": self.dataset.version},
            "split": self.spec.split,
            "metric": metric,
            "label": whole.label,
            "baseline": before,
            "splits": asdict(splits_of(self.dataset, self.spec.split)),
            "leaks": [asdict(leak) for leak in leaks_of(self.dataset)],
            "trainings": told,
            "points": points,
            "doubling": doubling,
            "verdict": verdict,
            "sentence": sentence,
        }

    def _point(
        self, share: float, mine: Sequence[Candidate], told: Sequence[Mapping[str, Any]], on: On, before: str
    ) -> dict[str, Any]:
        error = next((one["error"] for one in told if one["error"] is not None), None)
        known = [one["n_pairs"] for one in told if one["error"] is None]
        point = {"share": share, "seeds": len(mine), "n_pairs": sum(known) / len(known) if known else None}
        if error is not None:
            return {**point, "runs": [], "gains": [], "error": error}
        runs = [
            self.bench.evaluated(one.pipeline, on, f"{self.one.name}: {share:.0%} of the train questions, seed {seed}")
            for seed, one in enumerate(mine)
        ]
        scores = self.bench.scores(before)
        after = averaged([self.bench.scores(run_id) for run_id in runs])
        made = gains("all", scores, {"after": after}, metrics_of(scores), 0)["after"]
        return {**point, "runs": runs, "gains": [one.to_dict() for one in made], "error": None}

    def _doubling(self, points: Sequence[Mapping[str, Any]], metric: str) -> dict[str, Any] | None:
        sound = [point for point in points if point["error"] is None]
        half = nearest_half([point["share"] for point in sound])
        if half is None:
            return None
        first, last = (next(p for p in sound if p["share"] == share) for share in (half, sound[-1]["share"]))
        both = [averaged([self.bench.scores(run_id) for run_id in point["runs"]]) for point in (first, last)]
        if both[0].run_id == both[1].run_id:
            return None
        row = compare(both[0], [both[1]], [metric]).rows[0]
        held = {name: getattr(row, name) for name in ("difference", "low", "high", "p", "n")}
        return {"from_pairs": first["n_pairs"], "to_pairs": last["n_pairs"], **held}


def _with(one: Candidate, share: float, seed: int) -> Candidate:
    """Return the candidate that learns from a share of the train questions, drawn by a seed."""
    own = {"share": share, "seed": seed}
    components = {
        stage: component.model_copy(update=own) if isinstance(component, PairKnobs) else component
        for stage, component in one.pipeline.components.items()
    }
    return Candidate(f"{share:.0%}, seed {seed}", Pipeline(components), one.baseline)


def averaged(runs: Sequence[RunScores]) -> RunScores:
    """Return one run whose values are the means of these, question by question, of those that all have scored."""
    first = runs[0]
    tables = [run.table(first.question_ids, [metric.name for metric in first.scores.metrics]) for run in runs]
    scores = Scores(first.scores.metrics, np.mean(tables, axis=0), first.scores.reason, first.scores.reasons)
    return replace(first, run_id=" ".join(run.run_id for run in runs), scores=scores, fates=None)


def nearest_half(shares: Sequence[float]) -> float | None:
    """Return the share that is nearest to half of the greatest, None where none is at most three quarters of it."""
    halves = [share for share in shares if share <= 0.75 * shares[-1]] if shares else []
    return min(halves, key=lambda share: abs(share - shares[-1] / 2), default=None)


def worth(doubling: Mapping[str, Any] | None, metric: str) -> tuple[str, str]:
    """Return "likely to pay", "not likely to pay" or "cannot tell", and a sentence that says why."""
    if doubling is None or doubling["low"] is None:
        why = "it takes two shares of which one is about half of the other, and at least two questions"
        return "cannot tell", f"Whether more labels would pay cannot be told: {why}."
    from_pairs, to_pairs = doubling["from_pairs"], doubling["to_pairs"]
    told = f"from {from_pairs:,.0f} to {to_pairs:,.0f} pairs {metric} changed by {doubling['difference']:+.3f} (95 % "
    told += f"interval {doubling['low']:+.3f} to {doubling['high']:+.3f}, {doubling['n']} questions)"
    if doubling["low"] > 0:
        return "likely to pay", f"More labels are likely to pay: {told}; expect less of each further doubling."
    if doubling["high"] < WORTHWHILE:
        return "not likely to pay", f"More labels of this kind are not likely to pay: {told}."
    return "cannot tell", (
        f"Whether more labels would pay cannot be told: {told}; neither nothing nor a gain worth having is excluded. "
        "More test questions, or more seeds, would tell."
    )
