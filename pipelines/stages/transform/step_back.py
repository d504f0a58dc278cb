"""Step-back: a language model asks the more general question behind the question."""

from __future__ import annotations

from typing import ClassVar

from pipelines.stages.transform.rewriting import LinesTransformer, prompt_field


class StepBackTransformer(LinesTransformer, name="step-back", version=1):
    """Search for the more general question behind the question too (Zheng et al., 2023). For very special questions.

    Choose it where a question names a special case, and the texts state the rule. It costs one call a question and a
    second search.
    """

    what: ClassVar[str] = "a question"

    prompt: str = prompt_field(
        "Write one more general question that must be understood first in order to answer the question below. Write "
        "that question alone.\n\nQuestion: {question}"
    )

    def most(self) -> int:
        """Return how many general questions are searched for."""
        return 1

    def told(self) -> str:
        """Return the prompt, with a place for the question."""
        return self.prompt
