"""What an encoder is trained on: questions with a text that answers them, and texts that only look as if they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Source: TypeAlias = Literal["evidence", "title", "crop", "synthetic"]
"""How a pair came about: from marked evidence, a document's title, a part of a text, or a question that was written."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The character span [start, end) of a document, as `text`: what is embedded for it, with its header if any.

    `score` is the base model's cosine of a negative to the question; None where it was not measured.
    """

    document_id: str
    start: int
    end: int
    text: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A question with a passage that answers it; the hardest of the `negatives` comes first.

    `question_id` is that of the golden question, "" for a pair that was made in another way.
    """

    question_id: str
    question: str
    positive: Passage
    negatives: tuple[Passage, ...] = ()
    grade: float = 1.0
    source: Source = "evidence"


@dataclass(frozen=True, slots=True)
class Written:
    """A question that a language model wrote, or its answer as it came; and the chunk that it was written on."""

    text: str
    chunk: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A question of the train split that is not trained on, and why.

    `twin` is the id of a dev or test question that asks nearly the same, of the split `twin_split`; "" where none does.
    """

    question_id: str
    why: str
    twin: str = ""
    twin_split: str = ""


@dataclass(frozen=True)
class TrainingPairs:
    """All pairs, in order of the train questions, and what was left out of them."""

    pairs: tuple[TrainingPair, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def documents(self) -> frozenset[str]:
        """Return the documents that a positive is of: a question on another one is on an unseen document."""
        return frozenset(pair.positive.document_id for pair in self.pairs)
