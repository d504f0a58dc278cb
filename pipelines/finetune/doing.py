"""How a worker does a finetuning: it trains, evaluates before and after, and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.errors import Cancelled, StorageError, WorkbenchError, counted
from pipelines.finetune.bench import Bench
from pipelines.finetune.candidates import Candidate
from pipelines.finetune.curve import Curving
from pipelines.finetune.outside import asked_in_both, taught_by
from pipelines.finetune.records import Finetuning
from pipelines.finetune.report import HEADLINE, Gained, Outcome, chosen_of
from pipelines.finetune.schooling import Schooling
from pipelines.finetune.spec import FinetuneSpec
from pipelines.finetune.splits import leaks_of, splits_of
from pipelines.finetune.store import FinetuneStore
from pipelines.finetune.submit import FINETUNE, finetuning_of
from pipelines.finetune.trainings import Training, trainings
from pipelines.golden.dataset import Dataset
from pipelines.runs.database import Database
from pipelines.runs.doing import opened_as_submitted
from pipelines.runs.heart import Heart
from pipelines.runs.jobs import Job
from pipelines.sweeps.batch import On

__all__ = ["FINETUNE", "do_finetune"]


def do_finetune(job: Job, heart: Heart, database: Database, worker: str) -> str:
    """Do a finetuning, or a learning curve, and return its id; what was done before a crash is looked up."""
    bench = Bench(database, worker, heart, job.id)
    dataset = opened_as_submitted(job.payload["dataset"], job.payload["version"])
    spec = FinetuneSpec.parse(job.payload["spec"], "the submitted finetuning")
    one = finetuning_of(database, job, spec, dataset)
    bench.say(f"begins: {job.title}")
    if job.payload["curve"]:
        report = Curving(bench, one, spec, dataset).report(**job.payload["curve"])
    else:
        other = job.payload["outside"]
        outside = None if other is None else opened_as_submitted(other["path"], other["version"])
        report = Finetune(bench, one, spec, dataset, outside).report()
    FinetuneStore(database).set_report(one.id, report)
    bench.say("ends")
    return one.id


@dataclass(frozen=True)
class Finetune:
    """One finetuning as it is done."""

    bench: Bench
    one: Finetuning
    spec: FinetuneSpec
    dataset: Dataset
    outside: Dataset | None

    def report(self) -> dict[str, Any]:
        """Do it all, and return the report.

        Raises:
            WorkbenchError: when no candidate could be trained; the first one's reason is told.
        """
        questions = self.dataset.select(self.spec.split)
        work = trainings(self.spec.candidates, self.dataset, questions)
        school = Schooling(self.bench, self.one, work)
        told = school.train()
        outcomes = [self._outcome(one, work, school.failed) for one in self.spec.candidates]
        refused = [one.error for one in outcomes if one.error is not None]
        if len(refused) == len(outcomes):
            raise WorkbenchError(refused[0] or "")
        self.bench.heart.tell(stage="report", done=0, total=0)
        resolved = self.dataset.resolved(self.spec.split, self.spec.candidates[0].pipeline.load)
        made = Gained(self.bench, resolved, self.spec.split).candidates(outcomes)
        return self._whole(told, made)

    def _outcome(self, one: Candidate, work: Sequence[Training], failed: Mapping[str, str]) -> Outcome:
        own = [training for training in work if one.label in training.labels]
        keys = tuple(training.key for training in own)
        error = next((failed[key] for key in keys if key in failed), None)
        if error is not None:
            return Outcome(one, keys, error=error)
        try:
            runs = self._runs(one)
        except (Cancelled, StorageError):
            raise
        except WorkbenchError as refused:
            return Outcome(one, keys, error=str(refused))
        run = self.bench.execution()
        documents = frozenset().union(*(run.get(training.pairs).documents for training in own))
        return Outcome(one, keys, runs, documents)

    def _runs(self, one: Candidate) -> dict[str, tuple[str, str]]:
        found = {"reported": self._pair(one, On(self.dataset, self.spec.split), f"on {self.spec.split}")}
        if self.spec.split != "dev" and any(q.split == "dev" and q.answerable for q in self.dataset.questions):
            found["dev"] = self._pair(one, On(self.dataset, "dev"), "on dev")
        if self.outside is not None:
            there = Candidate(one.label, taught_by(one.pipeline, self.dataset), one.baseline)
            found["outside"] = self._pair(there, On(self.outside, None), f"on {self.outside.name}")
        return found

    def _pair(self, one: Candidate, on: On, where: str) -> tuple[str, str]:
        self.bench.say(f"evaluates {one.label} {where}, before and after")
        before = self.bench.evaluated(one.baseline, on, f"{self.one.name}: before, {where}")
        return before, self.bench.evaluated(one.pipeline, on, f"{self.one.name}: {one.label}, {where}")

    def _whole(self, told: Sequence[Mapping[str, Any]], made: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        chosen, chosen_by = chosen_of(made)
        splits, leaks = splits_of(self.dataset, self.spec.split), leaks_of(self.dataset)
        return {
            "kind": "gains",
            "dataset": {"name": self.dataset.name, "version": self.dataset.version},
            "split": self.spec.split,
            "headline": HEADLINE,
            "splits": asdict(splits),
            "leaks": [asdict(leak) for leak in leaks],
            "outside": self._outside(),
            "trainings": list(told),
            "candidates": list(made),
            "chosen": chosen,
            "chosen_by": chosen_by,
            "sentence": _sentence(made, chosen, chosen_by),
            "notes": self._notes(),
        }

    def _outside(self) -> dict[str, Any] | None:
        if self.outside is None:
            return None
        n = sum(question.answerable for question in self.outside.questions)
        return {"name": self.outside.name, "version": self.outside.version, "n_questions": n}

    def _notes(self) -> list[str]:
        notes = []
        if self.spec.split == "dev":
            notes.append("Dev is reported, by which training is stopped: the gain is optimistic; believe test only.")
        repeated = asked_in_both(self.dataset, self.outside) if self.outside is not None else ()
        if repeated:
            notes.append(
                f"{counted(len(repeated), 'question')} of the dataset outside nearly repeat a train question "
                f"({', '.join(repeated[:5])}): what is shown there is not only what was forgotten."
            )
        return notes


def _sentence(made: Sequence[Mapping[str, Any]], chosen: str | None, chosen_by: str) -> str:
    """Say what came of it in words: of the chosen candidate, on all questions, unseen documents, and outside."""
    one = next((one for one in made if one["label"] == chosen), None)
    if one is None:
        return f"Several were trained, and none is chosen, by {chosen_by}; the table shows each."
    parts: list[str] = []
    for where in ("all", "unseen", "outside"):
        gain = one["gains"][where][0]
        if where == "unseen" and gain["n"] == one["gains"]["all"][0]["n"]:
            parts.append("All of these questions are on unseen documents.")
        elif gain["n"] or where != "outside":
            parts.append(gain["sentence"])
    first = "" if len(made) == 1 else f"'{chosen}' is chosen, by {chosen_by}. "
    return first + " ".join(parts)
