"""What a sweep costs beside its distinct embedding and index work, one by one, and written plainly with llama-index.

Usage: python -m benchmarks.sweep [--bundled] [--quick] [--profile FILE]. All is done in one process with the model and
the libraries loaded before the clock starts, each part with a home folder of its own that is empty. One by one and the
plain script do a part of the grid, evenly spread over its kinds of configuration; their time for all is extrapolated.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import witness
from benchmarks.grids import OBJECTIVE, Data, data, tiny
from pipelines import api
from pipelines.cache import Cache
from pipelines.pipeline import Pipeline
from pipelines.runs.database import Database
from pipelines.runs.evaluate import evaluate
from pipelines.runs.heart import Heart
from pipelines.runs.jobs import Jobs, this_worker
from pipelines.settings import database_url
from pipelines.sweeps.doing import do_sweep
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.submit import submit_sweep
from pipelines.sweeps.trials import Trial

_A_KIND = 2
_UNIQUE = ("embed", "index")


def main(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Measure, print and return the figures."""
    asked = _arguments(arguments)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        of = data(place, asked.bundled or asked.quick)
        figures = measured(of, place, asked.quick, asked.profile)
        print(json.dumps(figures, indent=1), flush=True)
        figures |= _plainly(of, place, asked.quick, figures)
    print(json.dumps(figures, indent=1), flush=True)
    return figures


def measured(of: Data, place: Path, quick: bool = False, profile: str | None = None) -> dict[str, Any]:
    """Return the figures of the sweep itself, of its repetition, and of its configurations one by one."""
    spec = of.spec(quick)
    with witness.home(place / "warm"):
        swept(tiny(place, of), spec)
    with witness.home(place / "sweep", RAG_WORKBENCH_AUDIT=str(place / "audit.txt")) as home:
        seconds, job_id = profiled(lambda: swept(of, spec), profile)
        by_stage = stored_seconds(home)
        trials, first = _trials(job_id), witness.table(job_id)
        events = witness.audited(place / "audit.txt")
        again_s, again_id = swept(of, spec)
        n_again = len(witness.audited(place / "audit.txt")) - len(events)
        repeated = witness.table(again_id) == first
        alone = one_by_one(of, trials, place, 1 if quick else _A_KIND)
    unique = sum(by_stage.get(stage, 0.0) for stage in _UNIQUE)
    return {
        "what": f"{len(trials)} configurations, {len(of.dataset.questions)} questions, {of.what}",
        "embedder": Pipeline.parse({}).embed.resolved().settings(),
        "states": dict(Counter(trial.state for trial in trials)),
        "sweep_s": seconds,
        "unique_work_s": unique,
        "sweep_over_unique_work": seconds / unique,
        "stages_s": by_stage,
        "executions": len(witness.computed(events)),
        "repeated_s": again_s,
        "repeated_executions": n_again,
        "repeated_rows_identical": repeated,
        **alone,
        "one_by_one_over_sweep": alone["one_by_one_extrapolated_s"] / seconds,
    }


def swept(of: Data, spec: SweepSpec) -> tuple[float, str]:
    """Do a sweep as a worker does, in this process; return its seconds, from its submission on, and its job's id."""
    started = time.perf_counter()
    database = Database(database_url())
    jobs, worker = Jobs(database), this_worker()
    submit_sweep(database, spec, of.dataset, split=None)
    job = jobs.claim(worker)
    assert job is not None
    with Heart(jobs, job, worker) as heart:
        sweep_id = do_sweep(job, heart, database, worker)
    jobs.finish(job.id, worker, sweep_id)
    return time.perf_counter() - started, job.id


def profiled(work: Callable[[], Any], file: str | None) -> Any:
    """Do the work, under a profiler where a file for its statistics is named: a sweep is then a little slower."""
    if file is None:
        return work()
    profiler = cProfile.Profile()
    found = profiler.runcall(work)
    profiler.dump_stats(file)
    return found


def stored_seconds(home: Path) -> dict[str, float]:
    """Return, by stage, what the outputs in a store took to compute."""
    found: dict[str, float] = defaultdict(float)
    for manifest in sorted((home / "cache").glob("*/*/manifest.json")):
        found[manifest.parent.parent.name] += float(json.loads(manifest.read_text(encoding="utf-8"))["seconds"])
    return dict(found)


def _trials(job_id: str) -> tuple[Trial, ...]:
    view = api.sweep_of_job(job_id)
    assert view is not None and all(trial.state == "finished" for trial in view.trials), "not all were evaluated"
    return view.trials


def kind_of(trial: Trial) -> tuple[str, str]:
    """Return what decides most of what a configuration costs: its retriever and its reranker."""
    return trial.settings["retrieve"]["use"], trial.settings["rerank"]["use"]


def spread(trials: Sequence[Trial], n: int) -> list[Trial]:
    """Return `n` configurations of each kind, evenly spread over the kind's chunkings, depths and filters."""
    kinds: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        kinds[kind_of(trial)].append(trial)
    chosen = []
    for at, members in enumerate(kinds.values()):
        step = len(members) / n
        chosen += [members[int(i * step + at * step / len(kinds)) % len(members)] for i in range(n)]
    return chosen


def extrapolated(seconds: Sequence[tuple[Trial, float]], trials: Sequence[Trial]) -> float:
    """Return the seconds for all: the mean of the measured ones of each kind, for every configuration of the kind."""
    by_kind: dict[tuple[str, str], list[float]] = defaultdict(list)
    for trial, taken in seconds:
        by_kind[kind_of(trial)].append(taken)
    means = {kind: sum(taken) / len(taken) for kind, taken in by_kind.items()}
    return sum(means[kind_of(trial)] for trial in trials)


def one_by_one(of: Data, trials: Sequence[Trial], place: Path, a_kind: int) -> dict[str, Any]:
    """Evaluate a part of the grid, each with a store of its own that is empty, and compare with the sweep's runs."""
    taken: list[tuple[Trial, float]] = []
    equal = True
    for trial in spread(trials, a_kind):
        cache = Cache(place / f"alone-{trial.number}")
        started = time.perf_counter()
        run = evaluate(Pipeline.parse(trial.settings), of.dataset, cache)
        taken.append((trial, time.perf_counter() - started))
        kept = api.details(trial.run_id or "")
        equal = equal and witness.details_bits(kept) == witness.details_bits(run.details)
    return {
        "one_by_one_measured": len(taken),
        "one_by_one_measured_s": sum(seconds for _, seconds in taken),
        "one_by_one_extrapolated_s": extrapolated(taken, trials),
        "one_by_one_rows_identical": equal,
    }


def _plainly(of: Data, place: Path, quick: bool, figures: dict[str, Any]) -> dict[str, Any]:
    """Return the plain script's figures; where its libraries are missing, why there are none."""
    try:
        from benchmarks import plain_llama_index
    except ImportError as error:
        return {"llama_index_over_sweep": None, "llama_index_reason": f"{error}: run make setup"}
    found = plain_llama_index.measured(of, place, quick)
    return {**found, "llama_index_over_sweep": found["llama_index_extrapolated_s"] / figures["sweep_s"]}


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"The benchmark of a sweep; its objective is {OBJECTIVE}.")
    parser.add_argument("--bundled", action="store_true", help="on the bundled dataset, even where the corpora are")
    parser.add_argument("--quick", action="store_true", help="a small grid on the bundled dataset")
    parser.add_argument("--profile", metavar="FILE", help="write the sweep's profile, for pstats")
    return parser.parse_args(list(arguments))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
