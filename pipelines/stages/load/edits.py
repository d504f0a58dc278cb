"""Changes of a text that carry its marks along: every offset of the old text has its place in the new one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from pipelines.records import Document, MetadataValue

Mark = tuple[int, int, MetadataValue]


@dataclass(frozen=True)
class Edit:
    """The characters `[start, end)` become `new`."""

    start: int
    end: int
    new: str = ""


class Places:
    """Where offsets of a text are after some edits, which are in order and do not overlap."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._starts = [edit.start for edit in edits]
        self._ends = [edit.end for edit in edits]
        self._shifts = list(accumulate(len(edit.new) - (edit.end - edit.start) for edit in edits))

    def of(self, place: int) -> int:
        """Return the new place of an offset; what lies within an edit comes to the end of what replaced it."""
        i = bisect_right(self._starts, place) - 1
        if i < 0:
            return place
        before = self._shifts[i - 1] if i else 0
        if place == self._starts[i] and self._ends[i] > place:
            return place + before
        return max(place, self._ends[i]) + self._shifts[i]


def edited(document: Document, edits: Iterable[Edit]) -> Document:
    """Return the document with its text changed and its marks in their new places; marks that hold nothing are gone."""
    made = [edit for edit in edits if edit.start < edit.end]
    if not made:
        return document
    places = Places(made)
    marks = {kind: kept for kind, rows in document.marks.items() if (kept := moved(rows, places))}
    return replace(document, text=_text(document.text, made), marks=marks)


def moved(rows: Sequence[Mark], places: Places) -> list[Mark]:
    """Return marks in their new places."""
    found = [(places.of(start), places.of(end), value) for start, end, value in rows]
    return [(start, end, value) for start, end, value in found if start < end]


def _text(text: str, edits: Sequence[Edit]) -> str:
    parts: list[str] = []
    done = 0
    for edit in edits:
        parts += (text[done : edit.start], edit.new)
        done = edit.end
    return "".join([*parts, text[done:]])
