"""`make bench`: every benchmark in one go; the figures are printed and kept in bench.json in the home folder."""

from __future__ import annotations

import json

from benchmarks import again, comparison, golden, scoring
from pipelines.models.devices import machine
from pipelines.settings import home


def main() -> None:
    """Run them one after the other."""
    print(f"Machine: {machine()}\n")
    figures = {}
    for benchmark in (again, comparison, golden, scoring):
        name = benchmark.__name__.rpartition(".")[2]
        print(f"## {name}")
        figures[name] = benchmark.main()
        if benchmark is comparison:
            print(json.dumps(figures[name], indent=1))
        print()
    home().mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine(), "figures": figures}, indent=1)
    (home() / "bench.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
