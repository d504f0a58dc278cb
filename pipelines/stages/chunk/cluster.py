"""Groups of neighbouring small pieces that are nearest in meaning to one another, found by dynamic programming."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from pydantic import Field

from pipelines.models.named_tokenizers import CL100K, TokenizerName
from pipelines.records import DoubleArray, FloatArray, LongArray
from pipelines.stages.chunk import Span
from pipelines.stages.chunk.by_meaning import EMBEDDED, MeaningChunker, ModelName
from pipelines.stages.chunk.ruler import Ruler


class ClusterChunker(MeaningChunker, name="cluster", version=1):
    """Join small pieces into the chunks whose pieces are most alike. For long texts on many matters, without headings.

    The text is cut into pieces of at most `piece` tokens, as `recursive` does, and each is read by the model. Of all
    ways to join neighbours into chunks of at most `size` tokens, it takes the one with the greatest sum of similarities
    within chunks, each less the document's mean: ClusterSemanticChunker of Chroma's technical report *Evaluating
    Chunking Strategies for Retrieval* (2024). It costs one embedding of the corpus in small pieces, once a model and
    `piece`; another `size` costs next to nothing. Chunks are the shorter, the more alike all of a document is.
    """

    size: int = Field(256, ge=16, le=8192, description="Greatest chunk length", json_schema_extra={"unit": "tokens"})
    piece: int = Field(
        50,
        ge=16,
        le=512,
        description="Greatest length of the pieces that are joined; never more than a chunk",
        json_schema_extra={"unit": "tokens"},
    )
    tokenizer: TokenizerName = CL100K
    model: ModelName = EMBEDDED

    def units(self, text: str) -> list[Span]:
        """Return the pieces."""
        return list(Ruler.of(text, self.tokenizer).split(0, len(text), min(self.piece, self.size)))

    def read(self, text: str, units: Sequence[Span]) -> list[str]:
        """Return the pieces' texts."""
        return [text[start:end].strip() for start, end in units]

    def grouped(self, text: str, units: Sequence[Span], vectors: FloatArray) -> Iterable[Span]:
        """Return the pieces joined."""
        ruler = Ruler.of(text, self.tokenizer)
        first = np.searchsorted(ruler.at, [start for start, _ in units])
        breaks = best_breaks(vectors.astype(np.float64), np.append(first, len(ruler.at) - 1), self.size)
        return [(units[a][0], units[b - 1][1]) for a, b in pairwise(breaks)]

    def usual_tokens(self) -> float:
        """Return somewhat less than the greatest size: chunks end where the matter changes."""
        return 0.75 * self.size


def best_breaks(vectors: DoubleArray, tokens: LongArray, size: int) -> list[int]:
    """Return the bounds of the best groups of neighbours: rising, from 0 to n.

    `vectors` is float64 [n, dimensions]; piece i holds the tokens from `tokens[i]` to `tokens[i + 1]`, int64 [n + 1].
    A group's worth is the sum over its pairs of their similarity less the mean over all pairs of the document; groups
    hold at most `size` tokens, a single piece always may stand. Of equal sums, the last group is the longest. Pieces
    are taken one by one, in each step against all groups that may end there: time n * width, memory n.
    """
    n = len(vectors)
    mean = mean_similarity(vectors)
    earliest = np.minimum(np.searchsorted(tokens, tokens[1:] - size), np.arange(n))
    best, begins = np.zeros(n + 1), np.zeros(n, dtype=np.int64)
    worth = np.zeros(n)
    for last in range(n):
        first = int(earliest[last])
        # What piece `last` adds to the group that begins at each place: its similarity to all pieces from there on.
        near = np.einsum("ij,j->i", vectors[first:last], vectors[last]) - mean
        worth[first:last] += near[::-1].cumsum()[::-1]
        totals = best[first : last + 1] + worth[first : last + 1]
        begins[last] = first + int(totals.argmax())
        best[last + 1] = totals[begins[last] - first]
    return _walked_back(begins)


def mean_similarity(vectors: DoubleArray) -> float:
    """Return the mean over all pairs of their inner products, without making them: of the sum's square."""
    n, total = len(vectors), vectors.sum(axis=0)
    if n < 2:
        return 0.0
    return float(((total * total).sum() - (vectors * vectors).sum()) / (n * (n - 1)))


def _walked_back(begins: LongArray) -> list[int]:
    bounds = [len(begins)]
    while bounds[-1]:
        bounds.append(int(begins[bounds[-1] - 1]))
    return bounds[::-1]
