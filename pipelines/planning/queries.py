"""What is searched for as stage executions: queries, their vectors, and what language models took for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from pipelines import codecs
from pipelines.component import digest
from pipelines.execution import Execution, Node, node_key
from pipelines.models.chat_knobs import ChatKnobs
from pipelines.planning.asking import Asking
from pipelines.planning.chatting import asker
from pipelines.planning.corpus import CorpusPlan
from pipelines.records import FloatArray, Paid, Queries, Question, Spent
from pipelines.stages.transform import ChatTransformer
from pipelines.stages.transform.none import NoTransformer

T = TypeVar("T")
Embed = Callable[[Sequence[str]], FloatArray]


@dataclass(frozen=True)
class QueriesPlan(CorpusPlan):
    """The stage executions of one pipeline that turn questions into what is searched for, as nodes of a graph."""

    asking: Asking

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions under evaluation."""
        return self.asking.questions

    @cached_property
    def queries(self) -> Node[Queries]:
        """What is searched for."""
        transform, texts = self.pipeline.transform, list(self.asking.texts)
        key = digest({"what": "queries", "by": transform.rewriting(), "to": self.asking.texts_key})
        paid = self.rewritten
        if paid is not None:
            return Node("transform", key, (paid,), lambda run: run.get(paid).value)
        return Node("transform", key, (), lambda _: transform.transform(texts))

    @cached_property
    def rewritten(self) -> Node[Paid[Queries]] | None:
        """What a language model made of the questions, and what it took; None where none is asked."""
        transform, texts = self.pipeline.transform, self.asking.texts
        if not isinstance(transform, ChatTransformer):
            return None
        key = digest({"what": "rewritten", "by": transform.rewriting(), "to": self.asking.texts_key})

        def work(run: Execution) -> Paid[Queries]:
            ask = asker(run, transform, "transform")
            found = Paid(transform.asking(texts, ask), ask.spent(len(texts)))
            run.note(f"{transform.name}: {found.spent.told(transform.model)}")
            return found

        return Node("transform", key, (), work, codecs.paid(codecs.QUERIES))

    @property
    def spendings(self) -> tuple[tuple[ChatKnobs, Node[Spent]], ...]:
        """What each component that asks a language model took, with the knobs that name its price."""
        paid, transform = self.rewritten, self.pipeline.transform
        if paid is None or not isinstance(transform, ChatTransformer):
            return ()
        return ((transform, spent_of(paid)),)

    @cached_property
    def query_vectors(self) -> Node[FloatArray]:
        """One vector a query."""

        def work(run: Execution) -> FloatArray:
            queries, documents = (self._encoding(run, queries=yes) for yes in (True, False))
            return query_vectors(
                run.get(self.queries),
                lambda texts: queries.vectors(run, texts),
                lambda texts: documents.vectors(run, texts),
            )

        return self._embedding("query vectors", self.queries, work)

    @cached_property
    def question_vectors(self) -> Node[FloatArray]:
        """One vector a question as it was asked, whatever it was rewritten into."""
        if self.pipeline.transform.rewriting() == NoTransformer().rewriting():
            return self._first_vectors()
        key = digest({"what": "questions", "to": self.asking.texts_key})
        asked = Node("transform", key, (), lambda _: Queries.of(self.asking.texts))

        def work(run: Execution) -> FloatArray:
            return self._encoding(run, queries=True).vectors(run, self.asking.texts)

        return self._embedding("query vectors", asked, work)

    def _first_vectors(self) -> Node[FloatArray]:
        inputs = (self.queries, self.query_vectors)

        def work(run: Execution) -> FloatArray:
            queries = run.get(self.queries)
            return run.get(self.query_vectors)[np.searchsorted(queries.question, np.arange(queries.n_questions))]

        return Node("embed", node_key("question vectors", "", inputs), inputs, work)


def spent_of(paid: Node[Paid[T]]) -> Node[Spent]:
    """Return what an output took, as a node of its own."""
    return Node(paid.stage, node_key("spent", "", (paid,)), (paid,), lambda run: run.get(paid).spent)


def query_vectors(queries: Queries, as_queries: Embed, as_documents: Embed) -> FloatArray:
    """Return one vector a query, float32 [n_queries, dimensions]: of its text, or the mean of what it is made of.

    A mean is made unit length, as the vectors are that it is made of.
    """
    if not queries.passages:
        return as_queries(queries.texts)
    meant = [(i, text) for i, text in enumerate(queries.meant) if text]
    made_up = [(i, text) for i, own in enumerate(queries.passages) for text in own]
    parts = [(meant, as_queries([text for _, text in meant])), (made_up, as_documents([text for _, text in made_up]))]
    total = np.zeros((len(queries.texts), parts[0][1].shape[1] or parts[1][1].shape[1]), dtype=np.float32)
    for rows, vectors in parts:
        if rows:
            np.add.at(total, [i for i, _ in rows], vectors)
    length = np.sqrt(np.einsum("ij,ij->i", total, total))[:, None]
    unit: FloatArray = total / np.maximum(length, np.float32(1e-12))
    return unit
