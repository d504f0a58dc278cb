"""The knobs that every component with a language model has: where it is, how it answers, what it charges."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator, model_validator

from pipelines.models.chat import REGISTERED, ChatClient, Sampling, registered_chat_client
from pipelines.models.chat_endpoint import Endpoint, is_loopback
from pipelines.models.chat_http import HttpChat

CARRIAGE = (
    "key_variable",
    "timeout_s",
    "retries",
    "concurrency",
    "usd_per_million_prompt_tokens",
    "usd_per_million_answer_tokens",
)
"""The knobs that decide how an answer comes and what it costs, and never what it says."""
VARIABLE = r"^([A-Za-z_][A-Za-z0-9_]{0,63})?$"
HTTP_ADDRESS = r"^https?://[^\s]+$"
_ADDRESS = r"^(https?://[^\s]+|client:[\w.-]+)$"
Price = Annotated[float, Field(ge=0.0, le=100_000.0)]


@dataclass(frozen=True)
class Expected:
    """What questions are expected to take of a model, before any is asked: calls, and tokens in all."""

    calls: int
    prompt_tokens: int
    answer_tokens: int


class ChatKnobs(BaseModel):
    """Mix this into a component: its knobs then say which language model it asks, flat among the others."""

    endpoint: str = Field(
        ...,
        description="Address of an OpenAI-compatible API, such as http://127.0.0.1:8080/v1, or client:NAME for a "
        "client that was registered in Python",
        json_schema_extra={"pattern": _ADDRESS},
    )
    model: str = Field(..., min_length=1, max_length=200, description="Name of the model, as the endpoint knows it")
    key_variable: str = Field(
        "",
        description="Name of the environment variable that holds the key; empty for an endpoint without one. The key "
        "itself is never asked for, kept or shown",
        json_schema_extra={"pattern": VARIABLE},
    )
    temperature: float = Field(0.0, ge=0.0, le=2.0, description="How freely words are drawn; 0 takes the likeliest")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="What the endpoint draws with, where it lets itself be told")
    max_tokens: int = Field(
        256, ge=1, le=32_768, description="Where an answer is cut", json_schema_extra={"unit": "tokens"}
    )
    timeout_s: float = Field(
        60.0, ge=1.0, le=3600.0, description="How long one answer is waited for", json_schema_extra={"unit": "s"}
    )
    retries: int = Field(
        4,
        ge=0,
        le=20,
        description="How often a call is repeated when the endpoint is busy, fails or is out of reach, with growing "
        "pauses",
    )
    concurrency: int = Field(4, ge=1, le=64, description="Calls at a time")
    usd_per_million_prompt_tokens: Price | None = Field(
        None, description="Price of a million tokens of prompts, in USD; empty where none is known"
    )
    usd_per_million_answer_tokens: Price | None = Field(
        None, description="Price of a million tokens of answers, in USD; empty where none is known"
    )

    # Whatever stands in these two may be a secret in the wrong place, so a message never repeats it.
    @field_validator("endpoint", mode="before")
    @classmethod
    def _address(cls, endpoint: Any) -> str:
        if not isinstance(endpoint, str) or not re.match(_ADDRESS, endpoint.strip()):
            raise ValueError(
                "must be the address of an API that begins with http:// or https://, such as "
                "http://127.0.0.1:8080/v1, or client:NAME for a client registered in Python."
            )
        return endpoint.strip() if endpoint.startswith(REGISTERED) else http_address(endpoint, "/chat/completions")

    @field_validator("key_variable", mode="before")
    @classmethod
    def _variable(cls, name: Any) -> str:
        return variable_name(name)

    @model_validator(mode="after")
    def _refuse_a_readable_key(self) -> ChatKnobs:
        refuse_a_readable_key(self.endpoint, self.key_variable)
        return self

    def chat_client(self, look_up: Callable[[], None] = lambda: None) -> ChatClient:
        """Return the client; `look_up` is called while it waits, and may raise to stop it.

        Raises:
            ConfigurationError: for a registered client that this process does not know.
        """
        if self.registered:
            return registered_chat_client(self.endpoint.removeprefix(REGISTERED))
        carried = (self.key_variable, self.timeout_s, self.retries, self.concurrency)
        return HttpChat(Endpoint(self.endpoint, self.model, *carried), look_up)

    def sampling(self) -> Sampling:
        """Return how answers are drawn."""
        return Sampling(self.temperature, self.seed, self.max_tokens)

    def chat_identity(self) -> Mapping[str, Any]:
        """Return all that decides an answer besides its prompt, as plain JSON values: under this it is kept.

        Raises:
            ConfigurationError: for a registered client that this process does not know.
        """
        return {
            "client": self.chat_client().identity,
            "model": self.model,
            "temperature": self.temperature,
            "seed": self.seed,
            "max_tokens": self.max_tokens,
        }

    def asked_settings(self) -> dict[str, Any]:
        """Return the knobs that decide what comes of the component: all but those of carriage and price."""
        return {k: v for k, v in self.model_dump(mode="json").items() if k not in CARRIAGE}

    @property
    def registered(self) -> bool:
        """Whether a client that was registered in Python is asked."""
        return self.endpoint.startswith(REGISTERED)

    @property
    def priced(self) -> bool:
        """Whether both prices are known."""
        return self.usd_per_million_prompt_tokens is not None and self.usd_per_million_answer_tokens is not None


def http_address(endpoint: Any, path: str) -> str:
    """Return the address of an API as it is kept: without the `path` of its calls, if that stands behind it.

    Raises:
        ValueError: for what is no address; the message never repeats it, for it may be a secret in the wrong place.
    """
    if not isinstance(endpoint, str) or not re.match(HTTP_ADDRESS, endpoint.strip()):
        raise ValueError(
            "must be the address of an API that begins with http:// or https://, such as http://127.0.0.1:8080/v1."
        )
    address = endpoint.strip().rstrip("/").removesuffix(path)
    _refuse_odd(address)
    return address


def variable_name(name: Any) -> str:
    """Return the name of the environment variable of a key.

    Raises:
        ValueError: for what cannot be one; the message never repeats it.
    """
    if not isinstance(name, str) or not re.match(VARIABLE, name):
        raise ValueError(
            "must be the name of an environment variable that holds the key, such as OPENAI_API_KEY, and never "
            "the key itself."
        )
    return name


def refuse_a_readable_key(endpoint: str, key_variable: str) -> None:
    """Refuse to send a key to another machine unencrypted.

    Raises:
        ValueError: when that would happen.
    """
    if key_variable and endpoint.startswith("http://") and not is_loopback(endpoint):
        raise ValueError(
            "would send the key unencrypted over the network: the endpoint begins with http:// and is another "
            "machine; name its https:// address, or leave key_variable empty."
        )


def _refuse_odd(address: str) -> None:
    """Refuse what an address may not hold, without repeating it."""
    try:
        parts = urlsplit(address)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        port_is_one, parts = False, urlsplit("")
    if not parts.hostname or not port_is_one:
        raise ValueError("must be a whole address, such as http://127.0.0.1:8080/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(
            "must be an address without a user, a password, a '?' or a '#'; name the environment variable of the key "
            "in key_variable."
        )
