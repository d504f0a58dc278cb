"""Find many phrases in a text at once: the longest at each place, by their first words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipelines.vocabulary.words import Word

T = TypeVar("T")


@dataclass(frozen=True)
class Phrases(Generic[T]):
    """Phrases by their words, each with what it stands for."""

    entries: Mapping[tuple[str, ...], T]
    lengths: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, entries: Mapping[tuple[str, ...], T]) -> Phrases[T]:
        """Index phrases by their first word."""
        lengths: dict[str, set[int]] = {}
        for phrase in entries:
            lengths.setdefault(phrase[0], set()).add(len(phrase))
        return cls(entries, {first: tuple(sorted(own, reverse=True)) for first, own in lengths.items()})

    def at(self, text: Sequence[str], place: int) -> Iterator[tuple[int, T]]:
        """Return length and entry of every phrase that begins at a place, the longest first."""
        for length in self.lengths.get(text[place], ()):
            entry = self.entries.get(tuple(text[place : place + length]))
            if entry is not None and place + length <= len(text):
                yield length, entry

    def found(self, text: Sequence[Word]) -> Iterator[tuple[int, int, T]]:
        """Return (first word, length, entry) of the phrases in a text, the longest at each place, without overlap."""
        folded = [word.folded for word in text]
        place = 0
        while place < len(folded):
            longest = next(self.at(folded, place), None)
            if longest is not None:
                yield place, *longest
            place += longest[0] if longest else 1
