"""Which values of metadata a text names, each with how surely: by its words, its case, and how specific it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.records import Column, IntArray
from pipelines.vocabulary.aliases import COMMON, Alias, aliases
from pipelines.vocabulary.phrases import Phrases
from pipelines.vocabulary.words import Word, words

_SENTENCE_END = re.compile(r"[.?!:;\n\"“(]")
_FEWEST_MENTIONS, _FEWEST_WRITTEN = 5, 3
_LOW, _UNSURE, _LOWER_CASE, _SEVERAL_WORDS, _NAME = 0.25, 0.55, 0.8, 0.9, 0.95
_PART_OF_ANOTHER_NAME = 0.5


@dataclass(frozen=True, slots=True)
class Sense:
    """A value that a phrase may stand for."""

    field: str
    value: str
    alias: Alias


@dataclass(frozen=True, slots=True)
class Named:
    """A place [begin, end) of a text, and the value that it names there with this confidence in [0, 1]."""

    field: str
    value: str
    begin: int
    end: int
    confidence: float


Mentioned = Mapping[tuple[str, ...], IntArray]
Written = Mapping[tuple[str, ...], Sequence[bool]]


@dataclass(frozen=True)
class Names:
    """The text values of some fields, found in texts by all that they may be called.

    `association` holds, for what the corpus itself mentions five times and more, how much likelier than by chance a
    chunk that mentions it has the value, in [0, 1]: 0 for words that stand anywhere, such as "current". `proper` are
    the phrases that the corpus writes as names: in capitals also within a sentence; `plain` those that it mostly does
    not, such as the emergency of an emergency exit.
    """

    phrases: Phrases[tuple[Sense, ...]]
    association: Mapping[tuple[tuple[str, ...], str, str], float] = field(default_factory=dict)
    proper: frozenset[tuple[str, ...]] = frozenset()
    plain: frozenset[tuple[str, ...]] = frozenset()

    @classmethod
    def of(cls, values: Mapping[str, Sequence[str]], given: Mapping[str, list[tuple[str, ...]]] | None = None) -> Names:
        """Learn the values of each field, with further aliases by value."""
        entries: dict[tuple[str, ...], list[Sense]] = {}
        for name, own in values.items():
            for value, forms in zip(own, aliases(name, own), strict=True):
                extra = [Alias(form, 1.0, whole=True, given=True) for form in (given or {}).get(value, ()) if form]
                for alias in [*extra, *(a for a in forms if a.words not in {e.words for e in extra})]:
                    entries.setdefault(alias.words, []).append(Sense(name, value, alias))
        return cls(Phrases.of({phrase: tuple(senses) for phrase, senses in entries.items()}))

    def weighed(self, texts: Sequence[str], columns: Mapping[str, Column]) -> Names:
        """Return the same with the association of each name with its value, over the texts and their columns."""
        mentioned, written = self._mentioned(texts)
        found = {
            (phrase, sense.field, sense.value): associated(rows, columns[sense.field], sense.value)
            for phrase, rows in mentioned.items()
            if len(rows) >= _FEWEST_MENTIONS
            for sense in self.phrases.entries[phrase]
        }
        proper = (p for p, own in written.items() if len(own) >= _FEWEST_WRITTEN and sum(own) >= 0.9 * len(own))
        plain = (p for p, own in written.items() if sum(own) < 0.5 * len(own))
        return Names(self.phrases, found, frozenset(proper), frozenset(plain))

    def _mentioned(self, texts: Sequence[str]) -> tuple[Mentioned, Written]:
        """Return in which texts each phrase stands, and whether it has a capital where that says much."""
        rows: dict[tuple[str, ...], set[int]] = {}
        written: dict[tuple[str, ...], list[bool]] = {}
        for row, text in enumerate(texts):
            own = words(text)
            for first, length, _ in self.phrases.found(own):
                phrase = tuple(word.folded for word in own[first : first + length])
                rows.setdefault(phrase, set()).add(row)
                if not begins_sentence(text, own, first):
                    written.setdefault(phrase, []).append(own[first].written[0].isupper())
        return {phrase: np.asarray(sorted(own), dtype=np.int32) for phrase, own in rows.items()}, written

    def found(self, text: str) -> list[list[Named]]:
        """Return, for each place of a text that names values, those that it names most surely."""
        own = words(text)
        folded, lower = [word.folded for word in own], text[1:] == text[1:].lower()
        found, place = [], 0
        while place < len(own):
            length, named = self._at(text, own, folded, place, lower)
            if named:
                found.append(named)
            place += length
        return found

    def _at(
        self, text: str, own: Sequence[Word], folded: Sequence[str], place: int, lower: bool
    ) -> tuple[int, list[Named]]:
        for length, senses in self.phrases.at(folded, place):
            phrase = tuple(folded[place : place + length])
            at = _Place(text, own, place, length, lower, phrase in self.proper, phrase in self.plain)
            sure = [(one, self._sure(one, at)) for one in senses if at.fits(one.alias)]
            best = max((one.alias.sure for one, _ in sure), default=0.0)
            if sure:
                span = own[place].start, own[place + length - 1].end
                # Of a whole name and another's beginning, the whole name is meant.
                return length, [Named(s.field, s.value, *span, c) for s, c in sure if s.alias.sure >= best - 0.04]
        return 1, []

    def _sure(self, sense: Sense, at: _Place) -> float:
        known = self.association.get((sense.alias.words, sense.field, sense.value))
        return round(sense.alias.sure * at.specific(sense.alias, known), 4)


def associated(rows: IntArray, column: Column, value: str) -> float:
    """Return how much likelier than by chance the rows have the value: 1 when all have it, 0 when no more than others.

    association = max(0, (P - P(value)) / (1 - P(value))), with P = P(value | mentioned) less its standard error
    """
    if value not in column.values or not len(column.codes):
        return 0.0
    has = column.codes == column.values.index(value)
    all_over, here = float(has.mean()), float(has[rows].mean())
    here -= (here * (1 - here) / len(rows)) ** 0.5
    return max(0.0, (here - all_over) / (1 - all_over)) if all_over < 1 else 0.0


@dataclass(frozen=True)
class _Place:
    """Some words of a text that a phrase was found at; `lower` says that the whole text knows no capitals.

    `proper` says that the corpus writes the phrase as a name, `plain` that it mostly does not.
    """

    text: str
    own: Sequence[Word]
    first: int
    length: int
    lower: bool
    proper: bool = False
    plain: bool = False

    @property
    def here(self) -> Sequence[Word]:
        return self.own[self.first : self.first + self.length]

    def fits(self, alias: Alias) -> bool:
        """Return whether the words are written as the alias asks for."""
        if alias.upper:
            short, shouted = len(self.here[0].folded) < 3, self.text.isupper()
            capitals = all(word.written.isupper() for word in self.here) and not (short and shouted)
            return capitals or (self.lower and not short)
        return not alias.capital or (self.lower and not alias.strict) or all(word.capital for word in self.here)

    def specific(self, alias: Alias, known: float | None) -> float:
        """Return how surely the words are no common ones, in [0, 1]; `known` is the association, None for unknown."""
        if alias.given:
            return 1.0
        sure = self._by_form(alias)
        if self.plain and self.length == 1 and not alias.whole and not self.here[0].capital:
            return min(sure, _LOW)
        if self.length == 1 and self._common():
            name = self._as_name() and (known is None or known > 0)
            sure = max(_UNSURE if name else _LOW, _SEVERAL_WORDS * min(1.0, (known or 0.0) / 0.6))
        elif known is not None and self.length == 1 and (alias.whole or not self._as_name()):
            # A name that stands in texts of every kind says little of what a chunk is about.
            sure = max(sure * (0.4 + 0.6 * min(1.0, known / 0.3)), _SEVERAL_WORDS * known)
        return sure if alias.whole or not self._within_another_name() else sure * _PART_OF_ANOTHER_NAME

    def _by_form(self, alias: Alias) -> float:
        plain = "".join(alias.words)
        if len(plain) < 2 or (len(plain) < 3 and not self.here[0].written.isupper()):
            return _LOW
        if any(c.isdigit() for c in plain) and any(c.isalpha() for c in plain):
            return _NAME
        if plain.isdigit():
            return _LOW
        if self._as_name():
            return _NAME
        return _SEVERAL_WORDS if self.length > 1 else _LOWER_CASE

    def _common(self) -> bool:
        return self.here[0].folded in COMMON and not (len(self.here[0].written) > 1 and self.here[0].written.isupper())

    def _as_name(self) -> bool:
        """Return whether it is written as a name where a plain word would not be."""
        if self.proper and (self.lower or self.here[0].capital):
            return True
        return self.here[0].capital and (self.length > 1 or not begins_sentence(self.text, self.own, self.first))

    def _within_another_name(self) -> bool:
        """Return whether a capitalised word goes before or behind, as in Meridian Research."""
        behind, before = self.first + self.length, self.first - 1
        if behind < len(self.own) and self._joined(behind - 1) and _is_name(self.own[behind]):
            return True
        if before < 0 or begins_sentence(self.text, self.own, before):
            return False
        return self._joined(before) and _is_name(self.own[before])

    def _joined(self, at: int) -> bool:
        return self.text[self.own[at].end : self.own[at + 1].start] == " "


def begins_sentence(text: str, own: Sequence[Word], at: int) -> bool:
    """Return whether a word begins a sentence, where any word has a capital."""
    return at == 0 or _SENTENCE_END.search(text[own[at - 1].end : own[at].start]) is not None


def _is_name(word: Word) -> bool:
    return word.written[0].isupper() and len(word.written) > 1 and not word.written.isupper() and word.written.isalpha()


def text_values(column: Column, most_chars: int = 80) -> Iterator[str]:
    """Return the text values that some row has, in order; long ones are no names."""
    for code in np.unique(column.codes[column.codes >= 0]):
        value = column.values[int(code)]
        if isinstance(value, str) and 0 < len(value) <= most_chars:
            yield value
