"""What can be told of a question and a retrieved chunk in numbers: how it was found, what it says, where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.records import PADDING, BoolArray, Chunks, DoubleArray, FloatArray, IntArray, LongArray, Rankings
from pipelines.stages.rerank import Retrieved
from pipelines.stages.rerank.lexical import from_0_to_1
from pipelines.stages.rerank.named import METADATA, conflicts
from pipelines.stages.rerank.words import LEXICONS, Asked, Stemmer, shared_weight

VERSION = 1
"""Raise it when the same inputs would give other features."""

Features = dict[str, DoubleArray]


@dataclass(frozen=True)
class Pairs:
    """The first `depth` chunks of all questions, flat: `row`, `rank` (from 0) and `chunk`, int64 [n_pairs] each."""

    retrieved: Retrieved
    given: Rankings
    stemmer: Stemmer
    row: LongArray
    rank: LongArray
    chunk: LongArray

    @classmethod
    def of(cls, retrieved: Retrieved, depth: int, stemmer: Stemmer) -> Pairs:
        """Lay out the pairs, in the order of `pairs_of`."""
        given = retrieved.rankings.cut(depth)
        row, rank = np.nonzero(given.chunk != PADDING)
        return cls(retrieved, given, stemmer, row, rank, given.chunk[row, rank].astype(np.int64))

    @cached_property
    def asked(self) -> Asked:
        """The questions as words of the corpus."""
        return LEXICONS.of(self.retrieved.texts, self.stemmer).asked(self.retrieved.questions)

    @property
    def chunks(self) -> Chunks:
        """The chunks with their columns."""
        if self.retrieved.circumstances is None:
            raise TypeError("features need to know how the chunks were found")
        return self.retrieved.circumstances.chunks

    @property
    def leaves(self) -> Mapping[str, Rankings]:
        """The rankings by each searcher."""
        return {} if self.retrieved.circumstances is None else self.retrieved.circumstances.leaves

    def table(self, known: bool) -> tuple[tuple[str, ...], FloatArray]:
        """Return the names of the features and their values, float32 [n_pairs, n_features]."""
        parts = (_found(self), _leaves(self), _words(self), _place(self), _company(self), _metadata(self, known))
        features = {name: values for part in parts for name, values in part.items()}
        columns = [np.asarray(values, dtype=np.float32) for values in features.values()]
        return tuple(features), np.stack(columns, axis=1) if len(self.row) else np.zeros((0, len(features)), np.float32)


def _found(pairs: Pairs) -> Features:
    """How it was ranked: reciprocal rank, score, score within the list, and how far below the one before."""
    given = pairs.given
    scaled = from_0_to_1(given)
    gap = np.zeros(given.chunk.shape)
    gap[:, 1:] = np.where(given.chunk[:, 1:] == PADDING, 0.0, scaled[:, :-1] - scaled[:, 1:])
    at = pairs.row, pairs.rank
    return {
        "reciprocal_rank": 1 / (pairs.rank + 1.0),
        "rank": pairs.rank.astype(np.float64),
        "score": given.score[at].astype(np.float64),
        "score_in_list": scaled[at],
        "below_the_one_before": gap[at],
        "list_best": given.score.max(axis=1, initial=0.0).astype(np.float64)[pairs.row],
    }


def _leaves(pairs: Pairs) -> Features:
    """Where each searcher of a fusion had it: reciprocal rank, score and score within its list; 0 where it had not."""
    found: Features = {}
    for name, ranking in pairs.leaves.items():
        rank = rank_in(ranking, pairs.row, pairs.chunk)
        there, at = rank >= 0, np.maximum(rank, 0)
        scaled = from_0_to_1(ranking)
        if ranking.depth == 0:
            there, scaled = np.zeros(len(rank), dtype=np.bool_), np.zeros((ranking.n_questions, 1))
        score = ranking.score if ranking.depth else scaled
        found[f"{name}_reciprocal_rank"] = np.where(there, 1 / (at + 1.0), 0.0)
        found[f"{name}_score"] = np.where(there, score[pairs.row, at], 0.0)
        found[f"{name}_score_in_list"] = np.where(there, scaled[pairs.row, at], 0.0)
    return found


def rank_in(ranking: Rankings, row: LongArray, chunk: LongArray) -> LongArray:
    """Return the rank, from 0, of chunk `chunk[i]` in row `row[i]` of a ranking; -1 where it is not there."""
    rows, ranks = np.nonzero(ranking.chunk != PADDING)
    n_chunks = int(max(ranking.chunk.max(initial=0), chunk.max(initial=0))) + 1
    keys = rows * n_chunks + ranking.chunk[rows, ranks]
    order = np.argsort(keys)
    wanted = row * n_chunks + chunk
    place = np.searchsorted(keys[order], wanted)
    inside = np.minimum(place, max(0, len(keys) - 1))
    if not len(keys):
        return np.full(len(row), -1, dtype=np.int64)
    return np.where((place < len(keys)) & (keys[order][inside] == wanted), ranks[order][inside], -1)


def _words(pairs: Pairs) -> Features:
    """Which words question and chunk share, and how long both are."""
    asked, row, chunk = pairs.asked, pairs.row, pairs.chunk
    n_asked = np.asarray([len(own) for own in asked.ids], dtype=np.float64)
    numbers = _numbers(pairs)
    return {
        "coverage": asked.coverage(row, chunk),
        "f1": asked.f1(row, chunk),
        "rouge_l": asked.rouge_l(row, chunk),
        "numbers_shared": numbers,
        "question_words": n_asked[row],
        "chunk_words": asked.lexicon.lengths[chunk],
    }


def _numbers(pairs: Pairs) -> DoubleArray:
    """Return how many of the question's words with a digit the chunk holds."""
    lexicon = pairs.asked.lexicon
    return shared_weight(pairs.asked.held, lexicon.held, (pairs.row, pairs.chunk), lexicon.digits)


