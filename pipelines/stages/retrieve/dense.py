"""Dense retrieval: nearness of vectors."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.records import Rankings, Searchable
from pipelines.stages.retrieve import Corpus, Lookup, Retriever


class DenseRetriever(Retriever, name="dense", version=1):
    """Rank by the nearness of query and chunk vectors. Finds what is said in other words; weak on names and numbers.

    Choose it where questions use other words than the texts. It costs embedding the corpus once, and a question's
    vector (some 10 ms) for each question.
    """

    needs_vectors = True

    def read(self, corpus: Corpus) -> _DenseSearcher:
        """Take the opened index."""
        if corpus.index is None:
            raise TypeError("dense retrieval needs an index")
        return _DenseSearcher(corpus.index, self.depth, len(corpus.texts))


@dataclass(frozen=True)
class _DenseSearcher:
    index: Searchable
    depth: int
    n_chunks: int

    def search(self, lookup: Lookup) -> Rankings:
        if lookup.vectors is None:
            raise TypeError("dense retrieval needs query vectors")
        depth = min(lookup.depth or self.depth, self.n_chunks)
        rankings = Rankings.empty(len(lookup.texts), depth)
        for rows, allowed in lookup.candidates.groups():
            part = self.index.search(lookup.vectors[rows], depth, allowed)
            rankings.chunk[rows], rankings.score[rows] = part.chunk, part.score
        return rankings
