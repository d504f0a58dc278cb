"""Cuts where one sentence is farthest in meaning from the next, by llama-index's SemanticSplitterNodeParser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from pydantic import Field

from pipelines.models.named_tokenizers import CL100K, TokenizerName
from pipelines.models.outline import cut_at
from pipelines.models.sentences import sentences
from pipelines.records import FloatArray
from pipelines.stages.chunk import Span
from pipelines.stages.chunk.by_meaning import EMBEDDED, MeaningChunker, ModelName
from pipelines.stages.chunk.ruler import Ruler

if TYPE_CHECKING:
    from llama_index.core.node_parser import SemanticSplitterNodeParser

_LONGEST_SENTENCE_TOKENS = 128
_USUAL_SENTENCE_TOKENS = 25.0


class SemanticChunker(MeaningChunker, name="semantic", version=1):
    """Cut a document where its meaning turns most sharply from one sentence to the next. For text without structure.

    Each sentence is read together with `buffer` more on either side; the distances of neighbours above the
    `breakpoint` percentile of their document are cuts. That is a share of each document: a text on one matter is cut as
    often as one on many. A chunk longer than `size` is cut further, as `recursive` does. It costs an embedding of
    every sentence with its neighbours: about 2 `buffer` + 1 times what embedding the corpus costs, once a model and
    `buffer`.
    """

    breakpoint: int = Field(
        90, ge=1, le=99, description="Percentile of the distances above which to cut: less makes more chunks"
    )
    buffer: int = Field(
        1, ge=0, le=10, description="Sentences read on either side of each", json_schema_extra={"unit": "sentences"}
    )
    size: int = Field(512, ge=16, le=8192, description="Greatest chunk length", json_schema_extra={"unit": "tokens"})
    tokenizer: TokenizerName = CL100K
    model: ModelName = EMBEDDED

    def units(self, text: str) -> list[Span]:
        """Return the sentences, very long ones cut."""
        ruler = Ruler.of(text, self.tokenizer)
        return list(ruler.bounded(sentences(text), min(self.size, _LONGEST_SENTENCE_TOKENS)))

    def read(self, text: str, units: Sequence[Span]) -> list[str]:
        """Return each sentence with its neighbours."""
        last = len(units) - 1
        return [
            text[units[max(i - self.buffer, 0)][0] : units[min(i + self.buffer, last)][1]] for i in range(len(units))
        ]

    def grouped(self, text: str, units: Sequence[Span], vectors: FloatArray) -> Iterable[Span]:
        """Return the splitter's chunks in their places, long ones cut further."""
        from pipelines.stages.chunk._llama_index import semantic_splitter

        parts = [text[start:end] for start, end in units]
        splitter = semantic_splitter(
            lambda _: parts, dict(zip(self.read(text, units), vectors, strict=True)), self.buffer, self.breakpoint
        )
        return Ruler.of(text, self.tokenizer).bounded(_placed(splitter, text), self.size)

    def encoded_share(self) -> float:
        """Return how often each character is read."""
        return 2.0 * self.buffer + 1.0

    def usual_tokens(self) -> float:
        """Return the length of as many sentences as lie between two cuts."""
        return min(float(self.size), _USUAL_SENTENCE_TOKENS * 100 / (100 - self.breakpoint))


def _placed(splitter: SemanticSplitterNodeParser, text: str) -> Iterable[Span]:
    """Return the spans of the splitter's nodes: the sentences that it was given, joined, so that lengths suffice.

    Should it ever strip them, each is found behind the one before it, where nothing but white space lies between.
    """
    from llama_index.core.schema import Document

    nodes = [node.text for node in splitter.build_semantic_nodes_from_documents([Document(text=text)])]
    if "".join(nodes) == text:
        return pairwise([0, *accumulate(map(len, nodes))])
    starts, at = [], 0
    for visible in (node.strip() for node in nodes):
        starts.append(text.index(visible, at))
        at = starts[-1] + len(visible)
    return cut_at(text, starts)
