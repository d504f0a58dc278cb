"""One sentence on which knob to turn for what a stage lost, made of the settings that the pipeline has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Settings = Mapping[str, Mapping[str, Any]]


def advice(stage: str, settings: Settings, cut: str) -> str:
    """Return the sentence for one stage; `settings` are a pipeline's, `cut` is such as recall@5 or recall@2000tok."""
    return _SENTENCES[stage](settings, cut.partition("@")[2])


def _parse(settings: Settings, _: str) -> str:
    used = settings["load"].get("use", "auto")
    return (
        f"The quotes are not in what the loader '{used}' made of the files: choose another loader or other cleaning "
        "under load, and see that every file could be read, and that the quotes and pages of the questions are right."
    )


def _chunk(settings: Settings, _: str) -> str:
    chunk = settings["chunk"]
    used = chunk.get("use")
    if used == "parent":
        return f"Raise the chunker's parent_size (now {chunk.get('parent_size')}): evidence is longer than it hands on."
    if used == "sentence-window":
        return f"Raise the chunker's window (now {chunk.get('window')}): evidence is longer than what is handed on."
    knobs = [f"{name} (now {chunk[name]})" for name in ("size", "table_size", "pages", "overlap") if name in chunk]
    raised = f"raise {' or '.join(knobs)}, or " if knobs else ""
    todo = f"{raised}hand on more than is searched with the chunker 'parent' or 'sentence-window'"
    return f"{todo[0].upper()}{todo[1:]}."


def _filter(settings: Settings, _: str) -> str:
    chosen = settings["filter"]
    used = chosen.get("use", "none")
    if used == "where":
        return "Widen the condition of the filter 'where': it is the same for every question; or infer it from each."
    if used == "known":
        return "See that the questions' labelled filter values are right, or use 'boost', which removes nothing."
    turned = [f"{name} (now {chosen[name]})" for name in ("threshold", "confidence", "least") if name in chosen]
    raised = f"Raise its {' or '.join(turned)}, or use" if turned else "Use"
    return f"The filter '{used}' misread these questions. {raised} 'boost', which prefers and removes nothing."


def _retrieve(settings: Settings, _: str) -> str:
    chosen = settings["retrieve"]
    used, todo = chosen.get("use", "dense"), [f"raise the retriever's depth beyond {chosen.get('depth', 100)}"]
    if chosen.get("min_score") is not None:
        todo.append(f"lower its min_score (now {chosen['min_score']})")
    if chosen.get("per_document") is not None:
        todo.append(f"allow more chunks per_document (now {chosen['per_document']})")
    todo.append("take more of each list into the pool" if used == "hybrid" else "search both ways with 'hybrid'")
    todo += ["try a stronger embedding"] if used != "bm25" else []
    return f"{', or '.join(todo).capitalize()}."


def _rerank(settings: Settings, _: str) -> str:
    chosen = settings["rerank"]
    used = chosen.get("use", "none")
    depth = f"raise its depth (now {chosen['depth']}), " if "depth" in chosen else ""
    weight = next((name for name in ("weight", "lambda_mult") if name in chosen), None)
    turn = f"turn its {weight} (now {chosen[weight]}), " if weight else ""
    return f"The reranker '{used}' put these pieces too low: {depth}{turn}or leave it out where the list loses by it."


def _cut(settings: Settings, k: str) -> str:
    reranked = settings["rerank"].get("use", "none") != "none"
    order = "Choose a stronger reranker" if reranked else "Add a reranker"
    chunks = "1 chunk" if k == "1" else f"{k} chunks"
    return f"{order}, or hand on more than {chunks}: the evidence was found, and ranked too low."


def _budget(settings: Settings, budget: str) -> str:
    chunk = settings["chunk"]
    size = chunk.get("parent_size", chunk.get("size"))
    smaller = f"Make chunks smaller (now {size} tokens)" if size is not None else "Make chunks smaller"
    return f"{smaller}, rerank, or allow more than {budget.removesuffix('tok')} tokens of context: others came first."


_SENTENCES: Mapping[str, Callable[[Settings, str], str]] = {
    "parse": _parse, "chunk": _chunk, "filter": _filter, "retrieve": _retrieve, "rerank": _rerank, "cut": _cut,
    "budget": _budget,
}  # fmt: skip
