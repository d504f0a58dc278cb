"""Which stage executions need the same to be got ready, where that takes seconds: a chunker's library, a model."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.planning.by_text import work_name
from pipelines.planning.plan import Plan
from pipelines.stages.embed import Embedder

CUTS = "chunk "
"""What the kind of a chunking begins with that takes no model."""


def kinds(plans: Iterable[Plan]) -> dict[str, str]:
    """Return the kinds of those executions, by key."""
    found: dict[str, str] = {}
    for plan in plans:
        pipeline = plan.pipeline
        if plan.cut.key not in found:
            encoder = pipeline.chunk.encoder()
            found[plan.cut.key] = work_name(encoder) if isinstance(encoder, Embedder) else CUTS + pipeline.chunk.name
        needs_vectors = pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors
        if needs_vectors and plan.vectors.key not in found:
            found[plan.vectors.key] = found[plan.query_vectors.key] = work_name(pipeline.embed)
    return found
