"""Decomposition: a language model takes a question apart into simpler ones."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pipelines.stages.transform.rewriting import LinesTransformer, prompt_field

_N = "{n}"


class DecomposeTransformer(LinesTransformer, name="decompose", version=1):
    """Have a language model take the question apart, and fuse what all parts find. For questions of several parts.

    Choose it for comparisons and for questions whose evidence lies in several places. It costs one call a question and
    as many searches as there are parts; a simple question stays as it is.
    """

    what: ClassVar[str] = "a question"

    parts: int = Field(4, ge=1, le=10, description="Simpler questions that are searched for at most")
    prompt: str = prompt_field(
        "Take the question below apart into at most {n} simpler questions, each of which can be answered by itself. "
        "Repeat in each the names and dates that it needs. A question that is simple already stays as it is. Write one "
        "question a line and nothing else.\n\nQuestion: {question}"
    )

    def most(self) -> int:
        """Return how many simpler questions are searched for at most."""
        return self.parts

    def told(self) -> str:
        """Return the prompt, with a place for the question."""
        return self.prompt.replace(_N, str(self.parts))
