"""The stages that can lose evidence, in the order of the flow, and what each of them is called in words."""

from __future__ import annotations

HANDED_ON = 0
"""The number of no loss; the number of a stage is its place in `STAGES`, from 1."""

STAGES = ("parse", "chunk", "filter", "retrieve", "rerank", "cut", "budget")

LABELS = {
    "parse": "not in the parsed text",
    "chunk": "cut apart by chunking",
    "filter": "removed by the filter",
    "retrieve": "not retrieved",
    "rerank": "dropped by the reranker",
    "cut": "below k",
    "budget": "beyond the token budget",
}


def stages_at(cut: str) -> tuple[str, ...]:
    """Return the stages that can lose evidence at a cut such as recall@5 or recall@2000tok, in order of the flow."""
    other = "cut" if cut.endswith("tok") else "budget"
    return tuple(stage for stage in STAGES if stage != other)


def number(stage: str) -> int:
    """Return the number under which a stage stands in `Fates.stage`."""
    return STAGES.index(stage) + 1
