"""docs/components.md from the components' own declarations. Run `python -m benchmarks.component_docs OUT.md`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from pipelines.catalog import STAGES, Knob, Stage, all_components, knobs, summary
from pipelines.component import Component

_HEAD = """# Components and their knobs

Made by `make docs` from the components' own declarations: do not edit. The same is printed by
`rag-workbench components [STAGE]`. A stage left out of a pipeline file takes its default.
"""


_GUIDES = {
    "load": "loading.md",
    "chunk": "chunking.md",
    "extract": "extraction.md",
    "embed": "embedding.md",
    "transform": "transforms.md",
    "filter": "filters.md",
    "retrieve": "retrieval.md",
    "rerank": "reranking.md",
    "score": "metrics/README.md",
}


def lines() -> Iterator[str]:
    """Yield the page, line by line."""
    yield _HEAD
    known = all_components()
    for stage in STAGES:
        yield from _stage(stage, known[stage.name])


def _stage(stage: Stage, components: dict[str, type[Component]]) -> Iterator[str]:
    guide = _GUIDES.get(stage.name)
    more = f" What was measured, and how to choose: [{guide}]({guide})." if guide else ""
    yield f"## {stage.name}\n\n{stage.purpose}. Default: `{stage.default}`.{more}\n"
    if len(components) > 1:
        rows = "\n".join(f"| [`{name}`](#{stage.name}-{name}) | {summary(c)} |" for name, c in components.items())
        yield f"| component | what it does |\n| --- | --- |\n{rows}\n"
    for component in components.values():
        yield from _component(component)


def _component(component: type[Component]) -> Iterator[str]:
    yield f"### {component.stage} `{component.name}`\n\n{inspect.cleandoc(component.__doc__ or '')}\n"
    rows = [
        f"| `{k.name}` | {k.bounds().replace('|', '/')} | {_default(k)} | {k.description}{_when(k)} |"
        for k in knobs(component)
    ]
    if rows:
        yield "| knob | allowed | default | what it does |\n| --- | --- | --- | --- |"
        yield "\n".join(rows) + "\n"


def _when(knob: Knob) -> str:
    """Say with which values of other knobs this one means anything."""
    said = [f"`{name}` {' or '.join(f'`{value}`' for value in values)}" for name, values in knob.when.items()]
    return f". Only with {' and '.join(said)}" if said else ""


def _default(knob: Knob) -> str:
    return "required" if knob.required else f"`{knob.default}`"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("\n".join(lines()).rstrip() + "\n", encoding="utf-8")
