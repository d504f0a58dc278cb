"""What a question names of the chunks' metadata: values whose every word stands in it, and words of their headings."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipelines.records import PADDING, BoolArray, Chunks, Column, DoubleArray, IntArray, LongArray, MetadataValue
from pipelines.stages.rerank.words import Asked, Lexicon, Stemmer, shared_weight, sparse_rows, words_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_MOST_VALUES = 2_000
_HEADINGS = ("title", "section", "first line")
_HELD = 2


@dataclass(frozen=True, eq=False)
class Values:
    """The values of one field as words: `codes` of the chunks, int32 [n_chunks], and which words each value has."""

    codes: IntArray
    place: dict[str, int]
    held: csr_matrix
    sizes: LongArray

    @classmethod
    def of(cls, column: Column, stemmer: Stemmer) -> Values:
        """Read the values of a column."""
        words = [set(own) for own in words_of([str(value) for value in column.values], stemmer)]
        place = {word: i for i, word in enumerate(sorted(set().union(*words)))}
        held = sparse_rows([_numbers(own, place) for own in words], len(place))
        return cls(column.codes, place, held, np.asarray([len(own) for own in words], dtype=np.int64))

    def named(self, asked: Sequence[set[str]]) -> BoolArray:
        """Return which values have all their words in each question, bool [n_questions, n_values + 1].

        The last column, of no value, is False.
        """
        shared = (sparse_rows([_numbers(own, self.place) for own in asked], len(self.place)) @ self.held.T).toarray()
        found = np.zeros((len(asked), len(self.sizes) + 1), dtype=np.bool_)
        found[:, :-1] = (shared == self.sizes) & (self.sizes > 0)
        return found


def _numbers(words: set[str], place: Mapping[str, int]) -> LongArray:
    return np.asarray(sorted(place[word] for word in words & place.keys()), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Metadata:
    """The metadata of all chunks as words: of every field but headings with 2,000 values at most; and the headings."""

    chunks: Chunks
    lexicon: Lexicon

    @cached_property
    def fields(self) -> tuple[Values, ...]:
        """The fields whose values may be named."""
        columns = self.chunks.columns.items()
        chosen = [c for name, c in columns if name not in _HEADINGS and 0 < len(c.values) <= _MOST_VALUES]
        return tuple(Values.of(column, self.lexicon.stemmer) for column in chosen)

    @cached_property
    def _headings(self) -> tuple[LongArray, csr_matrix]:
        """Which distinct heading each chunk has, and the words of each: [n_headings, n_words]."""
        own = [self.chunks.columns[name] for name in _HEADINGS if name in self.chunks.columns]
        codes = np.stack([c.codes for c in own], axis=1) if own else np.zeros((len(self.chunks), 0), dtype=np.int32)
        distinct, of_chunk = np.unique(codes, axis=0, return_inverse=True)
        texts = [" ".join(str(c[k]) for c, k in zip(map(_values, own), row, strict=True)) for row in distinct.tolist()]
        vocabulary = self.lexicon.vocabulary
        rows = [_numbers(set(words), vocabulary) for words in words_of(texts, self.lexicon.stemmer)]
        return of_chunk.reshape(-1).astype(np.int64), sparse_rows(rows, len(vocabulary))

    def named(self, questions: Sequence[str], row: LongArray, chunk: LongArray) -> tuple[DoubleArray, DoubleArray]:
        """Return in how many fields question `row[i]` names the value of chunk `chunk[i]`, and in how many another."""
        asked = [set(words) for words in words_of(questions, self.lexicon.stemmer)]
        same, other = np.zeros(len(row)), np.zeros(len(row))
        for field in self.fields:
            named = field.named(asked)
            own = named[row, field.codes[chunk]]
            same += own
            other += np.logical_or.reduce(named, axis=1)[row] & ~own
        return same, other

    def heading_coverage(self, asked: Asked, row: LongArray, chunk: LongArray) -> DoubleArray:
        """Return the share, by weight, of the question's words that stand in the chunk's title or headings."""
        of_chunk, held = self._headings
        shared = shared_weight(asked.held, held, (row, of_chunk[chunk]), self.lexicon.idf)
        return np.asarray(shared / np.maximum(asked.weight[row], 1e-12))


def _values(column: Column) -> tuple[MetadataValue, ...]:
    """Return the values of a column by code; the last one, of code -1, is empty."""
    return (*column.values, "")


class MetadataHeld:
    """The metadata that were read last, two at most: single questions are asked of chunks that stay the same."""

    def __init__(self) -> None:
        self._held: list[Metadata] = []
        self._turn = threading.Lock()

    def of(self, chunks: Chunks, lexicon: Lexicon) -> Metadata:
        """Return the metadata of chunks, read anew unless of the very same ones."""
        with self._turn:
            for one in self._held:
                if one.chunks is chunks and one.lexicon is lexicon:
                    return one
            self._held = [*self._held[1 - _HELD :], Metadata(chunks, lexicon)]
            return self._held[-1]


METADATA = MetadataHeld()


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
