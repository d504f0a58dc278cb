"""BM25: shared words, weighted by their rarity, by the bm25s library."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from pipelines.records import FloatArray, Rankings
from pipelines.stages.retrieve import Corpus, Lookup, Retriever
from pipelines.topk import padded, top_k

Stemmer = Literal[
    "none", "english", "german", "french", "spanish", "italian", "portuguese", "dutch", "swedish", "finnish"
]
StopWords = Literal["none", "english", "german", "french", "spanish", "italian", "portuguese", "dutch", "swedish"]
_SCORES_AT_ONCE = 4_000_000  # 16 MiB


class BM25Retriever(Retriever, name="bm25", version=1):
    """Rank by shared words, the rare ones first. Strong on names, codes and numbers; blind to other wordings.

    A chunk that shares no word with the query is no hit, so a ranking may be shorter than `depth`.
    """

    needs_texts = True

    k1: float = Field(1.5, ge=0.0, le=5.0, description="How much a word's repetition counts")
    b: float = Field(0.75, ge=0.0, le=1.0, description="How much long chunks are marked down")
    stemmer: Stemmer = Field("english", description="Language whose endings are cut off, so that 'banks' meets 'bank'")
    stop_words: StopWords = Field("english", description="Language whose most frequent words are ignored")

    def open(self, corpus: Corpus) -> _BM25Searcher:
        """Tokenise and index the corpus."""
        import bm25s

        tokens = self._tokens(corpus.texts, as_ids=True)
        if not any(tokens.ids):
            return _BM25Searcher(self, None, len(corpus.texts))
        index = bm25s.BM25(k1=self.k1, b=self.b)
        index.index(tokens, show_progress=False)
        return _BM25Searcher(self, index, len(corpus.texts))

    def _tokens(self, texts: Sequence[str], as_ids: bool = False) -> Any:
        """Return the words of every text, list[list[str]], or as numbers in a vocabulary, which takes less to index."""
        import bm25s
        import Stemmer as stemmers

        return bm25s.tokenize(
            [unicodedata.normalize("NFKC", text).lower() for text in texts],
            token_pattern=r"(?u)\b\w+\b",  # noqa: S106
            stopwords=None if self.stop_words == "none" else self.stop_words,
            stemmer=None if self.stemmer == "none" else stemmers.Stemmer(self.stemmer),
            return_ids=as_ids,
            show_progress=False,
        )


@dataclass(frozen=True)
class _BM25Searcher:
    retriever: BM25Retriever
    index: Any
    n_chunks: int

    def search(self, lookup: Lookup) -> Rankings:
        depth = min(lookup.depth or self.retriever.depth, self.n_chunks)
        rankings = Rankings.empty(len(lookup.texts), depth)
        if self.index is None:
            return rankings
        tokens = self.retriever._tokens(lookup.texts)
        step = max(1, _SCORES_AT_ONCE // max(1, self.n_chunks))
        for rows, allowed in lookup.candidates.groups():
            left = None if allowed is None else allowed.astype(np.float32)
            for at in range(0, len(rows), step):
                part = rows[at : at + step]
                scores = np.empty((len(part), self.n_chunks), dtype=np.float32)
                for i, row in enumerate(part):
                    scores[i] = self._scores(tokens[row])
                if left is not None:
                    scores *= left
                columns, values = top_k(scores, depth)
                found = padded(columns, np.where(values > 0, values, np.float32(-np.inf)), depth)
                rankings.chunk[part], rankings.score[part] = found.chunk, found.score
        return rankings

    def _scores(self, tokens: list[str]) -> FloatArray:
        ids = self.index.get_tokens_ids(tokens)
        if len(ids) == 0:
            return np.zeros(self.n_chunks, dtype=np.float32)
        scores: FloatArray = np.asarray(self.index.get_scores_from_ids(ids), dtype=np.float32)
        return scores
