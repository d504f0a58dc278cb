"""kill -9 of workers and of who asked, at random moments of a sweep: what is left must be the undisturbed sweep.

Usage: python -m benchmarks.crashes [N] [--seed S] [--words]. N kills, 50 unless said otherwise; `--words` leaves the
model out. The moments are spread over the processes' starts and, by what is finished, over all the sweep's work.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks import witness
from pipelines import api
from pipelines.golden.write import write_dataset
from pipelines.records import Document, Evidence, Question
from pipelines.runs.jobs import MOST_ATTEMPTS
from pipelines.settings import REPOSITORY

WORDS: dict[str, Any] = {
    "chunk": [{"use": "fixed", "size": [16, 32, 64]}, {"use": "sentence", "size": [32, 64]}],
    "retrieve": {"use": "bm25", "depth": [5, 10, 20]},
    "filter": ["none", {"use": "where", "where": {"number": {"$gte": 3}}}],
    "search": {"strategy": "grid", "objectives": ["recall@5"]},
}
VECTORS: dict[str, Any] = {
    "chunk": [{"use": "fixed", "size": [32, 64]}, {"use": "sentence", "size": [32, 64]}],
    "embed": {"use": "minilm", "precision": "float32", "backend": "torch", "device": "cpu", "batch_size": 8},
    "retrieve": {"use": ["dense", "bm25", "hybrid"], "depth": [5, 10]},
    "rerank": ["none", "mmr"],
    "search": {"strategy": "grid", "objectives": ["recall@5"]},
}
SPLIT = "dev"
_DEAD_LONG_S = 300.0


def small_set(folder: Path, n_documents: int = 12, n_sentences: int = 30) -> Path:
    """Write a dataset of short ledgers, two questions each, on dev and test."""
    documents, questions = [], []
    for d in range(n_documents):
        values = [(d * n_sentences + j) * 7919 % 10007 for j in range(n_sentences)]
        text = " ".join(f"Entry {n} of the long ledger reads {n * 31}." for n in values)
        documents.append(Document(f"d{d}", text, {"number": d}))
        for split, n in zip(("dev", "test"), values[3:5], strict=True):
            quote = f"Entry {n} of the long ledger reads {n * 31}."
            found = Evidence(f"d{d}", text.index(quote), text.index(quote) + len(quote), quote)
            questions.append(Question(f"q{d}-{split}", f"What does entry {n} read?", split=split, evidence=(found,)))
    return write_dataset(folder, documents, questions, name=folder.name)


@dataclass
class Crashes:
    """One sweep that is disturbed: by whom it was asked for, who was killed when, and what was amiss after it."""

    home: Path
    dataset: Path
    settings: Mapping[str, Any]
    seed: int
    n_expected: int
    killed: dict[int, float] = field(default_factory=dict)
    phases: Counter[str] = field(default_factory=Counter)
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
        moments = sorted(self._draw.random() for _ in range(n))
        self._submit()
        for share in moments:
            if not self._kill_at(share):
                break
            self._look()
        self._finish()

    def _submit(self) -> None:
        command = [sys.executable, "-m", "benchmarks.crashes", "--submit", str(self.dataset)]
        self.submitter = subprocess.Popen(
            [*command, json.dumps(self.settings)], cwd=REPOSITORY, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def _kill_at(self, share: float) -> bool:
        """Wait for a moment, and kill; return False when the sweep has ended before."""
        if self._draw.random() < 0.25:
            phase = self._started()
        else:
            phase = self._reached(share * self.n_expected)
        if phase is None:
            return False
        who = self._draw.choice(["worker", "worker", "both", "submitter"])
        self.phases[f"{who} in {phase}"] += 1
        if who != "submitter":
            self._kill_workers()
        if who != "worker" and self.submitter is not None:
            self._kill(psutil.Process(self.submitter.pid))
            self.submitter.wait()
            self._submit()
        return True

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

    def _started(self) -> str | None:
        """Wait for a living worker, and then up to three seconds more."""
        known = {process.pid for process in witness.workers(self.home)}
        wait = self._draw.random() * (0.5 if known else 3)
        if not self._until(lambda: bool(witness.workers(self.home)), 0.05):
            return None
        time.sleep(wait)
        return self._phase()

    def _reached(self, n: float) -> str | None:
        """Wait until so much is finished, and a random instant more."""
        if not self._until(lambda: self._n_finished() >= n and bool(witness.workers(self.home)), 0.005):
            return None
        time.sleep(self._draw.random() * 0.05)
        return self._phase()

    def _until(self, holds: Any, poll_s: float) -> bool:
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
        if self.submitter is not None and self.submitter.poll() not in (None, 0):
            self.faults.append(f"the submitter ended with {self.submitter.returncode}")
            self._submit()

    def _n_finished(self) -> int:
        lines = self.audit.read_bytes().count(b" kept ") if self.audit.exists() else 0
        return lines + self._n_runs()

    def _n_runs(self) -> int:
        folder = self.home / "runs"
        return sum(not path.name.startswith(".") for path in folder.iterdir()) if folder.exists() else 0

    def _phase(self) -> str:
        job = self._job()
        if job is None or job.state != "running":
            return "start"
        events = witness.audited(self.audit)
        open_ = {event.key: event for event in events if event.what == "begun"}
        for event in events:
            if event.what == "kept":
                open_.pop(event.key, None)
        alive = {process.pid for process in witness.workers(self.home)}
        at = [event.stage for event in open_.values() if event.pid in alive]
        return at[-1] if at else str(job.progress.get("stage") or "start")

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


def undisturbed(home: Path, dataset: Path, settings: Mapping[str, Any]) -> tuple[str, int]:
    """Do the sweep in peace, in this process's care; return its job, and how much it has to finish."""
    audit = home / "audit.txt"
    with witness.home(home, RAG_WORKBENCH_AUDIT=str(audit), RAG_WORKBENCH_IDLE_S="0.5"):
        job = submit(dataset, settings)
        n_runs = len(witness.run_ids())
    return job.id, n_runs + sum(witness.computed(witness.audited(audit)).values())


