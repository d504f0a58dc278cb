"""Texts as words for comparing a question with a chunk: counted, weighted by rarity, and in their order."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipelines.records import DoubleArray, IntArray, LongArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Stemmer = Literal[
    "none", "english", "german", "french", "spanish", "italian", "portuguese", "dutch", "swedish", "finnish"
]
_WORD = re.compile(r"\w+")
_HELD = 2
_PAIRS_AT_ONCE = 20_000


def words_of(texts: Sequence[str], stemmer: Stemmer) -> list[list[str]]:
    """Return the words of each text, in lower case, their endings cut off where a language is named."""
    found = [_WORD.findall(unicodedata.normalize("NFKC", text).casefold()) for text in texts]
    if stemmer == "none":
        return found
    import Stemmer as stemmers

    cut: Any = stemmers.Stemmer(stemmer)
    return [cut.stemWords(words) for words in found]


@dataclass(frozen=True, eq=False)
class Lexicon:
    """All chunks of a corpus as words: `ids[i]` are those of chunk i in their order, as numbers of the vocabulary."""

    stemmer: Stemmer
    vocabulary: dict[str, int]
    ids: tuple[LongArray, ...]

    @classmethod
    def of(cls, texts: Sequence[str], stemmer: Stemmer) -> Lexicon:
        """Read a corpus."""
        vocabulary: dict[str, int] = {}
        ids = [[vocabulary.setdefault(word, len(vocabulary)) for word in row] for row in words_of(texts, stemmer)]
        return cls(stemmer, vocabulary, tuple(np.asarray(row, dtype=np.int64) for row in ids))

    @cached_property
    def held(self) -> csr_matrix:
        """Which chunk holds which word, 1 or 0: a sparse matrix [n_chunks, n_words]."""
        return sparse_rows([np.unique(row) for row in self.ids], len(self.vocabulary))

    @cached_property
    def idf(self) -> DoubleArray:
        """Return how rare each word is, ln(1 + (N - n + 0.5) / (n + 0.5)), float64 [n_words]."""
        n = np.asarray(self.held.sum(axis=0)).ravel()
        return np.asarray(np.log1p((len(self.ids) - n + 0.5) / (n + 0.5)))

    @cached_property
    def digits(self) -> DoubleArray:
        """Return 1 for each word with a digit, float64 [n_words]."""
        return np.asarray([float(any(c.isdigit() for c in word)) for word in self.vocabulary] or [0.0])

    @cached_property
    def weight(self) -> DoubleArray:
        """What the distinct words of each chunk weigh together, float64 [n_chunks]."""
        return np.asarray(self.held @ self.idf)

    @cached_property
    def lengths(self) -> DoubleArray:
        """How many words each chunk has, float64 [n_chunks]."""
        return np.asarray([len(own) for own in self.ids], dtype=np.float64)

    @property
    def unknown_idf(self) -> float:
        """How rare a word is that no chunk holds."""
        return float(np.log1p((len(self.ids) + 0.5) / 0.5))

    def asked(self, questions: Sequence[str]) -> Asked:
        """Return questions as words of this vocabulary; those that no chunk holds are -1."""
        rows = words_of(questions, self.stemmer)
        numbers = [np.asarray([self.vocabulary.get(word, -1) for word in row], dtype=np.int64) for row in rows]
        beyond = [len(set(row) - self.vocabulary.keys()) for row in rows]
        return Asked(self, tuple(numbers), np.asarray(beyond, dtype=np.int32))


@dataclass(frozen=True, eq=False)
class Asked:
    """Questions as words; `beyond` is how many distinct words of each no chunk holds, int32 [n_questions]."""

    lexicon: Lexicon
    ids: tuple[LongArray, ...]
    beyond: IntArray

    @cached_property
    def held(self) -> csr_matrix:
        """Which question holds which known word: a sparse matrix [n_questions, n_words]."""
        return sparse_rows([np.unique(row[row >= 0]) for row in self.ids], len(self.lexicon.vocabulary))

    @cached_property
    def weight(self) -> DoubleArray:
        """What the distinct words of each question weigh together, float64 [n_questions]."""
        return np.asarray(self.held @ self.lexicon.idf + self.beyond * self.lexicon.unknown_idf)

    def shared(self, row: LongArray, chunk: LongArray) -> DoubleArray:
        """Return what the words weigh that question `row[i]` and chunk `chunk[i]` share, float64 [n_pairs]."""
        return shared_weight(self.held, self.lexicon.held, (row, chunk), self.lexicon.idf)

    def coverage(self, row: LongArray, chunk: LongArray) -> DoubleArray:
        """Return the share, by weight, of each question's words that its chunk holds, float64 [n_pairs]."""
        return np.asarray(self.shared(row, chunk) / np.maximum(self.weight[row], 1e-12))

    def f1(self, row: LongArray, chunk: LongArray) -> DoubleArray:
        """Return 2 x shared / (weight of the question's words + weight of the chunk's), float64 [n_pairs]."""
        both = self.weight[row] + self.lexicon.weight[chunk]
        return np.asarray(2 * self.shared(row, chunk) / np.maximum(both, 1e-12))

    def rouge_l(self, row: LongArray, chunk: LongArray) -> DoubleArray:
        """Return the longest common subsequence of words as a share of the question's words (Lin, 2004)."""
        from rapidfuzz.distance import LCSseq

        mine = [own.tolist() for own in self.ids]
        theirs = {c: self.lexicon.ids[c].tolist() for c in np.unique(chunk).tolist()}
        pairs = zip(row.tolist(), chunk.tolist(), strict=True)
        return np.asarray([LCSseq.similarity(mine[r], theirs[c]) / max(1, len(mine[r])) for r, c in pairs])


def shared_weight(
    asked: csr_matrix, held: csr_matrix, pairs: tuple[LongArray, LongArray], weight: DoubleArray
) -> DoubleArray:
    """Return what the words weigh that row `pairs[0][i]` of `asked` and row `pairs[1][i]` of `held` share, [n_pairs].

    20,000 pairs at a time, so that memory is bounded.
    """
    row, chunk = pairs
    blocks = [slice(at, at + _PAIRS_AT_ONCE) for at in range(0, len(row), _PAIRS_AT_ONCE)]
    parts = [np.asarray(asked[row[own]].multiply(held[chunk[own]]) @ weight).ravel() for own in blocks]
    return np.concatenate([np.zeros(0), *parts])


def sparse_rows(rows: Sequence[LongArray], n_columns: int) -> csr_matrix:
    """Return a sparse matrix of ones at `rows[i]` in row i."""
    from scipy.sparse import csr_matrix

    bounds = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
    return csr_matrix((np.ones(len(columns)), columns, bounds), shape=(len(rows), max(1, n_columns)))


class Lexicons:
    """The corpora that were read last, two at most: single questions are asked of one that stays the same."""

    def __init__(self) -> None:
        self._held: list[tuple[Sequence[str], Lexicon]] = []
        self._turn = threading.Lock()

    def of(self, texts: Sequence[str], stemmer: Stemmer) -> Lexicon:
        """Return the words of a corpus, read anew unless the very same texts were read before."""
        with self._turn:
            for held, lexicon in self._held:
                if held is texts and lexicon.stemmer == stemmer:
                    return lexicon
            lexicon = Lexicon.of(texts, stemmer)
            self._held = [*self._held[1 - _HELD :], (texts, lexicon)]
            return lexicon


LEXICONS = Lexicons()
