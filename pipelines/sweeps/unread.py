"""Which texts have no vector yet: counted for an estimate, without reading one of them by a model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from pipelines.by_text import Encoding
from pipelines.execution import Execution
from pipelines.plan import Plan
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
        self._seen: set[tuple[str, str]] = set()

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
        return self.small and not self.by_chunkers.get(plan.cut.key, (0, 0))[0]

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
        return self._missing(space, chunker.texts_read(self._run.get(plan.documents)))

    def of_chunks(self, sizes: Sizes) -> Counts:
        """Return the chunks that have no vector, by the key of each set of vectors that is not in the store."""
        found: Counts = {}
        for plan in self._plans:
            wanted = plan.pipeline.retrieve.needs_vectors or plan.pipeline.rerank.needs_vectors
            if not wanted or plan.vectors.key in found or self._run.cache.has("embed", plan.vectors.key):
                continue
            if self.quickly_cut(plan):
                space = Encoding(plan.pipeline.embed, None, "" if plan.fitted is None else plan.fitted.key, False)
                found[plan.vectors.key] = self._missing(space, self._run.get(plan.embedded_texts))
            else:
                found[plan.vectors.key] = (sizes.chunks(plan, self._run.cache), sizes.n_chars)
        return found

    def _missing(self, space: Encoding, all_texts: Sequence[str]) -> tuple[int, int]:
        """Count the distinct texts of which neither the store nor what came before has a vector."""
        texts = [text for text in dict.fromkeys(all_texts) if (space.space, text) not in self._seen]
        self._seen.update((space.space, text) for text in texts)
        missing = [text for text, there in zip(texts, space.known(self._run, texts), strict=True) if not there]
        return len(missing), sum(len(text) for text in missing)
