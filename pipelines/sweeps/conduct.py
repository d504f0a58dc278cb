"""One worker's part in a batch of a sweep: race if asked, evaluate what is left, and record what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.cache import Cache
from pipelines.execution import Execution, Unclaimed
from pipelines.golden.dataset import Dataset
from pipelines.runs.claims import StoredClaims
from pipelines.runs.curves import Curves
from pipelines.runs.database import Database
from pipelines.runs.heart import Heart
from pipelines.runs.spawn import slots_given
from pipelines.runs.store import RunStore
from pipelines.settings import cache_folder, runs_folder
from pipelines.sweeps.accounts import Executions
from pipelines.sweeps.batch import Asked, Batch, Kept, On, parsed
from pipelines.sweeps.engine import Engine
from pipelines.sweeps.heats import raced
from pipelines.sweeps.rates import Rates
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.standing import Standing
from pipelines.sweeps.trials import Sweep, SweepStore, Trial


@dataclass(frozen=True)
class Place:
    """Where a worker works: its stores, its heart, and whether another one leads."""

    database: Database
    worker: str
    heart: Heart
    helps: bool = False

    def runs(self) -> RunStore:
        """Return the run store."""
        return RunStore(self.database, runs_folder())

    def sweeps(self) -> SweepStore:
        """Return the store of sweeps."""
        return SweepStore(self.database)


class Conductor:
    """Carries out the batches of one sweep in this process."""

    def __init__(self, sweep: Sweep, spec: SweepSpec, dataset: Dataset, place: Place) -> None:
        self._sweep, self._spec, self._place = sweep, spec, place
        self._on = On(dataset, None if sweep.split == "all" else sweep.split, spec.search.seed)
        self._rates = Rates(place.database)
        self.executions = Executions()
        self._standing = Standing(place.heart, self._rates, helps=place.helps)
        shared = max(sweep.workers, slots_given()) > 1  # alone in its home, a worker has nobody to agree with
        claims = StoredClaims(place.database, place.worker) if shared else Unclaimed()
        self._run = Execution(Cache(cache_folder()), place.heart.watch, claims=claims, on_computed=self._kept)
        self._run.on_worked = self._rates.enter
        self._curves = Curves(place.database)
        self._run.on_learnt = self._curves.enter
        alone = sweep.workers < 2
        told = self._standing.did
        self._engine = Engine(self._run, backwards=place.helps, cut_first=not alone, told=told)

    def _kept(self, *_: object) -> None:
        self._place.heart.advanced()

    def carry_out(self, trials: Sequence[Trial]) -> None:
        """Evaluate the trials of one batch that are still waiting, together with whoever else does the same.

        Raises:
            StorageError: when the disk or the store refuses.
            Cancelled: when it was asked to stop.
        """
        waiting = [trial for trial in trials if trial.state == "waiting"]
        asked = self._parsed(waiting)
        if self._spec.search.race is not None:
            asked = raced(asked, self._on, self._spec, self._run, self._engine, self._drop, trials[0].batch)
        proposed = min((trial.created for trial in waiting), default=0.0)
        batch = Batch(asked, self._on, self._run, self._recorder(len(self._on.questions())), proposed)
        self._standing.begin(batch, self._place.sweeps().trials(self._sweep.id))
        batch.carry_out(self._engine, self._place.heart.look_up)
        self.executions = self.executions.and_(batch.executions())
        self._rates.flush()
        self._curves.flush()

    def evaluate_on(self, trials: Sequence[Trial], split: str) -> dict[int, str]:
        """Evaluate trials on the questions of another split; return their runs' ids by number."""
        found: dict[int, str] = {}
        kept = Kept(self._place.runs(), found.update, lambda number, reason: None)
        asked = [one for one in (self._asked(trial, f" on {split}") for trial in trials) if isinstance(one, Asked)]
        on = On(self._on.dataset, split, self._on.seed)
        Batch(asked, on, self._run, kept, self._sweep.created).carry_out(self._engine, self._place.heart.look_up)
        return found

    def _parsed(self, trials: Sequence[Trial]) -> list[Asked]:
        found = [(trial, self._asked(trial)) for trial in trials]
        for trial, one in found:
            if isinstance(one, str):
                self._place.sweeps().end(self._sweep.id, trial.number, "failed", one)
        return [one for _, one in found if isinstance(one, Asked)]

    def _asked(self, trial: Trial, on: str = "") -> Asked | str:
        return parsed(trial.number, trial.settings, f"{self._sweep.name} #{trial.number}{on}")

    def _recorder(self, n_questions: int) -> Kept:
        sweeps, sweep_id = self._place.sweeps(), self._sweep.id

        def failed(number: int, reason: str) -> None:
            sweeps.end(sweep_id, number, "failed", reason)

        def finished(found: Mapping[int, str]) -> None:
            sweeps.finish(sweep_id, found, n_questions)
            self._standing.finished(len(found))

        return Kept(self._place.runs(), finished, failed)

    def _drop(self, number: int, reason: str, n_questions: int) -> None:
        self._place.sweeps().end(self._sweep.id, number, "dropped", reason, n_questions)
