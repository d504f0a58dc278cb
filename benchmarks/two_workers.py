"""One sweep by one worker process and by two: the time from claim to finish, and that no work is done twice.

Usage: python -m benchmarks.two_workers [--bundled] [--quick] [--repeats N]. The sweep is many chunkings, searched by
words, so that no single embedding binds it: 3 chunkers x 5 sizes x 3 depths x none, filter = 90 configurations. Each
process imports what it needs, and one opens the sweep and reports on it alone: that weighs less in the longer sweep,
of 15 sizes. Each time is from an empty store, with the processes up and waiting when the sweep is submitted; the best
of several counts, and what the processes computed meanwhile stands beside it, for other work on the machine disturbs
that less.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import witness
from benchmarks.grids import CHUNKERS, DEPTHS, OBJECTIVE, Data, data
from pipelines import api
from pipelines.runs import spawn
from pipelines.runs.lock import free_slots
from pipelines.sweeps.spec import SweepSpec

_SIZES = (96, 128, 192, 256, 384)
_QUICK_SIZES = (96, 128)
_LONG_SIZES = (*range(64, 512, 32), 512)
_REPEATS = 2
_MOST_S = 900.0


@dataclass(frozen=True)
class Done:
    """A sweep that was done by worker processes: seconds from claim to finish, its rows, and who did what.

    `cpu_s` is the processor time of each process during the sweep, in user and system mode, the most first.
    """

    seconds: float
    cpu_s: list[float]
    rows: list[witness.Row]
    events: list[witness.Event]

    @property
    def computed_twice(self) -> int:
        """Return how many outputs were computed more than once."""
        return sum(n > 1 for n in witness.computed(self.events).values())

    @property
    def evaluated_twice(self) -> int:
        """Return how many configurations were evaluated more than once."""
        return sum(n > 1 for n in witness.evaluated(self.events).values())


def spec_of(of: Data, sizes: Sequence[int]) -> SweepSpec:
    """Return the sweep over chunks of so many tokens."""
    return SweepSpec.parse(
        {
            "chunk": [{"use": name, "size": list(sizes)} for name in CHUNKERS],
            "retrieve": {"use": "bm25", "depth": list(DEPTHS)},
            "filter": ["none", {"use": "where", "where": of.field.where}],
            "search": {"strategy": "grid", "objectives": [OBJECTIVE]},
        }
    )


def done_by(n_workers: int, of: Data, spec: SweepSpec, folder: Path) -> Done:
    """Have that many worker processes do the sweep in a home folder that is empty."""
    audit = folder / "audit.txt"
    more = {"RAG_WORKBENCH_AUDIT": str(audit), "RAG_WORKBENCH_IDLE_S": "30"}
    with witness.home(folder, **more) as home:
        try:
            api.jobs()  # makes the tables
            spawn.ensure_worker(n_workers)
            _wait_for(home, n_workers)
            before = _cpu_s(home)
            job = api.run_sweep(spec, of.dataset, workers=n_workers)
            end = time.monotonic() + _MOST_S
            while (job := api.jobs().get(job.id)).active and time.monotonic() < end:
                time.sleep(0.1)
            after = _cpu_s(home)
            assert job.state == "finished" and job.started and job.ended, (job.state, job.error)
            cpu_s = sorted((after[pid] - before[pid] for pid in before.keys() & after.keys()), reverse=True)
            return Done(job.ended - job.started, cpu_s, witness.table(job.id), witness.audited(audit))
        finally:
            witness.end_workers(home)


def _wait_for(home: Path, n_workers: int) -> None:
    end = time.monotonic() + 60
    while free_slots(home, n_workers) and time.monotonic() < end:
        time.sleep(0.5)
    time.sleep(1.0)  # a worker takes its lock shortly before it looks for jobs


def _cpu_s(home: Path) -> dict[int, float]:
    """Return what processor time each worker has taken so far, by process."""
    times = {process.pid: process.cpu_times() for process in witness.workers(home)}
    return {pid: taken.user + taken.system for pid, taken in times.items()}


def main(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Measure, print and return the figures."""
    parser = argparse.ArgumentParser(description="The benchmark of two workers on one sweep.")
    parser.add_argument("--bundled", action="store_true", help="on the bundled dataset, even where the corpora are")
    parser.add_argument("--quick", action="store_true", help="a small grid on the bundled dataset, once")
    parser.add_argument("--repeats", type=int, default=_REPEATS, help="how many times each is measured")
    asked = parser.parse_args(list(arguments))
    with TemporaryDirectory() as folder:
        of = data(Path(folder), asked.bundled or asked.quick)
        if asked.quick:
            figures = measured(of, _QUICK_SIZES, 1, Path(folder))
        else:
            figures = measured(of, _SIZES, asked.repeats, Path(folder) / "short")
            print(json.dumps(figures, indent=1), flush=True)
            figures["longer"] = measured(of, _LONG_SIZES, asked.repeats, Path(folder) / "long")
    print(json.dumps(figures, indent=1), flush=True)
    return figures


def measured(of: Data, sizes: Sequence[int], repeats: int, place: Path) -> dict[str, Any]:
    """Return the figures of one sweep, by one worker and by two in turn."""
    spec = spec_of(of, sizes)
    found: dict[int, list[Done]] = {1: [], 2: []}
    for i in range(repeats):
        for n in found:
            found[n].append(done_by(n, of, spec, place / f"home-{n}-{i}"))
    return _figures(of, found)


def _figures(of: Data, found: dict[int, list[Done]]) -> dict[str, Any]:
    one, two = (min(found[n], key=lambda done: done.seconds) for n in (1, 2))
    every = [done for times in found.values() for done in times]
    return {
        "what": f"{len(one.rows)} configurations searched by words, {len(of.dataset.questions)} questions, {of.what}",
        "one_worker_s": one.seconds,
        "two_workers_s": two.seconds,
        "two_workers_over_one": one.seconds / two.seconds,
        "every_one_worker_s": [done.seconds for done in found[1]],
        "every_two_workers_s": [done.seconds for done in found[2]],
        "one_worker_cpu_s": [done.cpu_s for done in found[1]],
        "two_workers_cpu_s": [done.cpu_s for done in found[2]],
        "outputs": len(witness.computed(one.events)),
        "outputs_by_each_of_two": witness.shares(two.events, "kept"),
        "evaluations_by_each_of_two": witness.shares(two.events, "measured"),
        "outputs_computed_twice": max(done.computed_twice for done in every),
        "evaluated_twice": max(done.evaluated_twice for done in every),
        "rows_identical": all(done.rows == one.rows for done in every),
    }


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
