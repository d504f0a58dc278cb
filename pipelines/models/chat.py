"""Language models as anything that answers prompts: records, the protocol, and a register of a user's own clients."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pipelines.errors import ConfigurationError, EndpointError, did_you_mean, shorten
from pipelines.models import tokens

Role = Literal["system", "user", "assistant"]
REGISTERED = "client:"
"""Before the name of a client that was registered, in the place of an endpoint's address."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Prompt:
    """What a model is asked. `draw` tells several answers to the same messages apart: it is added to the seed."""

    messages: tuple[Message, ...]
    draw: int = 0

    @classmethod
    def of(cls, text: str, system: str = "", draw: int = 0) -> Prompt:
        """Return a prompt of one message of the user's, after the system's where there is one."""
        first = (Message("system", system),) if system else ()
        return cls((*first, Message("user", text)), draw)

    def n_tokens(self) -> int:
        """Return about how many tokens the messages are, by cl100k_base."""
        return sum(tokens.count(message.content) + 4 for message in self.messages)


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn: temperature 0 takes the likeliest; `max_tokens` is where it is cut."""

    temperature: float = 0.0
    seed: int = 0
    max_tokens: int = 256


@dataclass(frozen=True)
class Answer:
    """A model's answer and what it took. `usd` is None where the client knows no price.

    `counted_here` says that the client told no token counts, so that they are cl100k_base's; `cut`, that the answer
    ended at the limit.
    """

    text: str
    prompt_tokens: int
    answer_tokens: int
    seconds: float
    usd: float | None = None
    counted_here: bool = False
    cut: bool = False

    @classmethod
    def counting(cls, prompt: Prompt, text: str, seconds: float) -> Answer:
        """Return an answer whose tokens nobody told, and which are therefore counted."""
        return cls(text, prompt.n_tokens(), tokens.count(text), seconds, counted_here=True)


def sound(text: str) -> str:
    """Return a text with '?' for halves of characters, which an answer that was cut may end in and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


class ChatClient(Protocol):
    """Any language model. An answer is kept for ever under `identity`, so that must change with the model.

    Example:
        >>> class Parrot:
        ...     identity = "parrot 1"
        ...     def complete(self, prompts, sampling):
        ...         for i, prompt in enumerate(prompts):
        ...             yield i, Answer.counting(prompt, prompt.messages[-1].content, seconds=0.1)
        >>> register_chat_client("parrot", Parrot())

    A pipeline then names it `endpoint: client:parrot`.
    """

    @property
    def identity(self) -> str:
        """Name the model, its version and whatever else decides its answers; no secret may be in it."""
        ...

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterable[tuple[int, Answer]]:
        """Yield the position of each prompt with its answer, in any order, as they come: each is kept at once.

        Raises:
            EndpointError: when one cannot be had; those that were yielded before are kept.
        """
        ...


_clients: dict[str, ChatClient] = {}


def register_chat_client(name: str, client: ChatClient) -> None:
    """Make a client known to this process as `client:NAME`; one of the same name is replaced.

    Work that is submitted is done by another process, which does not know it: evaluate in this one.

    Raises:
        ConfigurationError: for a name with other characters than letters, digits, "-", "_" and ".".
    """
    if not name or not all(c.isalnum() or c in "-_." for c in name):
        raise ConfigurationError(
            f"A chat client's name is made of letters, digits, '-', '_' and '.', but got '{shorten(name)}'."
        )
    _clients[name] = client


def registered_chat_client(name: str) -> ChatClient:
    """Return a client by the name under which it was registered.

    Raises:
        ConfigurationError: when this process knows none of that name.
    """
    if name not in _clients:
        raise ConfigurationError(
            f"No chat client '{shorten(name)}' is registered in this process (known: {', '.join(_clients) or 'none'}); "
            f"call register_chat_client first and evaluate in the same process, or name an endpoint's address."
            f"{did_you_mean(name, _clients)}"
        )
    return _clients[name]


@dataclass(frozen=True)
class FunctionClient:
    """A function from the text of a prompt to an answer, as a client; `identity` names what decides its answers."""

    function: Callable[[str], str]
    identity: str

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[tuple[int, Answer]]:
        """Call the function with each prompt's messages, a blank line between them."""
        for i, prompt in enumerate(prompts):
            started = time.perf_counter()
            text = self.function("\n\n".join(message.content for message in prompt.messages))
            yield i, Answer.counting(prompt, text, time.perf_counter() - started)


@dataclass(frozen=True)
class LlamaIndexClient:
    """A llama-index LLM as a client. Temperature and length are the LLM's own: name them in `identity`."""

    llm: Any
    identity: str

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[tuple[int, Answer]]:
        """Have the LLM chat, one prompt after another."""
        from llama_index.core.llms import ChatMessage

        for i, prompt in enumerate(prompts):
            started = time.perf_counter()
            messages = [ChatMessage(role=message.role, content=message.content) for message in prompt.messages]
            try:
                answered = self.llm.chat(messages)
            except Exception as error:
                raise EndpointError(
                    f"The llama-index model '{shorten(self.identity)}' gave no answer ({type(error).__name__}); "
                    "try it outside the workbench, then run again: the answers so far are kept."
                ) from error
            yield i, Answer.counting(prompt, str(answered.message.content or ""), time.perf_counter() - started)


def from_llama_index(llm: Any, identity: str | None = None) -> LlamaIndexClient:
    """Return a llama-index LLM as a chat client, known by its class and model name unless `identity` says more."""
    return LlamaIndexClient(llm, identity or f"{type(llm).__name__} {llm.metadata.model_name}")
