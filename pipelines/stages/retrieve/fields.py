"""BM25F: the words of several fields weighted before they saturate (Robertson and Zaragoza, 2009, section 3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.records import PADDING, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix, csr_matrix


@dataclass(frozen=True)
class FieldWords:
    """The words of one field: those of each distinct value, and which value each chunk has (-1: none).

    `codes` is int32 [n_chunks]. A word counts `weight` times; `b` is how much long values are marked down.
    """

    words: Sequence[Sequence[str]]
    codes: IntArray
    weight: float
    b: float


@dataclass(frozen=True)
class FieldIndex:
    """What every word is worth in every chunk: a sparse matrix [n_chunks, n_words], by column."""

    vocabulary: dict[str, int]
    worth: csc_matrix

    def scores(self, words: Sequence[str]) -> FloatArray:
        """Return the score of every chunk, float32 [n_chunks]; a word that stands twice in a query counts twice."""
        total = np.zeros(self.worth.shape[0], dtype=np.float32)
        for word in words:
            column = self.vocabulary.get(word)
            if column is not None:
                held = slice(*self.worth.indptr[column : column + 2])
                total[self.worth.indices[held]] += self.worth.data[held]
        return total


def field_index(fields: Sequence[FieldWords], k1: float) -> FieldIndex:
    """Weigh every word by idf x tf / (k1 + tf), where tf is its weighted frequency over all fields.

    tf = sum over fields of weight x count / (1 - b + b x length / mean length), the mean over chunks that have the
    field. idf = ln(1 + (N - n + 0.5) / (n + 0.5)) with n the chunks that hold the word in any field, as in Lucene: with
    the body alone this is BM25.
    """
    vocabulary: dict[str, int] = {}
    for field in fields:
        for row in field.words:
            for word in row:
                vocabulary.setdefault(word, len(vocabulary))
    total = sum((_frequencies(field, vocabulary) for field in fields[1:]), _frequencies(fields[0], vocabulary)).tocsc()
    n_chunks = total.shape[0]
    holding = np.diff(total.indptr)
    idf = np.log1p((n_chunks - holding + 0.5) / (holding + 0.5))
    total.data = np.repeat(idf, holding) * total.data / (k1 + total.data)
    return FieldIndex(vocabulary, total.astype(np.float32))


def _frequencies(field: FieldWords, vocabulary: dict[str, int]) -> csr_matrix:
    """Return the weighted, length-normalised frequency of every word in every chunk's field: [n_chunks, n_words]."""
    from scipy.sparse import csr_matrix

    lengths = np.asarray([len(row) for row in field.words] + [0], dtype=np.float64)
    columns = np.asarray([vocabulary[word] for row in field.words for word in row], dtype=np.int64)
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)  # The last row, empty, is that of no value.
    counts = csr_matrix((np.ones(len(columns)), columns, bounds), shape=(len(lengths), max(1, len(vocabulary))))
    counts.sum_duplicates()
    own = lengths[field.codes[field.codes != PADDING]]
    mean = own.mean() if own.any() else 1.0
    scale = field.weight / np.maximum(1 - field.b + field.b * lengths / mean, 1e-9)
    counts.data *= np.repeat(scale, np.diff(counts.indptr))
    return counts[np.where(field.codes == PADDING, len(field.words), field.codes)]
