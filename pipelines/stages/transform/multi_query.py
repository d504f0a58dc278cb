"""Multi-query: a language model asks the question in other words."""

from __future__ import annotations

from pydantic import Field

from pipelines.stages.transform.rewriting import LinesTransformer, prompt_field

_N = "{n}"


class MultiQueryTransformer(LinesTransformer, name="multi-query", version=1):
    """Have a language model ask the question in other words, and fuse what all wordings find. For vague questions.

    Choose it where users word things unlike the texts, and one wording misses what another finds. It costs one call a
    question and as many searches as there are queries.
    """

    queries: int = Field(3, ge=1, le=10, description="Other wordings that are asked for")
    prompt: str = prompt_field(
        "Write {n} different versions of the question below, to find documents that answer it. Use other words for the "
        "same thing, keep names, numbers and dates as they are, and write one version a line and nothing else.\n\n"
        "Question: {question}"
    )

    def most(self) -> int:
        """Return how many wordings are searched for at most."""
        return self.queries

    def told(self) -> str:
        """Return the prompt, with a place for the question."""
        return self.prompt.replace(_N, str(self.queries))
