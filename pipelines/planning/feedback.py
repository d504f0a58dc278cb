"""The second search of a pipeline with feedback: what the first one found decides what it looks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.planning.searching import Search
from pipelines.records import PADDING, FloatArray, Rankings
from pipelines.stages.retrieve import Retriever, Searcher
from pipelines.stages.retrieve.bm25 import BM25Retriever
from pipelines.stages.transform import FeedbackTransformer, Transformer


def feeds(transform: Transformer, retriever: Retriever) -> bool:
    """Return whether a transformer feeds a retriever that searches itself."""
    if not isinstance(transform, FeedbackTransformer):
        return False
    return transform.feeds_vectors if retriever.needs_vectors else transform.feeds_words and _reads_words(retriever)


def _reads_words(retriever: Retriever) -> bool:
    return isinstance(retriever, BM25Retriever)


@dataclass(frozen=True)
class Feed:
    """What feeds one retriever: the text of every chunk, or its vector, float32 [n_chunks, dimensions]."""

    transform: FeedbackTransformer
    retriever: Retriever
    texts: Sequence[str] = ()
    vectors: FloatArray | None = None

    @property
    def first_depth(self) -> int:
        """How many chunks the first search returns."""
        return self.transform.looks_at(words=not self.retriever.needs_vectors)

    def aimed(self, search: Search, first: Rankings) -> Search:
        """Return the second search, given the first one and what it found."""
        if self.retriever.needs_vectors:
            if search.vectors is None or self.vectors is None:
                raise TypeError("feedback of vectors needs vectors")
            return replace(search, vectors=self.transform.moved(search.vectors, self.vectors, first))
        return replace(search, terms=self._terms(search.queries.texts, first.cut(self.first_depth)))

    def found(self, search: Search, searcher: Searcher, depth: int) -> Rankings:
        """Search twice."""
        return self.aimed(search, search.by(searcher, self.first_depth)).by(searcher, depth)

    def _terms(self, asked: Sequence[str], first: Rankings) -> tuple[Mapping[str, float], ...]:
        words, own = self._words(first), self._read(asked)
        found = []
        for tokens, chunks, scores in zip(own, first.chunk.tolist(), first.score.tolist(), strict=True):
            hits = [(words[chunk], score) for chunk, score in zip(chunks, scores, strict=True) if chunk != PADDING]
            found.append(self.transform.terms(tokens, [hit for hit, _ in hits], [score for _, score in hits]))
        return tuple(found)

    def _words(self, first: Rankings) -> dict[int, Sequence[str]]:
        """Return the words of every chunk that was found, each read once."""
        chunks = sorted({chunk for row in first.chunk.tolist() for chunk in row} - {PADDING})
        return dict(zip(chunks, self._read([self.texts[chunk] for chunk in chunks]), strict=True))

    def _read(self, texts: Sequence[str]) -> Sequence[Sequence[str]]:
        if not isinstance(self.retriever, BM25Retriever):
            raise TypeError(f"{self.retriever.name} reads no words")
        read: Sequence[Sequence[str]] = self.retriever.tokens(texts)
        return read
