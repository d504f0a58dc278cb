"""What came of a finetuning, as plain JSON.

`{"kind": "gains", "dataset", "split", "headline", "metrics", "splits", "leaks", "outside", "trainings", "candidates",
"chosen", "chosen_by", "sentence", "notes"}`. `splits` and `leaks` are as in an estimate. A training is
`{"key", "label", "labels", "part", "method", "model", "n_pairs", "n_negatives", "n_documents", "sources", "left_out",
"seconds", "was_there", "peak_memory_bytes", "steps", "best_step", "best_dev", "metric", "notes", "folder"}`. A
candidate is `{"label", "baseline", "settings", "trainings", "runs", "gains", "optimism", "rose", "fell", "verdict",
"sentence", "error"}`: `runs` are pairs of ids, before and after, by "reported", "dev" and "outside"; `gains` are lists
of `Gain`, one a metric, by "all", "seen", "unseen", "outside" and "dev"; `rose` and `fell` are lists of `Moved`;
`error` says why it could not be trained, then the rest is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.compare.run_scores import RunScores
from pipelines.finetune.bench import Bench
from pipelines.finetune.candidates import Candidate, chosen_settings
from pipelines.finetune.gains import HEADLINE, METRICS, Gain, among, gains, no_gain, optimism
from pipelines.finetune.moved import moved
from pipelines.finetune.records import Where
from pipelines.finetune.splits import evidence_documents
from pipelines.records import Question

Runs = Mapping[str, tuple[str, str]]
_RUNS: Mapping[Where, str] = {
    "all": "reported",
    "seen": "reported",
    "unseen": "reported",
    "outside": "outside",
    "dev": "dev",
}


@dataclass(frozen=True)
class Outcome:
    """A candidate with its runs, before and after, and the documents that it learnt from; or why there are none."""

    candidate: Candidate
    trainings: tuple[str, ...]
    runs: Runs = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    error: str | None = None


@dataclass(frozen=True)
class Gained:
    """Makes the part of a report that speaks of the candidates; `questions` are those of the reported split."""

    bench: Bench
    questions: Sequence[Question]
    split: str
    seed: int = 0

    def candidates(self, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
        """Return one mapping a candidate."""
        sound = [one for one in outcomes if one.error is None]
        whole = self._together(sound)
        return [self._told(one, whole) if one.error is None else _failed(one) for one in outcomes]

    def _together(self, sound: Sequence[Outcome]) -> dict[tuple[Where, str], list[Gain]]:
        """Return the gains of each: those over the same run on the same questions are corrected for together."""
        found: dict[tuple[Where, str], list[Gain]] = {}
        for where, runs in _RUNS.items():
            held: dict[tuple[str, frozenset[str] | None], dict[str, RunScores]] = {}
            for one in sound:
                if runs in one.runs:
                    before, after = one.runs[runs]
                    held.setdefault((before, self._asked(where, one)), {})[one.candidate.label] = self.bench.scores(
                        after
                    )
            for (run_id, asked), after_by_label in held.items():
                scores = self.bench.scores(run_id)
                own = scores if asked is None else among(scores, asked)
                for label, rows in gains(where, own, after_by_label, metrics_of(scores), self.seed).items():
                    found[where, label] = rows
        return found

    def _asked(self, where: Where, one: Outcome) -> frozenset[str] | None:
        """Return the questions that a gain is on; None for all of the run."""
        if where not in ("seen", "unseen"):
            return None
        seen = frozenset(q.id for q in self.questions if evidence_documents(q) & one.documents)
        return seen if where == "seen" else frozenset(q.id for q in self.questions if q.answerable) - seen

    def _told(self, one: Outcome, whole: Mapping[tuple[Where, str], list[Gain]]) -> dict[str, Any]:
        label, (first, last) = one.candidate.label, one.runs["reported"]
        before, after = self.bench.scores(first), self.bench.scores(last)
        metrics = metrics_of(before)
        every = {where: whole.get((where, label)) or _none(where, metrics) for where in _RUNS}
        rose, fell = moved(self.bench.details(first), self.bench.details(last), self.questions)
        return {
            **_named(one),
            "gains": {where: [gain.to_dict() for gain in rows] for where, rows in every.items()},
            "optimism": self._optimism(one, before, after),
            "rose": [question.to_dict() for question in rose],
            "fell": [question.to_dict() for question in fell],
            "verdict": every["all"][0].verdict,
            "sentence": every["all"][0].sentence,
        }

    def _optimism(self, one: Outcome, before: RunScores, after: RunScores) -> dict[str, Any] | None:
        if "dev" not in one.runs:
            return None
        on_dev = tuple(self.bench.scores(run_id) for run_id in one.runs["dev"])
        found = optimism(metrics_of(before)[0], (on_dev[0], on_dev[1]), (before, after), self.seed)
        return None if found is None else {**asdict(found), "sentence": found.sentence(self.split)}


def _none(where: Where, metrics: Sequence[str]) -> list[Gain]:
    why = {"outside": "no dataset outside was named", "dev": "dev is reported itself, or has no question with evidence"}
    return [no_gain(where, metric, why[where]) for metric in metrics]


def _named(one: Outcome) -> dict[str, Any]:
    return {
        "label": one.candidate.label,
        "baseline": one.candidate.baseline.label(),
        "settings": chosen_settings(one.candidate.pipeline),
        "trainings": list(one.trainings),
        "runs": {name: list(ids) for name, ids in one.runs.items()},
        "error": one.error,
    }


def _failed(one: Outcome) -> dict[str, Any]:
    nothing: dict[str, Any] = {"gains": {}, "optimism": None, "rose": [], "fell": [], "verdict": None}
    return {**_named(one), **nothing, "sentence": f"Not trained: {one.error}"}


def metrics_of(scores: RunScores) -> tuple[str, ...]:
    """Return the metrics that are told: the usual ones, else the first of those that were measured."""
    measured = [metric.name for metric in scores.scores.metrics]
    return tuple(name for name in METRICS if name in measured) or tuple(measured[:1])


def chosen_of(candidates: Sequence[Mapping[str, Any]]) -> tuple[str | None, str]:
    """Return the label of the candidate that is best on dev, and by what it is; None where nothing decides."""
    sound = [one for one in candidates if one["error"] is None]
    if len(sound) == 1:
        return sound[0]["label"], "it is the only one"
    on_dev = [(one["gains"]["dev"][0], one["label"]) for one in sound]
    known = [(gain, label) for gain, label in on_dev if gain["after"] is not None]
    if not known:
        return None, "nothing: there is no dev question to choose by"
    gain, label = max(known, key=lambda one: one[0]["after"])
    return label, f"{gain['metric']} on dev, {gain['after']:.3f}"


__all__ = ["HEADLINE", "Gained", "Outcome", "chosen_of", "metrics_of"]
