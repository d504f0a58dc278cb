"""kill -9 of workers and of who asked, at random moments of a sweep: what is left must be the undisturbed sweep.

Usage: python -m benchmarks.crashes [N] [--seed S] [--words]. N kills, 50 unless said otherwise; `--words` leaves the
model out. The moments are spread over the processes' starts and, by what is finished, over all the sweep's work.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import witness
from benchmarks.disturbed import Crashes
from pipelines import api
from pipelines.golden.write import write_dataset
from pipelines.records import SPLITS, Document, Evidence, Question

WORDS: dict[str, Any] = {
    "chunk": [{"use": "fixed", "size": [16, 32, 64]}, {"use": "sentence", "size": [32, 64]}],
    "retrieve": {"use": "bm25", "depth": [5, 10, 20]},
    "filter": ["none", {"use": "where", "where": {"number": {"$gte": 3}}}],
    "search": {"strategy": "grid", "objectives": ["recall@5"]},
}
VECTORS: dict[str, Any] = {
    "chunk": [{"use": "fixed", "size": [32, 48, 64]}, {"use": "sentence", "size": [32, 48, 64]}],
    "embed": {"use": "minilm", "precision": "float32", "backend": "torch", "device": "cpu", "batch_size": 8},
    "retrieve": {"use": ["dense", "bm25", "hybrid"], "depth": [5, 10, 15]},
    "rerank": ["none", "mmr"],
    "search": {"strategy": "grid", "objectives": ["recall@5"]},
}
SPLIT = "dev"


def small_set(folder: Path, n_documents: int = 16, n_sentences: int = 40) -> Path:
    """Write a dataset of short ledgers, two questions each, on dev and test."""
    documents, questions = [], []
    for d in range(n_documents):
        values = [(d * n_sentences + j) * 7919 % 10007 for j in range(n_sentences)]
        text = " ".join(f"Entry {n} of the long ledger reads {n * 31}." for n in values)
        documents.append(Document(f"d{d}", text, {"number": d}))
        for split, n in zip(SPLITS[1:], values[3:5], strict=True):
            quote = f"Entry {n} of the long ledger reads {n * 31}."
            found = Evidence(f"d{d}", text.index(quote), text.index(quote) + len(quote), quote)
            questions.append(Question(f"q{d}-{split}", f"What does entry {n} read?", split=split, evidence=(found,)))
    return write_dataset(folder, documents, questions, name=folder.name)


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


def tried(folder: Path, n_kills: int, settings: Mapping[str, Any], seed: int, most_sweeps: int = 1) -> dict[str, Any]:
    """Do the sweep in peace and disturbed; return a summary, in which `faults` should be empty.

    Should it end before so many kills, it is done anew in another home folder, up to `most_sweeps` times.
    """
    dataset = small_set(folder / "ledgers")
    calm_job, n_expected = undisturbed(folder / "calm", dataset, settings)
    with witness.home(folder / "calm"):
        expected = witness.table(calm_job)
    found: list[dict[str, Any]] = []
    while len(found) < most_sweeps and (left := n_kills - sum(one["kills"] for one in found)) > 0:
        place = folder / f"crashed-{len(found)}"
        crashes = Crashes(place, dataset, settings, seed + len(found), n_expected)
        found.append(disturbed(crashes, left, expected))
    return _merged(found)


def disturbed(crashes: Crashes, n_kills: int, expected: list[witness.Row]) -> dict[str, Any]:
    """Do the sweep once, killing; return its summary."""
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


def _merged(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums; what was killed where is counted over all sweeps."""
    whole: dict[str, Any] = {"sweeps": len(found)}
    for one in found:
        for name, value in one.items():
            if isinstance(value, dict):
                whole[name] = dict(sorted((Counter(whole.get(name, {})) + Counter(value)).items()))
            else:
                whole[name] = whole[name] + value if name in whole else value
    return whole


def _summary(crashes: Crashes, expected: list[witness.Row], found: list[witness.Row], seconds: float) -> dict[str, Any]:
    events = witness.audited(crashes.audit)
    twice = {key: n for key, n in witness.computed(events).items() if n > 1}
    begun = [event.key for event in events if event.what == "begun"]
    with_rows = witness.run_ids()
    identities = Counter(api.run(run_id).identity for run_id in with_rows)
    kept = {path.stem for path in (crashes.home / "runs").glob("*.parquet")}
    faults = list(crashes.faults)
    faults += [a.difference(b) for a, b in zip(expected, found, strict=False) if a != b]
    faults += [f"{len(found)} rows, not {len(expected)}"] if len(found) != len(expected) else []
    faults += witness.unsound(crashes.home)
    faults += witness.repeated(events, crashes.killed)
    faults += [f"{n} runs of one configuration" for identity, n in identities.items() if identity and n > 1]
    incoming = crashes.home / "cache" / "incoming"
    return {
        "kills": sum(crashes.kills.values()),
        "processes_killed": len(crashes.killed),
        "killed": dict(sorted(crashes.kills.items())),
        "asked_again_after_giving_up": crashes.n_given_up,
        "configurations": len(expected),
        "outputs": len(witness.computed(events)),
        "outputs_computed_twice": len(twice),
        "begun_again_after_a_kill": len(begun) - len(set(begun)),
        "details_without_a_row": len(kept - with_rows),
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
        settings = WORDS if asked.words else VECTORS
        figures = tried(Path(folder), asked.kills, settings, asked.seed, most_sweeps=5)
    print(json.dumps(figures, indent=1))
    return figures


if __name__ == "__main__":
    sys.exit(1 if main().get("faults") else 0)
