"""A small golden set to learn from: twelve documents of six sentences, a question on each, in three splits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

PLACES = (
    "Arden", "Belmont", "Corvale", "Dunmore", "Eastmere", "Fairholt", "Quennell", "Hexley", "Ironbridge", "Jarrow",
    "Kesterel", "Lowick",
)  # fmt: skip
THINGS = (
    ("harbour master", "counts the herring boats"),
    ("railway clerk", "stamps the coal tickets"),
    ("cathedral choir", "rehearses the winter psalms"),
    ("market warden", "weighs the barley sacks"),
    ("library porter", "binds the torn atlases"),
    ("observatory keeper", "polishes the brass lenses"),
)
ASKED = (
    "Who at {} looks after the fishing fleet's numbers?",
    "By whom are fuel passes validated in {}?",
    "Which singers prepare seasonal hymns around {}?",
    "Name the person checking grain loads, {} being the town.",
    "Damaged maps are repaired by what man, as {} knows?",
    "Tell me whose duty telescope cleaning is, over in {}.",
)


def school_documents(places: tuple[str, ...] = PLACES) -> list[dict[str, Any]]:
    """One document a place, one sentence a thing."""
    return [{"id": place.lower(), "text": " ".join(_sentences(place)), "metadata": {}} for place in places]


def school_questions(splits: str = "tttttdddeeee", places: tuple[str, ...] = PLACES) -> list[dict[str, Any]]:
    """A question on each sentence; the split of place i is letter i: t(rain), d(ev), (t)e(st)."""
    named = {"t": "train", "d": "dev", "e": "test"}
    return [
        {
            "id": f"{place.lower()}-{j}",
            "text": asked.format(place),
            "split": named[split],
            "evidence": [{"document_id": place.lower(), "quote": sentence}],
        }
        for place, split in zip(places, splits, strict=True)
        for j, (asked, sentence) in enumerate(zip(ASKED, _sentences(place), strict=True))
    ]


def written(write_set: Callable[..., Path]) -> Callable[..., Path]:
    """Return what writes the set, with `questions` added to it."""

    def write(*questions: dict[str, Any], splits: str = "tttttdddeeee", name: str = "school") -> Path:
        return write_set(school_documents(), [*school_questions(splits), *questions], name)

    return write


def _sentences(place: str) -> list[str]:
    return [f"The {who} of {place} {does} every morning." for who, does in THINGS]
