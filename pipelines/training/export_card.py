"""The model card of an exported encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.training.card import CARD, HEAD, LOADING, Measured, plain
from pipelines.training.export_modules import Exported

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_USE = """
Use `encode_query` for questions and `encode_document` for texts: they may differ, in words put before the text or in a
map behind it. It learnt from the train split of its data, and dev questions, if there were any, decided where its
training stopped: judge it by test questions. The course of the training is in `training.json`.
"""


def card_text(
    model: SentenceTransformer, how: Exported, record: Mapping[str, Any], measured: Sequence[Measured]
) -> str:
    """Return the card of an encoder: what it is, how it was trained by its record, and what was measured since."""
    prompts = {f"before a {name}": repr(text) for name, text in model.prompts.items() if text}
    facts = {
        "base model": how.name,
        "method": how.method,
        "dimensions": model.get_embedding_dimension(),
        "share of what was learnt": how.blend,
        "seconds of training": record.get("seconds"),
        **prompts,
    }
    sections = {"Data": record.get("about"), "Pairs": record.get("pairs"), "Knobs": record.get("knobs")}
    told = "".join(_section(name, value) for name, value in sections.items() if value)
    dev = _section("Dev questions", record.get("dev"))
    return HEAD + "".join(_rows(facts)) + told + dev + table(measured) + LOADING + _USE


def add_measured(folder: Path, measured: Sequence[Measured]) -> None:
    """Add what was measured to the card that is in a folder already."""
    path = folder / CARD
    if measured and path.is_file():
        path.write_text(path.read_text(encoding="utf-8") + table(measured), encoding="utf-8")


def table(measured: Sequence[Measured]) -> str:
    """Return what was measured as a section, n beside every mean; "" where nothing was."""
    if not measured:
        return ""
    head = "| metric | questions | n | base | trained | difference | 95 % interval |\n|" + " --- |" * 7 + "\n"
    return "\n## Measured\n\n" + head + "".join(_measured(one) for one in measured)


def _measured(one: Measured) -> str:
    between = "not known" if one.low is None or one.high is None else f"{one.low:+.4f} to {one.high:+.4f}"
    numbers = [f"{one.before:.4f}", f"{one.after:.4f}", f"{one.after - one.before:+.4f}", between]
    return f"| {' | '.join([plain(one.metric), plain(one.split), str(one.n), *numbers])} |\n"


def _section(name: str, facts: object) -> str:
    if not isinstance(facts, Mapping):
        return ""
    return f"\n## {name}\n\n| | |\n| --- | --- |\n" + "".join(_rows(facts))


def _rows(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        if value not in ("", [], ()) and not isinstance(value, list):
            yield f"| {plain(name.replace('_', ' '))} | {_cell(value)} |\n"


def _cell(value: object) -> str:
    if value is None:
        return "not known"
    return f"{value:.4g}" if isinstance(value, float) else plain(value)
