"""What the rerankers that ask a language model share: texts in prompts, and what is done about useless answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from pydantic import Field

from pipelines.component import digest
from pipelines.errors import EndpointError, shorten
from pipelines.models.chat import Prompt
from pipelines.models.chat_answers import Asker
from pipelines.models.chat_knobs import ChatKnobs, Expected
from pipelines.progress import Progress, silent
from pipelines.records import Rankings
from pipelines.stages.rerank import Reranker, Retrieved

_AROUND_TOKENS, _AROUND_CHUNK_TOKENS = 60, 6
_CHARS_A_TOKEN = 4.2


class ChatReranker(Reranker, ChatKnobs):
    """Has a language model judge what was retrieved: any endpoint that speaks OpenAI's API, or a registered client.

    Each answer is kept for ever under its prompt. Where an answer cannot be read, the former order stands, and the run
    says how often.
    """

    needs_texts = True

    depth: int = Field(
        20,
        ge=1,
        le=200,
        description="Ranks that are judged; what lies below is dropped",
        json_schema_extra={"unit": "chunks"},
    )
    chunk_chars: int = Field(
        2000,
        ge=100,
        le=50_000,
        description="Length at which a chunk is cut in a prompt",
        json_schema_extra={"unit": "characters"},
    )

    def decides(self) -> str:
        """Return a digest of all that decides the order: neither price nor how an answer comes is among it."""
        return digest({"use": self.name, "version": self.version, **self.asked_settings(), **self.chat_identity()})

    @abstractmethod
    def calls(self, depth: int) -> int:
        """Return how many calls a question with `depth` chunks takes at most."""

    @abstractmethod
    def chunks_shown(self, depth: int) -> int:
        """Return how many chunks stand in the prompts of a question with `depth` of them, counted in every prompt."""

    def expected(self, questions: Sequence[str], depth: int, chunk_chars: float) -> Expected:
        """Return what the questions will take at most, with `depth` chunks each of `chunk_chars` on average."""
        calls, shown = self.calls(depth), self.chunks_shown(depth)
        chunk = min(chunk_chars, self.chunk_chars) / _CHARS_A_TOKEN + _AROUND_CHUNK_TOKENS
        asked = sum(calls * (Prompt.of(text).n_tokens() + _AROUND_TOKENS) + shown * chunk for text in questions)
        return Expected(calls * len(questions), round(asked), calls * len(questions) * self.max_tokens)

    @abstractmethod
    def asking(self, retrieved: Retrieved, ask: Asker) -> Rankings:
        """Return the first `depth` chunks of each question, reordered.

        Raises:
            EndpointError: when an answer cannot be had, or not one of them can be read.
        """

    def rerank(self, retrieved: Retrieved, progress: Progress = silent) -> Rankings:
        """Return the first `depth` chunks of each question, reordered, every prompt asked here and now."""
        found = self.asking(retrieved, Asker(self, progress=progress))
        progress(found.n_questions, found.n_questions)
        return found

    def shown(self, text: str) -> str:
        """Return a chunk as it stands in a prompt."""
        return text[: self.chunk_chars]

    def tell_of_useless(self, useless: int, of: int, example: str, ask: Asker) -> None:
        """Note how many answers could not be read.

        Raises:
            EndpointError: when all were so.
        """
        if useless and useless == of:
            raise EndpointError(
                f"Not one of the {of} answers of {shorten(self.model)} could be read (the first was "
                f"'{shorten(example, 60)}'); choose a model that follows instructions, or give it more max_tokens."
            )
        if useless:
            ask.note(
                f"{useless} of {of} answers of {self.model} to rerank {self.name} could not be read: there the former "
                "order stands."
            )
