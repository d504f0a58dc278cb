"""A client of any endpoint that speaks OpenAI's chat completions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.models.chat import Answer, Prompt, Sampling, sound
from pipelines.models.http_calls import HttpCalls, counted

if TYPE_CHECKING:
    import httpx


@dataclass
class HttpChat(HttpCalls[tuple[Prompt, Sampling], Answer]):
    """Completes prompts at an endpoint, `concurrency` at a time. `look_up` is called while it waits; it may raise."""

    path: ClassVar[str] = "/chat/completions"
    _length: str = "max_tokens"

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[tuple[int, Answer]]:
        """Yield position and answer of each prompt, as they come.

        Raises:
            EndpointError: when the endpoint cannot be reached or refuses, after every answer that was under way.
        """
        return self.each([(prompt, sampling) for prompt in prompts])

    def ask(self, http: httpx.Client, asked: tuple[Prompt, Sampling]) -> Answer:
        """Complete one prompt."""
        started = time.perf_counter()
        status, headers, body = self.sent(http, self._request(*asked))
        if status == 400 and self._length == "max_tokens" and "max_completion_tokens" in body:
            self._length = "max_completion_tokens"  # newer models of OpenAI's know it by this name alone
            return self.ask(http, asked)
        if status != 200:
            raise self.refused(status, headers, body)
        return self._read(body, asked[0], time.perf_counter() - started)

    def _request(self, prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
        return {
            "model": self.endpoint.model,
            "messages": [{"role": one.role, "content": sound(one.content)} for one in prompt.messages],
            "temperature": sampling.temperature,
            "seed": sampling.seed + prompt.draw,
            self._length: sampling.max_tokens,
        }

    def _read(self, body: str, prompt: Prompt, seconds: float) -> Answer:
        try:
            told = json.loads(body)
            choice = told["choices"][0]
            text, cut = choice["message"]["content"], choice.get("finish_reason") == "length"
            usage = told.get("usage") or {}
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            raise self.unusable("it is not what /chat/completions returns") from None
        if not isinstance(text, str):
            raise self.unusable("it holds no text")
        asked, answered = (counted(usage, name) for name in ("prompt_tokens", "completion_tokens"))
        if asked is None or answered is None:
            return replace(Answer.counting(prompt, text, seconds), cut=cut)
        return Answer(text, asked, answered, seconds, cut=cut)
