"""The table of a sweep over chunkers, as docs/chunking.md shows it.

Usage: python -m benchmarks.chunkers SWEEP.json, as `rag-workbench sweep docs/examples/sweeps/chunkers.yaml --json`
writes it. A row is a chunker, or an embedder's header where these were varied; a column of recalls is a retriever.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.pipeline import Pipeline

Run = Mapping[str, Any]


def main(path: Path) -> None:
    """Print the table."""
    sweep = json.loads(path.read_text(encoding="utf-8"))
    rows: dict[str, dict[str, Run]] = {}
    for run in sweep["runs"]:
        rows.setdefault(_name(run), {})[run["pipeline"]["retrieve"]["use"]] = run
    retrievers = list(dict.fromkeys(name for row in rows.values() for name in row))
    head = ["chunker", "chunks", "precision_omega", "cut, s", "embed, s"]
    print(_line([*head, *(f"{name}: recall@5; @2000tok" for name in retrievers)]))
    print(_line(["---"] * (len(head) + len(retrievers))))
    for name, row in rows.items():
        print(_line([name, *_about(list(row.values())), *(_recalls(row.get(one)) for one in retrievers)]))
    n = sorted({run["metrics"]["recall@2000tok"]["n"] for run in sweep["runs"]})
    print(f"\n{sweep['dataset']['name']}, split {sweep['split']}, n {n}; 95 % intervals over questions.")


def _name(run: Run) -> str:
    components = Pipeline.parse({stage: run["pipeline"][stage] for stage in ("chunk", "embed")}).components
    chunk = components["chunk"].model_dump(mode="json")
    defaults = type(components["chunk"]).model_fields
    words = [f"{k} {v}" for k, v in chunk.items() if k == "size" or v != defaults[k].default]
    header = getattr(components["embed"], "header", "none")
    return " ".join([f"{run['pipeline']['chunk']['use']},", *words] + ([] if header == "none" else [f"+ {header}"]))


def _about(runs: Sequence[Run]) -> list[str]:
    seconds = [max(run["seconds_computed"].get(stage, 0.0) for run in runs) for stage in ("chunk", "embed")]
    omega = runs[-1]["metrics"]["precision_omega"]["mean"]
    return [f"{runs[-1]['n']['chunks']:,}", f"{omega:.3f}", *(f"{s:.1f}" for s in seconds)]


def _recalls(run: Run | None) -> str:
    if run is None:
        return "–"
    five, budget = run["metrics"]["recall@5"], run["metrics"]["recall@2000tok"]
    return f"{five['mean']:.3f}; {budget['mean']:.3f} ({budget['low']:.3f} to {budget['high']:.3f})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
