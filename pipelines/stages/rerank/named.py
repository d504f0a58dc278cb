"""What a question names of the chunks' metadata: values whose every word stands in it, and words of their headings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.records import PADDING, BoolArray, Column, DoubleArray, IntArray, LongArray, MetadataValue
from pipelines.stages.rerank.words import Asked, Stemmer, sparse_rows, words_of

_MOST_VALUES = 2_000
_HEADINGS = ("title", "section", "first line")


@dataclass(frozen=True)
class Named:
    """For each field: `codes` of the chunks, int32 [n_chunks], and which values each question names.

    The latter is bool [n_questions, n_values + 1]; the last column, of no value, is False.
    """

    fields: tuple[tuple[IntArray, BoolArray], ...]

    @classmethod
    def of(cls, columns: Mapping[str, Column], questions: Sequence[str], stemmer: Stemmer) -> Named:
        """Look for the values of every field but headings, at most 2,000 of a field, in every question."""
        chosen = [c for name, c in columns.items() if name not in _HEADINGS and 0 < len(c.values) <= _MOST_VALUES]
        asked = [set(row) for row in words_of(questions, stemmer)]
        return cls(tuple((column.codes, _named(column, asked, stemmer)) for column in chosen))

    def same(self, row: LongArray, chunk: LongArray) -> DoubleArray:
        """Return in how many fields question `row[i]` names the value of chunk `chunk[i]`, float64 [n_pairs]."""
        return _sum((named[row, codes[chunk]] for codes, named in self.fields), len(row))

    def other(self, row: LongArray, chunk: LongArray) -> DoubleArray:
        """Return in how many fields it names another value, and not the chunk's, float64 [n_pairs]."""
        others = (_any(named)[row] & ~named[row, codes[chunk]] for codes, named in self.fields)
        return _sum(others, len(row))


def _any(named: BoolArray) -> BoolArray:
    """Return which questions name any value."""
    found: BoolArray = np.logical_or.reduce(named, axis=1)
    return found


def _sum(parts: Iterable[BoolArray], n: int) -> DoubleArray:
    total = np.zeros(n)
    for part in parts:
        total += part
    return total


def _named(column: Column, asked: Sequence[set[str]], stemmer: Stemmer) -> BoolArray:
    """Return which values have all their words in each question, bool [n_questions, n_values + 1]."""
    words = [set(own) for own in words_of([str(value) for value in column.values], stemmer)]
    place = {word: i for i, word in enumerate(sorted(set().union(*words)))}
    values = sparse_rows([np.asarray(sorted(place[w] for w in own), dtype=np.int64) for own in words], len(place))
    held = [np.asarray(sorted(place[w] for w in own & place.keys()), dtype=np.int64) for own in asked]
    shared = (sparse_rows(held, len(place)) @ values.T).toarray()
    sizes = np.asarray([len(own) for own in words])
    named = np.zeros((len(asked), len(words) + 1), dtype=np.bool_)
    named[:, :-1] = (shared == sizes) & (sizes > 0)
    return named


def headings(columns: Mapping[str, Column], asked: Asked, row: LongArray, chunk: LongArray) -> DoubleArray:
    """Return the share, by weight, of the question's words that stand in the chunk's title or headings."""
    own = [columns[name] for name in _HEADINGS if name in columns]
    lexicon = asked.lexicon
    texts: dict[tuple[int, ...], int] = {}
    codes = np.stack([column.codes for column in own], axis=1) if own else np.zeros((len(lexicon.ids), 0), np.int32)
    text = np.asarray([texts.setdefault(tuple(r), len(texts)) for r in codes.tolist()], dtype=np.int64)
    joined = [" ".join(str(c.values[k]) for c, k in zip(own, key, strict=True) if k != PADDING) for key in texts]
    rows = words_of(joined, lexicon.stemmer)
    known = [sorted({lexicon.vocabulary[w] for w in words if w in lexicon.vocabulary}) for words in rows]
    held = sparse_rows([np.asarray(k, dtype=np.int64) for k in known], len(lexicon.vocabulary))
    if not len(row):
        return np.zeros(0)
    shared = asked.held[row].multiply(held[text[chunk]]) @ lexicon.idf
    return np.asarray(shared).ravel() / np.maximum(asked.weight[row], 1e-12)


def conflicts(
    columns: Mapping[str, Column], known: Sequence[Mapping[str, MetadataValue]], row: LongArray, chunk: LongArray
) -> tuple[DoubleArray, DoubleArray]:
    """Return in how many fields the chunk has the value that its question is labelled with, and in how many another."""
    same, other = np.zeros(len(row)), np.zeros(len(row))
    for name, column in columns.items():
        place = {value: i for i, value in enumerate(column.values)}
        wanted = np.asarray([place.get(own[name], -2) if name in own else -3 for own in known], dtype=np.int64)
        codes = column.codes[chunk]
        labelled = wanted[row] != -3
        same += labelled & (codes == wanted[row])
        other += labelled & (codes != wanted[row]) & (codes != PADDING)
    return same, other
