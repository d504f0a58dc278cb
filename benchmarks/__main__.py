"""`make bench`: every benchmark in one go; the figures are printed and kept in bench.json in the home folder.

Each benchmark runs in a process of its own, one after the other, so that none leaves the next its threads or memory.
What was measured is written after each: a crash, or Ctrl-C, leaves it. `python -m benchmarks NAME...` runs some of
them, and leaves the others' figures as they are in the file.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from pipelines.models.devices import machine
from pipelines.settings import REPOSITORY, home

BENCHMARKS = (
    "again", "comparison", "golden", "loading", "scoring", "what_if", "embedding", "sweep", "two_workers", "scale",
    "finetuning",
)  # fmt: skip
RATIOS = {
    "sweep_over_unique_work": "sweep",
    "one_by_one_over_sweep": "sweep",
    "llama_index_over_sweep": "sweep",
    "encode_default_over_bfloat16": "embedding",
    "encode_default_over_int8": "embedding",
    "two_workers_over_one": "two_workers",
    "ir_measures_over_scoring": "scoring",
    "plain_bfloat16_over_full": "finetuning",
    "plain_float32_over_full": "finetuning",
}
_LIBRARIES = ("torch", "numpy", "openvino", "onnxruntime", "sentence-transformers", "chromadb", "llama-index-core")
_MOST_S = 1800


def main(names: list[str]) -> int:
    """Run them one after the other; return 1 when any failed."""
    wanted = names or list(BENCHMARKS)
    unknown = [name for name in wanted if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark '{unknown[0]}'; there are {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    on = machine_figures()
    print(f"Machine: {json.dumps(on, indent=1)}\n", flush=True)
    figures = dict(_before()) if names else {}
    for name in wanted:
        print(f"## {name}", flush=True)
        figures[name] = ran(name)
        write(on, figures)
        print(flush=True)
    print(json.dumps(ratios(figures), indent=1))
    return int(any("failed" in figures[name] for name in wanted))


def ran(name: str) -> dict[str, Any]:
    """Run one benchmark in a process of its own; return its figures, or `failed` with the reason."""
    if find_spec(f"benchmarks.{name}") is None:
        return {"failed": f"there is no benchmarks/{name}.py"}
    started = time.perf_counter()
    with TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        env = {**os.environ, "RAG_WORKBENCH_HOME": str(Path(folder) / "home")}
        command = [sys.executable, "-m", "benchmarks", "--alone", name, str(out)]
        try:
            ended = subprocess.run(command, cwd=REPOSITORY, env=env, timeout=_MOST_S, check=False)
        except subprocess.TimeoutExpired:
            return {"failed": f"not done after {_MOST_S} s"}
        if not out.exists():
            return {"failed": f"the process ended with exit code {ended.returncode}"}
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return {**found, "benchmark_s": round(time.perf_counter() - started, 1)}


def alone(name: str, out: Path) -> int:
    """Run one benchmark in this process, and write its figures, or why there are none."""
    try:
        figures = importlib.import_module(f"benchmarks.{name}").main()
    except Exception as error:
        out.write_text(json.dumps({"failed": f"{type(error).__name__}: {error}"}), encoding="utf-8")
        raise
    out.write_text(json.dumps(plain(figures), allow_nan=False), encoding="utf-8")
    return 0


def plain(value: Any) -> Any:
    """Return figures as JSON can hold them: what is no finite number is None."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, str | bool | None):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    if not math.isfinite(number):
        return None
    return int(number) if isinstance(value, int) else round(number, 6)


def ratios(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the ratios; None for one that was not measured: the benchmark's figures say why."""
    found = {ratio: figures.get(name, {}).get(ratio) for ratio, name in RATIOS.items()}
    return {ratio: value if isinstance(value, int | float) else None for ratio, value in found.items()}


def machine_figures() -> dict[str, Any]:
    """Return on what the figures were taken."""
    versions: dict[str, str | None] = {}
    for library in _LIBRARIES:
        try:
            versions[library.replace("-", "_")] = version(library)
        except PackageNotFoundError:
            versions[library.replace("-", "_")] = None
    return {
        "processor": machine().rpartition(",")[0],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        **versions,
    }


def write(on: Mapping[str, Any], figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Write bench.json aside and put it in place."""
    why = {name: str(found["failed"]) for name, found in figures.items() if "failed" in found}
    missing = {ratio: why.get(name, "not measured yet") for ratio, name in RATIOS.items() if not ratios(figures)[ratio]}
    body = {"machine": dict(on), "ratios": ratios(figures), "figures": {**figures, "reasons": missing}}
    place = home() / "bench.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_suffix(".json.new")
    aside.write_text(json.dumps(body, indent=1, allow_nan=False), encoding="utf-8")
    aside.replace(place)


def _before() -> dict[str, Any]:
    """Return the figures of the last time."""
    try:
        body = json.loads((home() / "bench.json").read_text(encoding="utf-8"))
        return {name: found for name, found in body["figures"].items() if name in BENCHMARKS}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        sys.exit(alone(sys.argv[2], Path(sys.argv[3])))
    sys.exit(main(sys.argv[1:]))
