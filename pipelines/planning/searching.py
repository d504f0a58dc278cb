"""How questions are put to a searcher: each query under its question's candidates, several fused by rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.records import PADDING, Candidates, FloatArray, Queries, Rankings
from pipelines.stages.retrieve import Lookup, Searcher
from pipelines.stages.retrieve.rules import RuledSearcher, Rules, capped
from pipelines.topk import fuse

_RRF_K = 60


@dataclass(frozen=True)
class Search:
    """What is looked for, for all questions at once. Row q of `candidates` belongs to question q.

    `vectors` is float32 [n_queries, dimensions], None where none are needed; `terms` are each query's weighted words,
    None where the words of its text are looked for.
    """

    queries: Queries
    candidates: Candidates
    vectors: FloatArray | None = None
    terms: tuple[Mapping[str, float], ...] | None = None

    def by(self, searcher: Searcher, depth: int | None = None) -> Rankings:
        """Return the ranking of every question; `depth` None is the retriever's own."""
        queries = self.queries
        asked = self.candidates.rows(queries.question)
        found = searcher.search(Lookup(queries.texts, asked, self.vectors, depth, self.terms))
        return per_question(found, queries, searcher.rules if isinstance(searcher, RuledSearcher) else None)

    def only(self, row: int) -> Search:
        """Return the search of one question alone, as a person asks it."""
        queries, own = self.queries.of_question(row)
        candidates = self.candidates.rows(slice(row, row + 1))
        vectors = None if self.vectors is None else self.vectors[own]
        return Search(queries, candidates, vectors, None if self.terms is None else tuple(self.terms[i] for i in own))


def per_question(rankings: Rankings, queries: Queries, rules: Rules | None = None) -> Rankings:
    """Fuse the rankings of a question's several queries by reciprocal rank, where questions may have several.

    What each query finds is under `rules` already; how many chunks a document gives is seen to again after the fusion.
    """
    alone = queries.rrf_k is None and len(queries.texts) == queries.n_questions
    if alone or not queries.texts:
        return rankings
    gain = np.broadcast_to(1.0 / ((queries.rrf_k or _RRF_K) + np.arange(1, rankings.depth + 1)), rankings.chunk.shape)
    nth = np.arange(len(queries.question)) - np.searchsorted(queries.question, queries.question)
    parts = []
    for n in range(int(nth.max()) + 1):
        chunk = np.full((queries.n_questions, rankings.depth), PADDING, dtype=np.int32)
        earned = np.zeros(chunk.shape)
        rows = queries.question[nth == n]
        chunk[rows], earned[rows] = rankings.chunk[nth == n], gain[nth == n]
        parts.append((chunk, earned))
    if rules is None or rules.per_document is None:
        return fuse(parts, rankings.depth)
    return capped(fuse(parts, len(parts) * rankings.depth), rules.document, rules.per_document).cut(rankings.depth)
