"""HyDE: a language model writes what an answer could look like, and that is searched for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydantic import Field, field_validator

from pipelines.models.chat import Prompt
from pipelines.records import Queries
from pipelines.stages.transform import ChatTransformer
from pipelines.stages.transform.rewriting import QUESTION, prompt_field, told_of_useless, with_a_place


class HyDETransformer(ChatTransformer, name="hyde", version=1):
    """Search for a made-up passage that answers the question (HyDE: Gao et al., 2022). For dense retrieval above all.

    Choose it where questions are short and texts are long, and where the embedding model was not trained on questions.
    What the model makes up may name wrong facts: on names and numbers it can do harm. It costs `passages` calls a
    question, of a paragraph each.

    A query's vector is the mean of the passages' vectors, embedded as documents, and of the question's own. BM25 looks
    for the words of the question, `question_repeats` times, and of the passages (query2doc: Wang et al., 2023).
    """

    passages: int = Field(
        1, ge=1, le=16, description="Passages that are written for a question; at temperature 0 it is always one"
    )
    with_question: bool = Field(True, description="Whether the question's own vector joins the mean")
    question_repeats: int = Field(
        5, ge=0, le=50, description="BM25: how often the question's words count; 0 leaves the passages' alone"
    )
    prompt: str = prompt_field(
        "Write a short passage, as it could stand in a document, that answers the question below. Write the passage "
        "alone.\n\nQuestion: {question}"
    )

    @field_validator("prompt")
    @classmethod
    def _place(cls, prompt: str) -> str:
        return with_a_place(prompt)

    @property
    def one_query(self) -> bool:
        """Whether every question has one query."""
        return True

    def prompts(self, question: str) -> list[Prompt]:
        """Return one prompt a passage: the same words, drawn anew. At temperature 0 all draws would be equal."""
        n = self.passages if self.temperature > 0 else 1
        return [Prompt.of(self.prompt.replace(QUESTION, question), draw=i) for i in range(n)]

    def rewritten(
        self, questions: Sequence[str], answers: Sequence[Sequence[str]], note: Callable[[str], None]
    ) -> Queries:
        """Return one query a question; one without any passage is searched for as it is asked."""
        found = [tuple(text.strip() for text in own if text.strip()) for own in answers]
        empty = sum(len(own) for own in answers) - sum(map(len, found))
        told_of_useless(self.model, empty, sum(len(own) for own in answers), "a passage", note)
        pairs = list(zip(questions, found, strict=True))
        words = tuple(self._words(question, own) for question, own in pairs)
        meant = tuple(question if self.with_question or not own else "" for question, own in pairs)
        number = np.arange(len(questions), dtype=np.int32)
        return Queries(number, words, len(questions), meant=meant, passages=tuple(found))

    def _words(self, question: str, found: Sequence[str]) -> str:
        return " ".join([*[question] * (self.question_repeats if found else 1), *found])
