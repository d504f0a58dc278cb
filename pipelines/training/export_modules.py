"""What is put behind a model's modules when it is exported: a map for queries, one for documents, a cut."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.errors import ConfigurationError
from pipelines.records import FloatArray
from pipelines.training.adapter_maps import Maps

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class Exported:
    """What makes a trained encoder: the base's folder, its name, the method, and how its vectors are shaped."""

    base: Path
    name: str
    method: str
    blend: float = 1.0
    dimensions: int | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None


def mapped(model: SentenceTransformer, maps: Maps) -> SentenceTransformer:
    """Return the model with maps behind it; both routes end in vectors of length 1."""
    if maps.query is None and maps.document is None:
        return model
    from sentence_transformers.base.modules import Router

    if model.truncate_dim is not None:
        model = cut(model, model.truncate_dim)
    routes = {"query": _mapping(maps.query), "document": _mapping(maps.document)}
    router = Router.for_query_document(query_modules=routes["query"], document_modules=routes["document"])
    return _with(model, [*_unit(model), router])


def cut(model: SentenceTransformer, dimensions: int) -> SentenceTransformer:
    """Return the model with its vectors cut to the first `dimensions`, and scaled to length 1.

    Raises:
        ConfigurationError: when they are shorter.
    """
    width = int(model.get_embedding_dimension() or 0)
    if dimensions > width:
        raise ConfigurationError(
            f"The knob 'dimensions' asks for vectors of length {dimensions:,}, but the model's have {width:,}; choose "
            "up to that, or null."
        )
    model.truncate_dim = None
    full = int(model.get_embedding_dimension() or 0)
    return _with(model, _mapping(np.eye(full, dimensions, dtype=np.float32)))


def merged_prompts(model: SentenceTransformer, query: str | None, document: str | None) -> dict[str, str]:
    """Return the model's prompts with what is put before queries and documents instead; None leaves them."""
    given = {"query": query, "document": document}
    return {**model.prompts, **{name: prompt for name, prompt in given.items() if prompt is not None}}


def _mapping(by: FloatArray | None) -> list[Any]:
    """Return modules that multiply vectors by a map, [d, n], and scale them to length 1."""
    import torch
    from sentence_transformers.base.modules import Dense, Normalize

    if by is None:
        return [Normalize()]
    weight = torch.from_numpy(np.ascontiguousarray(by.T))
    dense = Dense(by.shape[0], by.shape[1], bias=False, activation_function=torch.nn.Identity(), init_weight=weight)
    return [dense, Normalize()]


def _unit(model: SentenceTransformer) -> list[Any]:
    """Return what makes the model's vectors length 1, where they are not: maps were learnt over those."""
    from sentence_transformers.base.modules import Normalize

    return [] if isinstance(list(model)[-1], Normalize) else [Normalize()]


def _with(model: SentenceTransformer, more: list[Any]) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    found = SentenceTransformer(
        modules=[*model, *more],
        device="cpu",
        prompts=model.prompts,
        default_prompt_name=model.default_prompt_name,
        similarity_fn_name=model.similarity_fn_name,
    )
    return found.eval()
