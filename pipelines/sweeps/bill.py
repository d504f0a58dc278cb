"""What a sweep's language models will take at most: the prompts that nobody has answered yet, each counted once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipelines.cache import Cache
from pipelines.models.chat_answers import Asker, answer_space, prompt_key
from pipelines.models.chat_knobs import ChatKnobs, Expected
from pipelines.planning.chatting import answers_folder
from pipelines.planning.plan import Plan
from pipelines.spending import Bill, billed
from pipelines.stages.rerank.judged import ChatReranker
from pipelines.stages.transform import ChatTransformer
from pipelines.sweeps.workloads import Sizes


@dataclass
class Reckoning:
    """Counts over the plans of a sweep what is neither in the store nor counted for an earlier plan."""

    cache: Cache
    sizes: Sizes
    _seen: set[tuple[str, bytes]] = field(default_factory=set)
    _nodes: set[str] = field(default_factory=set)

    def bill(self, plans: Sequence[Plan]) -> Bill:
        """Return what all plans together will take at most."""
        return billed([one for plan in plans for one in (*self._transform(plan), *self._rerank(plan))])

    def _transform(self, plan: Plan) -> Iterator[tuple[ChatKnobs, Expected]]:
        transform, node = plan.pipeline.transform, plan.rewritten
        if node is None or not isinstance(transform, ChatTransformer) or self._there(node.stage, node.key):
            return
        prompts = [prompt for text in plan.asking.texts for prompt in transform.prompts(text)]
        space = answer_space(transform.chat_identity())
        known = Asker(transform, answers_folder(self.cache)).known(prompts)
        keys = [(space, prompt_key(prompt)) for prompt in prompts]
        new = {key: i for i, key in enumerate(keys) if i not in known and key not in self._seen}
        self._seen.update(new)
        asked = sum(prompts[i].n_tokens() for i in new.values())
        yield transform, Expected(len(new), asked, len(new) * transform.max_tokens)

    def _rerank(self, plan: Plan) -> Iterator[tuple[ChatKnobs, Expected]]:
        """Reckon what is judged: which chunks these will be is not known before, so nothing counts as answered."""
        rerank, node = plan.pipeline.rerank, plan.judged
        if node is None or not isinstance(rerank, ChatReranker) or self._there(node.stage, node.key):
            return
        chunk_chars = self.sizes.n_chars / max(1, self.sizes.chunks(plan, self.cache))
        yield rerank, rerank.expected(plan.asking.texts, plan.pipeline.retrieve.depth, chunk_chars)

    def _there(self, stage: str, key: str) -> bool:
        there = key in self._nodes or self.cache.has(stage, key)
        self._nodes.add(key)
        return there
