"""Transform: questions into the queries that are searched for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from pipelines.component import Component, digest
from pipelines.models.chat import Prompt
from pipelines.models.chat_answers import Asker
from pipelines.models.chat_knobs import ChatKnobs
from pipelines.records import FloatArray, Queries, Rankings

Terms = Mapping[str, float]
"""Words as a retriever reads them, with their weights."""


class Transformer(Component, stage="transform"):
    """Rewrites or expands questions; several queries of one question are fused by reciprocal rank."""

    @property
    def one_query(self) -> bool:
        """Whether every question has one query: then a shallow search finds just the first of a deep one."""
        return self.identity

    def rewriting(self) -> str:
        """Return a digest of all that decides the queries: of equal ones, equal questions give equal queries."""
        return self.fingerprint()

    @abstractmethod
    def transform(self, questions: Sequence[str]) -> Queries:
        """Return the queries of all questions, at least one each, in order of question."""


class ChatTransformer(Transformer, ChatKnobs):
    """Has a language model rewrite the questions: any endpoint that speaks OpenAI's API, or any registered client."""

    def extra_identity(self) -> Mapping[str, str]:
        """Return which client was registered under its name, where one was."""
        return {"client": str(self.chat_identity()["client"])} if self.registered else {}

    def rewriting(self) -> str:
        """Return a digest of all that decides the queries: neither price nor how an answer comes is among it."""
        return digest({"use": self.name, "version": self.version, **self.asked_settings(), **self.chat_identity()})

    @abstractmethod
    def prompts(self, question: str) -> list[Prompt]:
        """Return what the model is asked for one question."""

    @abstractmethod
    def rewritten(
        self, questions: Sequence[str], answers: Sequence[Sequence[str]], note: Callable[[str], None]
    ) -> Queries:
        """Return the queries, given the answers to each question's prompts; `note` is told of those of no use.

        Raises:
            EndpointError: when not a single answer can be used.
        """

    def asking(self, questions: Sequence[str], ask: Asker) -> Queries:
        """Return the queries of all questions, at least one each, in order of question."""
        prompts = [self.prompts(question) for question in questions]
        rows = [row for row, own in enumerate(prompts) for _ in own]
        told = iter(ask([prompt for own in prompts for prompt in own], rows))
        return self.rewritten(questions, [[next(told) for _ in own] for own in prompts], ask.note)

    def transform(self, questions: Sequence[str]) -> Queries:
        """Return the queries, every prompt asked here and now."""
        return self.asking(questions, Asker(self))


class FeedbackTransformer(Transformer):
    """Searches twice: what the first search finds tells what the second one looks for (pseudo-relevance feedback).

    Each retriever of a fusion is fed by its own first search. The first search is that of the pipeline without any
    transformation, so it is shared with it.
    """

    feeds_words: ClassVar[bool] = False
    """Whether retrievers by words are fed, such as BM25."""
    feeds_vectors: ClassVar[bool] = False
    """Whether retrievers by vectors are fed."""

    @property
    def one_query(self) -> bool:
        """Whether every question has one query."""
        return True

    def transform(self, questions: Sequence[str]) -> Queries:
        """Return each question as its only query: what is fed back changes the second search, not the text."""
        return Queries.of(questions)

    def rewriting(self) -> str:
        """Return a digest of all that decides the queries: that of no transformation."""
        from pipelines.stages.transform.none import NoTransformer

        return NoTransformer().rewriting()

    @abstractmethod
    def feeding(self, *, words: bool) -> Mapping[str, object]:
        """Return all that decides what is fed back, to retrievers by words or by vectors, as plain JSON values."""

    @abstractmethod
    def looks_at(self, *, words: bool) -> int:
        """Return how many chunks of the first search are needed, by words or by vectors."""

    def terms(self, asked: Sequence[str], found: Sequence[Sequence[str]], scores: Sequence[float]) -> Terms:
        """Return the weighted words of the second search for one question.

        `asked` are the question's words; row i of `found` are those of the i-th chunk of the first search, which
        scored `scores[i]` there.
        """
        raise TypeError(f"{self.name} feeds no words")

    def moved(self, asked: FloatArray, vectors: FloatArray, first: Rankings) -> FloatArray:
        """Return the vectors of the second search, float32 [n_questions, dimensions], given those of the first.

        `vectors` are the chunks', [n_chunks, dimensions].
        """
        raise TypeError(f"{self.name} feeds no vectors")