def _place(pairs: Pairs) -> Features:
    """Where in its document the chunk stands, and how many chunks that has."""
    document = pairs.chunks.document
    n_documents = int(document.max(initial=-1)) + 1
    sizes = np.bincount(document, minlength=n_documents)
    first = np.cumsum(sizes) - sizes
    nth = np.arange(len(document)) - first[document]
    place = nth / np.maximum(sizes[document] - 1, 1)
    own = pairs.chunk
    return {
        "place_in_document": place[own],
        "chunks_before": nth[own].astype(np.float64),
        "chunks_of_document": sizes[document][own].astype(np.float64),
    }


def _company(pairs: Pairs) -> Features:
    """What else was found of its document: how many chunks, the best of them, and its two neighbours' ranks."""
    document, given = pairs.chunks.document, pairs.given
    owner = document[pairs.chunk].astype(np.int64)
    key = pairs.row * (int(document.max(initial=0)) + 1) + owner
    _, group = np.unique(key, return_inverse=True)
    n = np.bincount(group)
    best = np.full(len(n), np.inf)
    np.minimum.at(best, group, pairs.rank)
    mass = np.bincount(group, weights=1 / (pairs.rank + 1.0))
    last = len(document) - 1
    neighbours = []
    for other in (pairs.chunk - 1, pairs.chunk + 1):
        inside = np.clip(other, 0, last)
        same = (other >= 0) & (other <= last) & (document[inside] == owner)
        rank = rank_in(given, pairs.row, inside)
        neighbours.append(np.where(same & (rank >= 0), 1 / (np.maximum(rank, 0) + 1.0), 0.0))
    return {
        "found_of_document": n[group].astype(np.float64),
        "document_reciprocal_rank": 1 / (best[group] + 1),
        "document_mass": mass[group],
        "before_reciprocal_rank": neighbours[0],
        "after_reciprocal_rank": neighbours[1],
    }


def _metadata(pairs: Pairs, known: bool) -> Features:
    """What the question names of the chunk's metadata, title and headings, or of other values of the same fields."""
    asked, columns = pairs.asked, pairs.chunks.columns
    metadata = METADATA.of(pairs.chunks, asked.lexicon)
    same, other = metadata.named(pairs.retrieved.questions, pairs.row, pairs.chunk)
    found: Features = {
        "metadata_named": same,
        "metadata_other": other,
        "heading_coverage": metadata.heading_coverage(asked, pairs.row, pairs.chunk),
    }
    if known and pairs.retrieved.circumstances is not None:
        same, other = conflicts(columns, pairs.retrieved.circumstances.known, pairs.row, pairs.chunk)
        found |= {"known_same": same, "known_other": other}
    return found


def relevant_of(
    given: Rankings, chunks: Chunks, spans: Sequence[tuple[IntArray, IntArray, IntArray]], coverage: float
) -> BoolArray:
    """Return, bool [n_questions, depth], which chunks hold `coverage` of a piece of evidence, or of themselves.

    `spans` are (document, start, end) of each question's evidence, [n_evidence] each; what is handed on of a chunk, its
    context span, is what counts.
    """
    found = np.zeros(given.chunk.shape, dtype=np.bool_)
    for row, (document, start, end) in enumerate(spans):
        own = given.chunk[row][given.chunk[row] != PADDING]
        first, last = chunks.context_start[own][:, None], chunks.context_end[own][:, None]
        shared = np.minimum(last, end) - np.maximum(first, start)
        needed = coverage * np.minimum(end - start, last - first)
        hit = (chunks.document[own][:, None] == document) & (shared > 0) & (shared >= needed - 1e-9)
        found[row, : len(own)] = hit.any(axis=1)
    return found
