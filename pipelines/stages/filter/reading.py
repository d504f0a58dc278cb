"""Read conditions out of a question: names, numbers with their field, and time, by the corpus's own metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.records import PAGE, SECTION, TABLE, Column, MetadataValue
from pipelines.stages.filter import Filtered
from pipelines.stages.filter.guess import Guess, among, either
from pipelines.stages.filter.time_guesses import time_guesses
from pipelines.vocabulary.aliases import given_aliases
from pipelines.vocabulary.names import Named, Names, text_values
from pipelines.vocabulary.time_fields import TimeFields
from pipelines.vocabulary.words import Word, folded, words

_PLACES = (PAGE, SECTION, TABLE, "section_title", "section_level", "file", "extension", "language")
_MENTIONS = ("mentioned_", "keyword", "entity_", "entities_", "periods")
_MOST_VALUES = 5_000
_SAMPLE = 4_000
_NUMBERED = 0.8
_ORDINALS = {
    name: i + 1 for i, name in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth".split())
}
_LINKS = frozenset(("to", "and", "or", "the", "through", "with"))
_NUMBER_WORDS = frozenset(("no", "number", "nr", "num"))
_ORDINAL = re.compile(r"(\d{1,3})(?:st|nd|rd|th)")


@dataclass(frozen=True)
class Reader:
    """Knows the values of the metadata, and finds them in questions.

    `numbers` holds, by the word that a field ends in ("edition"), the field and its values by number.
    """

    columns: Mapping[str, Column]
    names: Names
    times: TimeFields
    numbers: Mapping[str, tuple[str, Mapping[int, MetadataValue]]] = field(default_factory=dict)
    reference: date | None = None
    threshold: float = 0.5

    @classmethod
    def of(
        cls, filtered: Filtered, fields: Sequence[str], given: Sequence[str], threshold: float, reference: date | None
    ) -> Reader:
        """Learn the vocabulary of some fields (none named: all), and from the texts how specific each name is.

        Raises:
            ConfigurationError: for a field that no document has.
        """
        columns = {name: filtered.columns[name] for name in _chosen(fields, filtered.columns)}
        times = TimeFields.of(columns)
        named = {
            name: values
            for name, column in columns.items()
            if name not in times.names and 0 < len(values := list(text_values(column))) <= _MOST_VALUES
        }
        further = given_aliases(given)
        _refuse_unknown(further, columns)
        names = Names.of(named, further)
        if filtered.texts:
            rows = np.unique(np.linspace(0, len(filtered.texts) - 1, _SAMPLE).astype(np.int32))
            sampled = {name: columns[name].take(rows) for name in named}
            names = names.weighed([filtered.texts[int(row)] for row in rows], sampled)
        return cls(columns, names, times, _numbers(columns, times), reference, threshold)

    def guesses(self, text: str) -> list[Guess]:
        """Return the conditions of a question that are at least as sure as the threshold, the surest first."""
        found = [*self._named(text), *self._numbered(text)]
        found += time_guesses(text, self.times, self.columns, self.reference)
        sure = [one for one in found if one.confidence >= self.threshold]
        return sorted(sure, key=lambda one: -one.confidence)

    def _named(self, text: str) -> list[Guess]:
        """Return a condition a field: any of the values that are named. One name in several fields may mean either."""
        alone: dict[str, list[Named]] = {}
        several: list[Guess] = []
        for place in self.names.found(text):
            sure = [one for one in place if one.confidence >= self.threshold]
            fields = list(dict.fromkeys(one.field for one in sure))
            if len(fields) == 1:
                alone.setdefault(fields[0], []).extend(sure)
            elif fields:
                several.append(either([_any(name, [o for o in sure if o.field == name], text) for name in fields]))
        # What a field has of its own says which field was meant where a name stands in several.
        left = [one for one in several if not any(name in alone for name in one.values)]
        return [*(_any(name, own, text) for name, own in alone.items()), *left]

    def _numbered(self, text: str) -> list[Guess]:
        own = words(text)
        found: dict[str, list[MetadataValue]] = {}
        said: dict[str, str] = {}
        for place, word in enumerate(own):
            if word.folded in self.numbers:
                name, known = self.numbers[word.folded]
                values = [known[n] for n in _numbers_at(own, place) if n in known]
                if values:
                    found.setdefault(name, []).extend(values)
                    said[name] = word.written
        return [among(name, tuple(dict.fromkeys(v)), _NUMBERED, said[name]) for name, v in found.items()]


def _chosen(fields: Sequence[str], columns: Mapping[str, Column]) -> list[str]:
    for name in fields:
        if name not in columns:
            there = ", ".join(sorted(columns)) or "none at all"
            raise ConfigurationError(
                f"The filter is to read the metadata field '{shorten(name)}' out of questions, which no document has; "
                f"fields are: {shorten(there, 300)}.{did_you_mean(name, columns)}"
            )
    return list(fields) or [name for name in columns if not _of_the_text(name)]


def _of_the_text(name: str) -> bool:
    """Whether a field says where in its document a chunk stands, or what it mentions, and not what the document is.

    Questions name such values for other reasons: a chunk that answers need not be one that says so most often.
    """
    return name in _PLACES or name.startswith(_MENTIONS) or name.endswith("_mentioned")


def _refuse_unknown(given: Mapping[str, object], columns: Mapping[str, Column]) -> None:
    known = {value for column in columns.values() for value in column.values if isinstance(value, str)}
    for value in given:
        if value not in known:
            raise ConfigurationError(
                f"The filter's aliases give another name to '{shorten(value)}', which no metadata field holds as a "
                f"text; write it as the documents do.{did_you_mean(value, known)}"
            )


def _any(name: str, found: Sequence[Named], text: str) -> Guess:
    values = tuple(dict.fromkeys(one.value for one in found))
    said = ", ".join(dict.fromkeys(text[one.begin : one.end] for one in found))
    return among(name, values, max(one.confidence for one in found), said)


def _numbers(columns: Mapping[str, Column], times: TimeFields) -> dict[str, tuple[str, Mapping[int, MetadataValue]]]:
    """Return the fields of small whole numbers, by the last word of their name."""
    found: dict[str, tuple[str, Mapping[int, MetadataValue]]] = {}
    for name, column in columns.items():
        values = [column.values[int(code)] for code in np.unique(column.codes[column.codes >= 0])]
        whole = [v for v in values if isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 1000]
        own = words(name)
        if name not in times.names and own and values and len(whole) == len(values):
            found[folded(own[-1].written)] = name, {int(v): v for v in whole}
    return found


def _numbers_at(own: Sequence[Word], place: int) -> list[int]:
    """Return the numbers beside the name of a field: "edition 3", "third edition", "first to the second edition"."""
    found = []
    behind = place + 1
    if behind < len(own) and own[behind].folded in _NUMBER_WORDS:
        behind += 1
    if behind < len(own) and own[behind].folded.isdigit():
        found.append(int(own[behind].folded))
    before = place - 1
    while before >= 0 and ((number := _ordinal(own[before].folded)) or (found and own[before].folded in _LINKS)):
        found += [number] if number else []
        before -= 1
    return found


def _ordinal(word: str) -> int | None:
    told = _ORDINAL.fullmatch(word)
    return int(told[1]) if told else _ORDINALS.get(word)
