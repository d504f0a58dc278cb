"""A sweep that is disturbed: its workers and who asked for it are killed, and what is left is looked at each time."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks import witness
from pipelines import api
from pipelines.runs.jobs import MOST_ATTEMPTS, is_dead
from pipelines.settings import REPOSITORY

_DEAD_LONG_S = 300.0


@dataclass
class Crashes:
    """One sweep that is disturbed: by whom it was asked for, who was killed when, and what was amiss after it."""

    home: Path
    dataset: Path
    settings: Mapping[str, Any]
    seed: int
    n_expected: int
    killed: dict[int, float] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    n_given_up: int = 0
    faults: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    submitter: subprocess.Popen[bytes] | None = None
    job_id: str = ""

    def __post_init__(self) -> None:
        """Draw from the seed alone."""
        self._draw = random.Random(self.seed)  # noqa: S311

    @property
    def audit(self) -> Path:
        """The file in which the workers tell what they began and kept."""
        return self.home / "audit.txt"

    def suffer(self, n: int) -> None:
        """Start the sweep, kill `n` times, then let it end."""
        self._submit()
        for left in range(n, 0, -1):
            phase = self._report() if left == 1 else self._moment(left)
            if phase is None:
                break
            self._kill_some(phase)
            self._look()
        self._finish()

    def _submit(self) -> None:
        command = [sys.executable, "-m", "benchmarks.crashes", "--submit", str(self.dataset)]
        self.submitter = subprocess.Popen(
            [*command, json.dumps(self.settings)], cwd=REPOSITORY, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def _moment(self, left: int) -> str | None:
        """Wait for a moment: of a start, after some time of work, or once some more outputs are finished.

        How many more follows from how many kills are `left`: they are to last for the whole sweep.
        """
        kind, wait = self._draw.random(), self._draw.random()
        if kind < 0.2:
            return self._at(lambda: bool(witness.workers(self.home)), 0.05, 2 * wait)
        if kind < 0.4:
            return self._at(self._works, 0.02, 0.8 * wait)
        if not self._until(self._works, 0.02):
            return None
        now = self._n_finished()
        enough = now + self._draw.randint(0, max(0, self.n_expected - now) // left)
        return self._at(lambda: self._n_finished() >= enough and self._works(), 0.005, 0.05 * wait)

    def _report(self) -> str | None:
        """Wait until every run is written and the sweep's end is near."""
        return self._at(lambda: self._works() and self._stage() == "report", 0.002, 0.02 * self._draw.random())

    def _at(self, holds: Callable[[], bool], poll_s: float, then_s: float) -> str | None:
        if not self._until(holds, poll_s):
            return None
        time.sleep(then_s)
        # A worker that is given up for dead the next time, by design, is let live until it has kept something.
        return self._phase() if self._until(lambda: True, 0.02) else None

    def _kill_some(self, phase: str) -> None:
        who = self._draw.choice(["worker", "worker", "worker", "both", "submitter"])
        self.kills[f"{who} in {phase}"] += 1
        if who != "submitter":
            self._kill_workers()
        if who != "worker" and self.submitter is not None:
            self._kill(psutil.Process(self.submitter.pid))
            self.submitter.wait()
            self._submit()

    def _kill_workers(self) -> None:
        found = witness.workers(self.home)
        for process in found:
            self._kill(process)
        psutil.wait_procs(found, timeout=10)

    def _kill(self, process: psutil.Process) -> None:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return
        self.killed[process.pid] = time.time()

    def _until(self, holds: Callable[[], bool], poll_s: float) -> bool:
        """Wait, also until a worker that would be given up for dead the next time has got on."""
        end = time.monotonic() + _DEAD_LONG_S
        while time.monotonic() < end:
            job = self._job()
            if job is not None and not job.active:
                return False
            may_die = job is None or job.attempts < MOST_ATTEMPTS
            if may_die and holds():
                return True
            self._restart_submitter()
            time.sleep(poll_s)
        self.faults.append(f"nothing went on for {_DEAD_LONG_S:.0f} s")
        return False

    def _restart_submitter(self) -> None:
        """Ask again, as a user would, where whoever asked has given up: workers died one after the other."""
        if self.submitter is not None and self.submitter.poll() not in (None, 0):
            self.n_given_up += 1
            self._submit()

    def _n_finished(self) -> int:
        lines = self.audit.read_bytes().count(b" kept ") if self.audit.exists() else 0
        return lines + self._n_runs()

    def _n_runs(self) -> int:
        folder = self.home / "runs"
        return sum(not path.name.startswith(".") for path in folder.iterdir()) if folder.exists() else 0

    def _works(self) -> bool:
        """Whether a living worker has claimed the job."""
        job = self._job()
        return job is not None and job.state == "running" and job.worker is not None and not is_dead(job.worker)

    def _stage(self) -> str:
        job = self._job()
        return str(job.progress.get("stage") or "start") if job is not None else "start"

    def _phase(self) -> str:
        """Return what is being computed at this moment, or else what was last; "start" while nobody works."""
        if not self._works():
            return "start"
        alive = {process.pid for process in witness.workers(self.home)}
        open_: dict[str, witness.Event] = {}
        for event in witness.audited(self.audit):
            if event.what == "begun" and event.pid in alive:
                open_[event.key] = event
            elif event.what == "kept":
                open_.pop(event.key, None)
        return [event.stage for event in open_.values()][-1] if open_ else f"{self._stage()}, between outputs"

    def _job(self) -> api.Job | None:
        if not (self.home / "runs.db").exists():
            return None
        try:
            jobs = api.jobs().recent()
        except Exception:  # its tables are being made
            return None
        self.job_id = jobs[0].id if jobs else self.job_id
        return jobs[0] if jobs else None

    def _look(self) -> None:
        """Check what a kill left: a sound database, and every run that was there, with its details."""
        if not (self.home / "runs.db").exists():
            return
        said = witness.integrity(self.home)
        if said != "ok":
            self.faults.append(f"after kill {len(self.killed)} the database says {said}")
        if self._job() is None:
            return
        there = witness.run_ids()
        self.faults += [f"run {run_id} is gone" for run_id in self.seen - there]
        for run_id in there:
            api.details(run_id)
        self.seen |= there

    def _finish(self) -> None:
        self._until(lambda: False, 0.1)
        job = self._job()
        if job is None or job.state != "finished":
            self.faults.append(f"the sweep is {job.state if job else 'gone'}: {job.error if job else ''}")
        if self.submitter is not None:
            self.submitter.wait(timeout=60)
        self._look()
