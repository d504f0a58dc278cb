"""Which texts have no vector yet: counted for an estimate, without reading one of them by a model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from pipelines.execution import Execution
from pipelines.planning.by_text import Encoding
from pipelines.planning.plan import Plan
from pipelines.runs.measure import Evaluation
from pipelines.stages.embed import Embedder
from pipelines.sweeps.workloads import Sizes

_CUT_FOR_REAL_CHARS = 5_000_000
_CHARS_A_SENTENCE = 100
Counts = dict[str, tuple[int, int]]
"""Texts and their characters, by the key of what needs them."""


class Unread:
    """The texts of many evaluations that have no vector. One that occurs several times counts where it comes first."""

    def __init__(self, evaluations: Sequence[Evaluation], run: Execution) -> None:
        self._plans, self._run = [one.plan for one in evaluations], run
        self._counted: set[tuple[str, str]] = set()
        self._waiting: set[str] = set()

    @cached_property
    def n_chars(self) -> int:
        """How many characters the documents have."""
        texts = self._run.get(self._plans[0].documents).texts if self._plans else ()
        return sum(len(text) for text in texts)

    @property
    def small(self) -> bool:
        """Whether cutting the documents is a matter of seconds."""
        return self.n_chars <= _CUT_FOR_REAL_CHARS

    def quickly_cut(self, plan: Plan) -> bool:
        """Whether the chunks are had in seconds: few characters, and nothing that a model would have to read first."""
        return self.small and not (plan.cut.key in self.by_chunkers and plan.cut.key in self._waiting)

    @cached_property
    def by_chunkers(self) -> Counts:
        """What the encoder of each chunking by meaning has yet to read, by the key of its chunks.

        Where finding that out is more than a matter of seconds, it is what the chunker lets expect.
        """
        found: Counts = {}
        for plan in self._plans:
            encoder, key = plan.pipeline.chunk.encoder(), plan.cut.key
            if key not in found and isinstance(encoder, Embedder) and not self._run.cache.has("chunk", key):
                found[key] = self._by_chunker(plan, Encoding(encoder, None, "", queries=False))
        return found

    def _by_chunker(self, plan: Plan, space: Encoding) -> tuple[int, int]:
        chunker = plan.pipeline.chunk
        if not self.small:
            return round(self.n_chars / _CHARS_A_SENTENCE), round(self.n_chars * chunker.encoded_share())
        texts = self._missing(space, chunker.texts_read(self._run.get(plan.documents)))
        self._waiting |= {plan.cut.key} if texts else set()
        return self._count(space, texts)

    def of_chunks(self, sizes: Sizes) -> Counts:
        """Return the chunks that have no vector, by the key of each set of vectors that is not in the store."""
        found: Counts = {}
        for plan in self._plans:
            wanted = plan.pipeline.retrieve.needs_vectors or plan.pipeline.rerank.needs_vectors
            if not wanted or plan.vectors.key in found or self._run.cache.has("embed", plan.vectors.key):
                continue
            if self.quickly_cut(plan):
                space = Encoding(plan.pipeline.embed, None, "" if plan.fitted is None else plan.fitted.key, False)
                texts = self._missing(space, self._run.get(plan.embedded_texts))
                found[plan.vectors.key] = self._count(space, texts)
            else:
                found[plan.vectors.key] = (sizes.chunks(plan, self._run.cache), sizes.n_chars)
        return found

    def _missing(self, space: Encoding, texts: Sequence[str]) -> list[str]:
        """Return the distinct texts of which the store has no vector."""
        distinct = list(dict.fromkeys(texts))
        known = space.known(self._run, distinct)
        return [text for text, there in zip(distinct, known, strict=True) if not there]

    def _count(self, space: Encoding, texts: Sequence[str]) -> tuple[int, int]:
        """Count those of the texts that were not counted before, and their characters."""
        new = [text for text in texts if (space.space, text) not in self._counted]
        self._counted.update((space.space, text) for text in new)
        return len(new), sum(len(text) for text in new)
