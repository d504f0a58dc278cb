"""How a worker does a sweep: it leads, batch after batch, to the report; or it helps another one with its batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.errors import WorkbenchError, counted
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.runs.database import Database
from pipelines.runs.doing import opened_as_submitted
from pipelines.runs.heart import Heart
from pipelines.runs.jobs import Job, Jobs
from pipelines.sweeps.conduct import Conductor, Place
from pipelines.sweeps.reporting import Reporting
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.strategies import Proposal, strategy
from pipelines.sweeps.submit import SWEEP, sweep_of
from pipelines.sweeps.telling import told_of, write_study
from pipelines.sweeps.trials import Sweep, SweepStore, Trial

__all__ = ["SWEEP", "do_sweep", "help_sweep"]

_NEXT_BATCH_S = 2.0
_LOOK_S = 0.05


def do_sweep(job: Job, heart: Heart, database: Database, worker: str) -> str:
    """Lead a sweep to its end, from wherever it stands, and return its id."""
    place = Place(database, worker, heart)
    lead = Lead.of(job, place)
    lead.say(f"begins: {job.title}")
    while trials := lead.next_batch():
        lead.conductor.carry_out(trials)
        lead.told_of_batch(trials)
    lead.say("chooses, and evaluates the choice on the reported questions")
    heart.tell(stage="report")
    done = lead.conductor.executions
    executions = {"distinct": done.distinct, "computed": done.computed}
    lead.store.set_report(lead.sweep.id, {**lead.reporting().report(), "executions": executions})
    lead.say("ends")
    return lead.sweep.id


def help_sweep(job: Job, heart: Heart, database: Database, worker: str) -> bool:
    """Help with the batch that is open and those that follow at once; return whether there was any.

    Raises:
        Cancelled: when the job has ended, or was asked to stop.
    """
    place = Place(database, worker, heart, helps=True)
    lead: Lead | None = None
    until = time.monotonic()
    while True:
        waiting = place.sweeps().open_batch(job.id)
        if waiting:
            # What was opened for one batch, and is in memory, serves the next.
            lead = Lead.of(job, place) if lead is None else lead
            lead.conductor.carry_out(waiting)
            until = time.monotonic() + _NEXT_BATCH_S
        elif time.monotonic() >= until:
            return lead is not None
        else:
            heart.look_up()
            time.sleep(_LOOK_S)


@dataclass(frozen=True)
class Lead:
    """One worker's view of a sweep."""

    job: Job
    sweep: Sweep
    spec: SweepSpec
    dataset: Dataset
    place: Place
    conductor: Conductor

    @classmethod
    def of(cls, job: Job, place: Place) -> Lead:
        """Open everything.

        Raises:
            WorkbenchError: when the dataset is gone or was changed since the sweep was asked for.
        """
        dataset = opened_as_submitted(job.payload["dataset"], job.payload["version"])
        spec = SweepSpec.parse(job.payload["sweep"], "the submitted sweep")
        sweep = sweep_of(place.database, job, spec, dataset)
        return cls(job, sweep, spec, dataset, place, Conductor(sweep, spec, dataset, place))

    @property
    def store(self) -> SweepStore:
        """The store of sweeps."""
        return self.place.sweeps()

    def next_batch(self) -> list[Trial]:
        """Return the trials of the batch that is open; when all are told, the next one, proposed now and kept."""
        trials = self.store.trials(self.sweep.id)
        waiting = [trial for trial in trials if trial.state == "waiting"]
        if waiting:
            return [trial for trial in waiting if trial.batch == waiting[0].batch]
        proposals = strategy(self.spec).propose(told_of(trials, self.spec, self.place.runs()))
        if proposals:
            batch = 1 + max((trial.batch for trial in trials), default=-1)
            self.store.add_trials(self.sweep.id, [_trial(one, batch) for one in proposals])
            self.say(f"batch {batch + 1}: {counted(len(proposals), 'configuration')}")
            return self.next_batch()
        return []

    def told_of_batch(self, trials: Sequence[Trial]) -> None:
        """Enter in the log how a batch ended."""
        numbers = {trial.number for trial in trials}
        after = [trial for trial in self.store.trials(self.sweep.id) if trial.number in numbers]
        states = {state: sum(t.state == state for t in after) for state in ("finished", "dropped", "failed")}
        self.say(", ".join(f"{n} {state}" for state, n in states.items() if n))
        write_study(self.sweep, self.store.trials(self.sweep.id), self.spec, self.place.runs())

    def reporting(self) -> Reporting:
        """Return what makes the report."""
        return Reporting(self.sweep, self.spec, self.dataset, self.place, self.conductor)

    def say(self, text: str) -> None:
        """Add a line to the job's log."""
        Jobs(self.place.database).log(self.job.id, text)


def _trial(proposal: Proposal, batch: int) -> Trial:
    choice = proposal.choice
    try:
        label = Pipeline.parse(choice.settings, "configuration").label()
    except WorkbenchError:  # refused: its row says why
        label = ", ".join(f"{name} {value}" for name, value in choice.params.items())
    state, reason = ("failed", proposal.refused) if proposal.refused else ("waiting", None)
    return Trial(
        number=proposal.number,
        batch=batch,
        label=label,
        settings=choice.settings,
        params=choice.params,
        drawn=choice.drawn,
        state=state,  # type: ignore[arg-type]
        reason=reason,
    )