def submit(dataset: Path, settings: Mapping[str, Any]) -> api.Job:
    """Ask for the sweep as a page or a command does, and watch it to its end: a dead worker is replaced."""
    spec = api.SweepSpec.parse(dict(settings))
    job = api.run_sweep(spec, api.open_dataset(dataset), split=SPLIT, again=False)
    return api.watch(job.id)


def tried(folder: Path, n_kills: int, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Do the sweep twice, in peace and disturbed; return a summary, in which `faults` should be empty."""
    dataset = small_set(folder / "ledgers")
    calm_job, n_expected = undisturbed(folder / "calm", dataset, settings)
    with witness.home(folder / "calm"):
        expected = witness.table(calm_job)
    crashes = Crashes(folder / "crashed", dataset, settings, seed, n_expected)
    started = time.perf_counter()
    with witness.home(crashes.home, RAG_WORKBENCH_AUDIT=str(crashes.audit), RAG_WORKBENCH_IDLE_S="0.5"):
        try:
            crashes.suffer(n_kills)
            found = witness.table(crashes.job_id)
        finally:
            witness.end_workers(crashes.home)
            if crashes.submitter is not None:
                crashes.submitter.kill()
        return _summary(crashes, expected, found, time.perf_counter() - started)


def _summary(crashes: Crashes, expected: list[witness.Row], found: list[witness.Row], seconds: float) -> dict[str, Any]:
    events = witness.audited(crashes.audit)
    twice = {key: n for key, n in witness.computed(events).items() if n > 1}
    begun = [event.key for event in events if event.what == "begun"]
    with_rows = witness.run_ids()
    identities = Counter(api.run(run_id).identity for run_id in with_rows)
    folders = {path.name for path in (crashes.home / "runs").iterdir()}
    faults = list(crashes.faults)
    faults += [a.difference(b) for a, b in zip(expected, found, strict=False) if a != b]
    faults += [f"{len(found)} rows, not {len(expected)}"] if len(found) != len(expected) else []
    faults += witness.unsound(crashes.home)
    faults += witness.repeated(events, crashes.killed)
    faults += [f"{n} runs of one configuration" for identity, n in identities.items() if identity and n > 1]
    incoming = crashes.home / "cache" / "incoming"
    return {
        "kills": sum(crashes.phases.values()),
        "processes_killed": len(crashes.killed),
        "phases": dict(sorted(crashes.phases.items())),
        "configurations": len(expected),
        "outputs": len(witness.computed(events)),
        "outputs_computed_twice": len(twice),
        "begun_again_after_a_kill": len(begun) - len(set(begun)),
        "run_folders_without_a_row": len(folders - with_rows),
        "leftovers_aside": len(list(incoming.iterdir())) if incoming.exists() else 0,
        "seconds": round(seconds, 1),
        "faults": faults,
    }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Read the command line, kill, print the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("kills", nargs="?", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--submit", nargs=2, metavar=("DATASET", "SETTINGS"))
    asked = parser.parse_args(arguments)
    if asked.submit:
        submit(Path(asked.submit[0]), json.loads(asked.submit[1]))
        return {}
    with TemporaryDirectory() as folder:
        figures = tried(Path(folder), asked.kills, WORDS if asked.words else VECTORS, asked.seed)
    print(json.dumps(figures, indent=1))
    return figures


if __name__ == "__main__":
    sys.exit(1 if main().get("faults") else 0)
