"""Reranking as stage executions; and what a reranker learns from, which is retrieved for the train questions alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipelines import codecs
from pipelines.errors import DatasetError, counted, shorten
from pipelines.execution import Execution, Node, node_key
from pipelines.golden.dataset import Dataset
from pipelines.golden.resolve import Resolution
from pipelines.models.chat_knobs import ChatKnobs
from pipelines.planning.asking import Asking
from pipelines.planning.by_text import reranked_by_pairs
from pipelines.planning.chatting import asker
from pipelines.planning.places import columns_of_place
from pipelines.planning.queries import QueriesPlan, spent_of
from pipelines.records import BoolArray, Chunks, Gold, Paid, Question, Rankings, Spent
from pipelines.records.training import Training
from pipelines.stages.rerank import Circumstances, FittedReranker, PairReranker, Reranker, Retrieved, TrainedReranker
from pipelines.stages.rerank.features import relevant_of
from pipelines.stages.rerank.judged import ChatReranker
from pipelines.stages.retrieve import Retriever

FEWEST_TO_LEARN_FROM = 8


@dataclass(frozen=True)
class RerankPlan(QueriesPlan, ABC):
    """The stage executions of one pipeline that put what was retrieved in a better order, as nodes of a graph."""

    @property
    @abstractmethod
    def before_rerank(self) -> Node[Rankings]:
        """The ranking of every question as retrieval hands it to the reranker."""

    @property
    @abstractmethod
    def gold(self) -> Node[Gold]:
        """The evidence of the questions as spans of the parsed documents."""

    @property
    @abstractmethod
    def resolution(self) -> Node[Resolution]:
        """The questions with their evidence located in the parsed documents, and what of it is lost there."""

    @property
    @abstractmethod
    def trained_reranker(self) -> Node[Path] | None:
        """What a cross-encoder learns from the train split; None for other rerankers."""

    @abstractmethod
    def retrieved(self, retriever: Retriever) -> Node[Rankings]:
        """The ranking of every question by one retriever."""

    @cached_property
    def rankings(self) -> Node[Rankings]:
        """The final ranking of every question."""
        rerank = self.pipeline.rerank
        if rerank.identity:
            return self.before_rerank
        reranker, judged = self.reranker, self.judged
        if judged is not None:
            key = node_key("reranked", "judged", (judged,))
            return Node("rerank", key, (judged,), lambda run: run.get(judged).value, codecs.RANKINGS)

        def work(run: Execution) -> Rankings:
            found, ready = self.seen(run), run.get(reranker)
            self._tell_of_train(run)
            if isinstance(ready, PairReranker):
                return reranked_by_pairs(run, ready, found)
            return ready.rerank(found, run.progress("rerank"))

        # A reranker comes first: one that cannot learn should say so before anything is retrieved.
        inputs = (reranker, *self.looked_at)
        labels: list[object] = [self.asking.asked_key] if rerank.needs_circumstances else []
        labels += [self._learnt_from] if rerank.fits() else []
        key = node_key("reranked", [rerank.fingerprint(), self.asking.texts_key, *labels], inputs)
        return Node("rerank", key, inputs, work, codecs.RANKINGS)

    @cached_property
    def judged(self) -> Node[Paid[Rankings]] | None:
        """The order that a language model comes to, and what it took; None where none is asked."""
        rerank = self.pipeline.rerank
        if not isinstance(rerank, ChatReranker):
            return None

        def work(run: Execution) -> Paid[Rankings]:
            ask = asker(run, rerank, "rerank")
            found = Paid(rerank.asking(self.seen(run), ask), ask.spent(len(self.questions)))
            run.note(f"{rerank.name}: {found.spent.told(rerank.model)}")
            return found

        key = node_key("judged", [rerank.decides(), self.asking.texts_key], self.looked_at)
        return Node("rerank", key, self.looked_at, work, codecs.paid(codecs.RANKINGS))

    @property
    def spendings(self) -> tuple[tuple[ChatKnobs, Node[Spent]], ...]:
        """What each component that asks a language model took, with the knobs that name its price."""
        judged, rerank = self.judged, self.pipeline.rerank
        if judged is None or not isinstance(rerank, ChatReranker):
            return super().spendings
        return (*super().spendings, (rerank, spent_of(judged)))

    # What a reranker looks at -------------------------------------------------------------------------------------

    @cached_property
    def looked_at(self) -> tuple[Node[Any], ...]:
        """What the reranker is handed."""
        rerank = self.pipeline.rerank
        inputs: tuple[Node[Any], ...] = (self.before_rerank,)
        inputs += (self.reranked_texts,) if rerank.needs_texts else ()
        inputs += (self.vectors, self.question_vectors) if rerank.needs_vectors else ()
        inputs += (self.placed, *self.leaves.values()) if rerank.needs_circumstances else ()
        return inputs

    @cached_property
    def reranked_texts(self) -> Node[Sequence[str]]:
        """The text that the reranker reads of every chunk: its own, with a header before it where it wants one."""
        return self.texts_under(self.pipeline.rerank.reads_before())

    @cached_property
    def leaves(self) -> Mapping[str, Node[Rankings]]:
        """The rankings by each searcher of a fusion, by name; none where nothing is fused."""
        return _leaves(self, self.pipeline.retrieve)

    def seen(self, run: Execution, rankings: Rankings | None = None) -> Retrieved:
        """Return what the reranker is handed, for all questions; `rankings` in place of those that were retrieved."""
        rerank = self.pipeline.rerank
        texts: Sequence[str] = run.get(self.reranked_texts) if rerank.needs_texts else ()
        vectors = run.get(self.vectors) if rerank.needs_vectors else None
        own = run.get(self.question_vectors) if rerank.needs_vectors else None
        circumstances = None
        if rerank.needs_circumstances:
            leaves = {name: run.get(node) for name, node in self.leaves.items()}
            circumstances = Circumstances(run.get(self.placed), leaves, [one.known for one in self.asking.asked])
        found = run.get(self.before_rerank) if rankings is None else rankings
        return Retrieved(found, self.asking.texts, texts, vectors, own, circumstances)

    @cached_property
    def placed(self) -> Node[Chunks]:
        """The chunks with what their place says of them: held as they are, so that they are read once."""
        inputs = (self.documents, self.chunks)

        def work(run: Execution) -> Chunks:
            chunks = run.get(self.chunks)
            return replace(chunks, columns=columns_of_place(run.get(self.documents), chunks))

        return Node("rerank", node_key("placed", "", inputs), inputs, work)

    # What a reranker learns from ----------------------------------------------------------------------------------

    @cached_property
    def reranker(self) -> Node[Reranker]:
        """The reranker, which has learnt where it has to; what it makes of its table is made anew, never kept."""
        rerank, trained = self.pipeline.rerank, self.trained_reranker
        if isinstance(rerank, TrainedReranker) and trained is not None:
            return Node(
                "rerank", node_key("opened", rerank.fingerprint(), (trained,)), (trained,),
                lambda run: rerank.opened(run.get(trained)),
            )  # fmt: skip
        if not isinstance(rerank, FittedReranker):
            return Node("rerank", node_key("reranker", rerank.fingerprint(), ()), (), lambda _: rerank)
        training = self.training(rerank)
        key = node_key("learnt", rerank.fingerprint(), (training,))
        return Node("rerank", key, (training,), lambda run: rerank.learnt(run.get(training)))

    @cached_property
    def on_train(self) -> Self:
        """The same pipeline over the questions of the train split that have evidence: dev and test are not in it."""
        return replace(self, asking=Asking(train_questions(self.dataset)))

    def training(self, rerank: FittedReranker) -> Node[Training]:
        """The table that a reranker learns from: what this pipeline retrieves for the train questions."""
        train = self.on_train
        n, name, dataset = len(train.questions), rerank.name, self.dataset
        enough = Node("rerank", node_key("enough", [name, n], ()), (), lambda _: _refuse_too_few(dataset, n, name))
        inputs: tuple[Node[Any], ...] = (enough, *train.looked_at, train.gold)
        identity = [dict(rerank.table_identity()), train.asking.texts_key, train.asking.asked_key]

        def work(run: Execution) -> Training:
            seen, chunks = train.seen(run), run.get(train.chunks)
            return rerank.table(seen, relevant(seen.rankings.cut(rerank.depth), run.get(train.gold), chunks, rerank))

        return Node("rerank", node_key("training", identity, inputs), inputs, work, codecs.TRAINING)

    @property
    def _learnt_from(self) -> int:
        """How many of the questions under evaluation the reranker learns from."""
        rerank = self.pipeline.rerank
        if not rerank.fits() or (isinstance(rerank, TrainedReranker) and rerank.learn_from):
            return 0
        return len({q.id for q in self.questions} & {q.id for q in train_questions(self.dataset)})

    def _tell_of_train(self, run: Execution) -> None:
        n = self._learnt_from
        if n:
            run.note(
                f"OPTIMISTIC: {n} of the {len(self.questions)} questions are of the train split, from which the "
                f"reranker '{self.pipeline.rerank.name}' learnt; believe its figures on dev or test only."
            )


def train_questions(dataset: Dataset) -> tuple[Question, ...]:
    """Return the questions of the train split that have evidence."""
    return tuple(question for question in dataset.questions if question.split == "train" and question.answerable)


def relevant(given: Rankings, gold: Gold, chunks: Chunks, rerank: FittedReranker) -> BoolArray:
    """Return, bool [n_questions, depth], which of the given chunks hold enough of a piece of evidence."""
    bounds = np.searchsorted(gold.question, np.arange(gold.n_questions + 1))
    pairs = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    spans = [(gold.document[i:j], gold.start[i:j], gold.end[i:j]) for i, j in pairs]
    return relevant_of(given, chunks, spans, rerank.coverage)


def _leaves(plan: RerankPlan, retriever: Retriever, before: str = "") -> dict[str, Node[Rankings]]:
    found: dict[str, Node[Rankings]] = {}
    for name, part in retriever.parts().items():
        found |= _leaves(plan, part, f"{before}{name} ") or {f"{before}{name}": plan.retrieved(part)}
    return found


def _refuse_too_few(dataset: Dataset, n: int, name: str) -> bool:
    if n >= FEWEST_TO_LEARN_FROM:
        return True
    has = "no question" if n == 0 else counted(n, "question")
    raise DatasetError(
        f"The reranker '{name}' learns from the questions of the train split that have evidence, and dataset "
        f"'{shorten(dataset.name)}' has {has} of that kind where {FEWEST_TO_LEARN_FROM} are the least; mark more "
        "questions as train, or choose another reranker."
    )
