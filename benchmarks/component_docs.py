"""docs/components.md from the components' own declarations. Usage: python -m benchmarks.component_docs OUT.md"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from pipelines.catalog import STAGES, all_components, knobs, summary
from pipelines.component import Component

_HEAD = """# Components and their knobs

Made by `make docs` from the components' own declarations: do not edit. The same is printed by
`rag-workbench components [STAGE]`. A stage left out of a pipeline file takes its default.
"""


def lines() -> Iterator[str]:
    """Yield the page, line by line."""
    yield _HEAD
    known = all_components()
    for stage in STAGES:
        yield f"## {stage.name}\n\n{stage.purpose}. Default: `{stage.default}`.\n"
        for component in known[stage.name].values():
            yield from _component(component)


def _component(component: type[Component]) -> Iterator[str]:
    yield f"### `{component.name}`\n\n{summary(component)}\n"
    rows = [
        f"| `{k.name}` | {k.bounds().replace('|', '/')} | {'required' if k.required else f'`{k.default}`'} | {k.description} |"
        for k in knobs(component)
    ]
    if rows:
        yield "| knob | allowed | default | what it does |\n| --- | --- | --- | --- |"
        yield "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("\n".join(lines()).rstrip() + "\n", encoding="utf-8")
