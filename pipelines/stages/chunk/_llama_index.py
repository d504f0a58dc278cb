"""Our vectors as llama-index asks for them: an embedding is the number of a row, similarity is worked out of the rows.

So the vectors are never turned into lists of Python floats, which take ten times the memory, and nothing is embedded
one by one: what is asked for was encoded before, with all other documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import PrivateAttr

from pipelines.records import FloatArray

if TYPE_CHECKING:
    from llama_index.core.node_parser import SemanticSplitterNodeParser

_MOST_AT_ONCE = 2_048


def semantic_splitter(
    sentences: Callable[[str], list[str]], vectors: Mapping[str, FloatArray], buffer: int, breakpoint: int
) -> SemanticSplitterNodeParser:
    """Return llama-index's splitter over given sentences, with the vectors of each with its neighbours, by text."""
    from llama_index.core.node_parser import SemanticSplitterNodeParser

    return SemanticSplitterNodeParser(
        embed_model=_looked_up()(vectors),
        sentence_splitter=sentences,
        buffer_size=buffer,
        breakpoint_percentile_threshold=breakpoint,
        include_metadata=False,
        include_prev_next_rel=False,
    )


@cache
def _looked_up() -> Any:
    """Return the class of an embedding model that looks up; made when needed, for llama-index takes long to import."""
    from llama_index.core.base.embeddings.base import BaseEmbedding

    class LookedUp(BaseEmbedding):  # type: ignore[misc]
        """An embedding model that looks up what was encoded before."""

        _row: dict[str, int] = PrivateAttr()
        _vectors: Any = PrivateAttr()

        def __init__(self, vectors: Mapping[str, FloatArray]) -> None:
            super().__init__(model_name="looked up", embed_batch_size=_MOST_AT_ONCE)
            self._row = {text: i for i, text in enumerate(vectors)}
            self._vectors = np.stack(list(vectors.values())).astype(np.float64)

        def _get_text_embedding(self, text: str) -> list[float]:
            return [float(self._row[text])]

        def _get_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

        def similarity(self, embedding1: list[float], embedding2: list[float], mode: object = None) -> float:
            """Return the cosine of two rows."""
            one, other = self._vectors[int(embedding1[0])], self._vectors[int(embedding2[0])]
            return float((one * other).sum() / max(np.sqrt((one * one).sum() * (other * other).sum()), 1e-12))

    return LookedUp
