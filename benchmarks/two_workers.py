"""One sweep by one worker process and by two: the time from claim to finish, and that no work is done twice.

Usage: python -m benchmarks.two_workers [--bundled] [--quick]. The sweep is many chunkings, searched by words, so that
no single embedding binds it: 3 chunkers x 5 sizes x 3 depths x none, filter = 90 configurations. Each time is from an
empty store, with the processes up and waiting when the sweep is submitted; the better of two times counts.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
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

_SIZES = [96, 128, 192, 256, 384]
_REPEATS = 2
_MOST_S = 600.0


@dataclass(frozen=True)
class Done:
    """A sweep that was done by worker processes: seconds from claim to finish, its rows, and who did what."""

    seconds: float
    rows: list[witness.Row]
    events: list[witness.Event]

    @property
    def twice(self) -> int:
        """Return how many outputs were computed more than once."""
        return sum(n > 1 for n in witness.computed(self.events).values())

    @property
    def shares(self) -> list[int]:
        """Return how many outputs each process computed, the most first."""
        return sorted(Counter(event.pid for event in self.events if event.what == "kept").values(), reverse=True)


def spec_of(of: Data, quick: bool) -> SweepSpec:
    """Return the sweep."""
    return SweepSpec.parse(
        {
            "chunk": [{"use": name, "size": _SIZES[:2] if quick else _SIZES} for name in CHUNKERS],
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
            job = api.run_sweep(spec, of.dataset, workers=n_workers)
            end = time.monotonic() + _MOST_S
            while (job := api.jobs().get(job.id)).active and time.monotonic() < end:
                time.sleep(0.1)
            assert job.state == "finished" and job.started and job.ended, (job.state, job.error)
            return Done(job.ended - job.started, witness.table(job.id), witness.audited(audit))
        finally:
            witness.end_workers(home)


def _wait_for(home: Path, n_workers: int) -> None:
    end = time.monotonic() + 60
    while free_slots(home, n_workers) and time.monotonic() < end:
        time.sleep(0.5)
    time.sleep(1.0)  # a worker takes its lock shortly before it looks for jobs


def main(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Measure, print and return the figures."""
    parser = argparse.ArgumentParser(description="The benchmark of two workers on one sweep.")
    parser.add_argument("--bundled", action="store_true", help="on the bundled dataset, even where the corpora are")
    parser.add_argument("--quick", action="store_true", help="a small grid on the bundled dataset, once")
    asked = parser.parse_args(list(arguments))
    with TemporaryDirectory() as folder:
        of = data(Path(folder), asked.bundled or asked.quick)
        spec = spec_of(of, asked.quick)
        found: dict[int, list[Done]] = {1: [], 2: []}
        for i in range(1 if asked.quick else _REPEATS):
            for n in found:
                found[n].append(done_by(n, of, spec, Path(folder) / f"home-{n}-{i}"))
    figures = _figures(of, found)
    print(json.dumps(figures, indent=1), flush=True)
    return figures


def _figures(of: Data, found: dict[int, list[Done]]) -> dict[str, Any]:
    one, two = (min(found[n], key=lambda done: done.seconds) for n in (1, 2))
    every = [done for times in found.values() for done in times]
    return {
        "what": f"{len(one.rows)} configurations searched by words, {len(of.dataset.questions)} questions, {of.what}",
        "one_worker_s": one.seconds,
        "two_workers_s": two.seconds,
        "two_workers_over_one": one.seconds / two.seconds,
        "outputs": len(witness.computed(one.events)),
        "outputs_by_each_of_two": two.shares,
        "outputs_computed_twice": max(done.twice for done in every),
        "rows_identical": all(done.rows == one.rows for done in every),
    }


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
