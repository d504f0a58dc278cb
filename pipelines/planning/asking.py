"""The questions under evaluation, with the digests that keys are made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property

from pipelines.component import digest
from pipelines.records import Question
from pipelines.stages.filter import Asked


@dataclass(frozen=True)
class Asking:
    """Questions, and what is worked out of them once for many pipelines."""

    questions: tuple[Question, ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The text of every question."""
        return tuple(question.text for question in self.questions)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """What a filter may know of every question."""
        return tuple(Asked(question.text, question.filter) for question in self.questions)

    @cached_property
    def texts_key(self) -> str:
        """A digest of the texts."""
        return digest(list(self.texts))

    @cached_property
    def asked_key(self) -> str:
        """A digest of what a filter may know."""
        return digest([asdict(one) for one in self.asked])

    @cached_property
    def evidence_key(self) -> str:
        """A digest of the gold."""
        return digest([[asdict(e) for e in q.evidence] for q in self.questions])
