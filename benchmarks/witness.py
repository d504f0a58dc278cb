"""What can be seen of a sweep from outside its processes: its workers, its table, its artefacts, its audit."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from pipelines import api
from pipelines.cache import Cache, _check
from pipelines.runs.record import Details

_TIMED = ("latency_ms_p50", "latency_ms_p95")
_NO_ARTEFACTS = ("incoming", "quarantine", "rows", "answers")


@contextmanager
def home(folder: Path, **more: str) -> Iterator[Path]:
    """Work in a home folder of its own, here and in the processes that are started meanwhile."""
    named = {"RAG_WORKBENCH_HOME": str(folder), **more}
    before = {name: os.environ.get(name) for name in named}
    os.environ.update(named)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def workers(folder: Path) -> list[psutil.Process]:
    """Return the living worker processes of a home folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if "pipelines.worker" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found += [process] if process.environ().get("RAG_WORKBENCH_HOME") == str(folder) else []
        except psutil.Error:
            continue
    return found


def end_workers(folder: Path) -> None:
    """End the workers of a home folder, and no others."""
    ended = workers(folder)
    for process in ended:
        process.kill()
    psutil.wait_procs(ended, timeout=10)


@dataclass(frozen=True)
class Row:
    """One configuration as the table of a sweep has it; `bits` are its numbers and rankings, those apart that time."""

    number: int
    label: str
    state: str
    reason: str | None
    bits: tuple[Any, ...]

    def difference(self, other: Row) -> str:
        """Say what another row has in place of what this one has."""
        names = ("label", "state", "reason")
        found = [
            f"{n}: {getattr(self, n)!r}, {getattr(other, n)!r}" for n in names if getattr(self, n) != getattr(other, n)
        ]
        for mine, its in zip(self.bits, other.bits, strict=False):
            found += [f"{str(mine)[:80]}, {str(its)[:80]}"] if mine != its else []
        return f"row {self.number} ({self.label}) differs: {'; '.join(found)}"


def table(job_id: str) -> list[Row]:
    """Return the rows of the sweep that a job did in this home folder, in the order of their numbers."""
    view = api.sweep_of_job(job_id)
    assert view is not None
    return [Row(t.number, t.label, t.state, t.reason, bits(t.run_id) if t.run_id else ()) for t in view.trials]


def bits(run_id: str) -> tuple[Any, ...]:
    """Return all of a run that the same work must give again, to the bit: metrics but latency, and its details."""
    run = api.run(run_id)
    metrics = tuple((m.metric, m.mean, m.low, m.high, m.n, m.unscored) for m in run.metrics if _repeats(m.metric.name))
    return (run.split, run.n_questions, run.n_chunks, run.seed, run.notes, metrics, details_bits(api.details(run_id)))


def _repeats(metric: str) -> bool:
    return metric not in _TIMED


def details_bits(details: Details) -> tuple[Any, ...]:
    """Return the per-question part as bytes."""
    scores, ranked, spans = details.scores, details.rankings, details.spans
    arrays = (scores.values, ranked.chunk, ranked.score, spans.start, spans.end)
    # Reasons and documents are numbered anew when they are kept: it is the names that count.
    reasons = [[scores.reasons[i] for i in row] for row in scores.reason.tolist()]
    names = [[spans.ids[d] if d >= 0 else None for d in row] for row in spans.document.tolist()]
    return (details.question_ids, scores.metrics, str(reasons), str(names), *(a.tobytes() for a in arrays))


def run_ids() -> set[str]:
    """Return the ids of all runs of this home folder."""
    return {str(row["id"]) for row in api.store().table(["recall@5"])}


def integrity(folder: Path) -> str:
    """Return what SQLite says of the run store: "ok"."""
    with closing(sqlite3.connect(folder / "runs.db", timeout=30)) as connection:
        return str(connection.execute("pragma integrity_check").fetchone()[0])


def unsound(folder: Path) -> list[str]:
    """Return the artefacts that are not whole: without a readable manifest, or whose bytes are not what it says."""
    cache, found = Cache(folder / "cache"), []
    for place in sorted((folder / "cache").glob("*/*")):
        stage, key = place.parent.name, place.name
        if stage in _NO_ARTEFACTS:
            found += [f"quarantined: {key}"] if stage == "quarantine" else []
            continue
        entry = cache.entry(stage, key)
        try:
            assert entry is not None, "no manifest"
            _check(place, entry)
        except (AssertionError, OSError, ValueError) as error:
            found.append(f"{stage}/{key}: {error}")
    return found


@dataclass(frozen=True)
class Event:
    """A line of the audit."""

    at: float
    pid: int
    what: str
    stage: str
    key: str


def audited(file: Path) -> list[Event]:
    """Return the lines of an audit, in the order in which they were written."""
    if not file.exists():
        return []
    rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines()]
    return [Event(float(at), int(pid), what, stage, key) for at, pid, what, stage, key in rows]


def repeated(events: Sequence[Event], killed: Mapping[int, float]) -> list[str]:
    """Return what was done twice without need: begun again although it was kept, or although who began it lived.

    `killed` holds when each process that was killed died. What was in flight then must be done again.
    """
    found, last = [], dict[str, Event]()
    for event in events:
        if event.what not in ("begun", "kept"):
            continue
        before = last.get(event.key)
        if event.what == "begun" and before is not None and not (before.what == "begun" and before.pid in killed):
            found.append(f"{event.stage} {event.key[:12]} was {before.what} by {before.pid}, begun by {event.pid}")
        last[event.key] = event
    return found


def computed(events: Sequence[Event]) -> Counter[str]:
    """Return how many times each output was computed and kept."""
    return Counter(event.key for event in events if event.what == "kept")


def evaluated(events: Sequence[Event]) -> Counter[str]:
    """Return how many times each evaluation, by its identity, was measured and its row written."""
    return Counter(event.key for event in events if event.what == "measured")


def shares(events: Sequence[Event], what: str) -> list[int]:
    """Return how many outputs ("kept") or evaluations ("measured") each process did, the most first."""
    return sorted(Counter(event.pid for event in events if event.what == what).values(), reverse=True)
