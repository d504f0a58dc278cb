"""Embeddings from an OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, field_validator, model_validator

from pipelines.component import digest
from pipelines.errors import ConfigurationError, counted, shorten
from pipelines.models.chat_endpoint import Endpoint
from pipelines.models.chat_knobs import (
    HTTP_ADDRESS,
    VARIABLE,
    Price,
    http_address,
    refuse_a_readable_key,
    variable_name,
)
from pipelines.models.embedding_http import HttpEmbeddings, Vectors
from pipelines.models.tokens import count
from pipelines.progress import Keep, Progress, nothing, silent
from pipelines.records import FloatArray, LongArray
from pipelines.stages.embed import Embedded, Embedder
from pipelines.training.adapter_maps import unit

CARRIAGE = ("key_variable", "timeout_s", "retries", "concurrency", "batch_size", "usd_per_million_tokens", "header")
"""Knobs that decide how a vector comes and what it costs, and never what it is."""


class EndpointEmbedder(Embedder, name="endpoint", version=1):
    """Embed with a model behind an OpenAI-compatible API: a service, or a server of your own.

    Texts leave this machine, unless the endpoint is on it. Each text's vector is asked for once and kept for ever; some
    questions are asked once more, one at a time, to time them. Another model under the same name and address is not
    noticed.

    Choose it for a model that is too large for this machine, or that you pay for anyway.
    """

    endpoint: str = Field(
        ...,
        description="Address of an OpenAI-compatible API, such as http://127.0.0.1:8080/v1",
        json_schema_extra={"pattern": HTTP_ADDRESS},
    )
    model: str = Field(..., min_length=1, max_length=200, description="Name of the model, as the endpoint knows it")
    key_variable: str = Field(
        "",
        description="Name of the environment variable that holds the key; empty for an endpoint without one. The key "
        "itself is never asked for, kept or shown",
        json_schema_extra={"pattern": VARIABLE},
    )
    dimensions: int | None = Field(
        None, ge=8, le=16_384, description="Length of the vectors to ask for; none takes the model's own"
    )
    query_prompt: str = Field("", max_length=2000, description="What is put before a question")
    document_prompt: str = Field("", max_length=2000, description="What is put before a chunk's text")
    max_tokens: int = Field(
        8192,
        ge=16,
        le=131_072,
        description="Length of a text that the model reads; what is longer is told of",
        json_schema_extra={"unit": "tokens"},
    )
    batch_size: int = Field(32, ge=1, le=2048, description="Texts a call", json_schema_extra={"unit": "texts"})
    timeout_s: float = Field(
        60.0, ge=1.0, le=3600.0, description="How long one answer is waited for", json_schema_extra={"unit": "s"}
    )
    retries: int = Field(
        4, ge=0, le=20, description="How often a call is repeated when the endpoint is busy or fails, with pauses"
    )
    concurrency: int = Field(4, ge=1, le=64, description="Calls at a time")
    usd_per_million_tokens: Price | None = Field(
        None, description="Price of a million tokens, in USD; empty where none is known"
    )
    normalize: bool = Field(True, description="Scale every vector to length 1, so that cosine and inner product agree")

    @field_validator("endpoint", mode="before")
    @classmethod
    def _address(cls, endpoint: Any) -> str:
        return http_address(endpoint, HttpEmbeddings.path)

    @field_validator("key_variable", mode="before")
    @classmethod
    def _variable(cls, name: Any) -> str:
        return variable_name(name)

    @model_validator(mode="after")
    def _no_readable_key(self) -> EndpointEmbedder:
        refuse_a_readable_key(self.endpoint, self.key_variable)
        return self

    def fingerprint(self) -> str:
        """Return a digest of all that decides a vector: neither how it comes, nor what it costs."""
        decides = {name: value for name, value in self.settings().items() if name not in CARRIAGE}
        return digest({"version": self.version, **decides})

    def embed_documents(
        self, texts: Sequence[str], progress: Progress = silent, *, fitted: Path | None = None, keep: Keep = nothing
    ) -> Embedded:
        """Return one vector a text, each distinct text asked for once."""
        return self._embed(texts, self.document_prompt, progress, keep)

    def embed_queries(
        self, texts: Sequence[str], progress: Progress = silent, *, fitted: Path | None = None, keep: Keep = nothing
    ) -> Embedded:
        """Return one vector a query."""
        return self._embed(texts, self.query_prompt, progress, keep)

    def _embed(self, texts: Sequence[str], prompt: str, progress: Progress, keep: Keep) -> Embedded:
        first: dict[str, int] = {}
        own = np.asarray([first.setdefault(text, len(first)) for text in texts], dtype=np.int64)
        distinct = list(first)
        where = np.unique(own, return_index=True)[1]
        lengths = np.asarray([count(prompt + text) for text in distinct], dtype=np.int64)
        rows: list[tuple[LongArray, FloatArray]] = []
        tokens: list[int | None] = []

        def tell() -> None:
            progress(sum(len(at) for at, _ in rows), len(distinct))

        for at, answer in self._answers([prompt + text for text in distinct], tell):
            found = self._scaled(answer.values)
            tokens.append(answer.tokens)
            if rows and rows[0][1].shape[1] != found.shape[1]:
                raise ConfigurationError(
                    f"The endpoint gave vectors of {rows[0][1].shape[1]} and of {found.shape[1]} numbers; see that one "
                    "model serves all calls."
                )
            rows.append((at, found))
            keep(where[at], self._with_lengths(found, lengths[at]))
            tell()
        vectors = np.zeros((len(distinct), rows[0][1].shape[1] if rows else self.dimensions or 0), dtype=np.float32)
        for at, found in rows:
            vectors[at] = found
        cut = int((lengths > self.max_tokens)[own].sum())
        return Embedded(vectors[own], cut, self.max_tokens, self._taken(len(distinct), tokens, int(lengths.sum())))

    def _taken(self, n_texts: int, tokens: Sequence[int | None], counted_here: int) -> str:
        """Say what was read, and what it cost; tokens that the endpoint does not tell are counted here."""
        if not n_texts:
            return ""
        told = [one for one in tokens if one is not None]
        read, how = (sum(told), "") if len(told) == len(tokens) else (counted_here, ", as counted here")
        price = self.usd_per_million_tokens
        paid = "" if price is None else f" ({price * read / 1e6:.6f} USD)"
        return f"{shorten(self.model)} at the endpoint read {counted(n_texts, 'text')}, {read:,} tokens{how}{paid}."

    def _answers(self, texts: Sequence[str], look_up: Callable[[], None]) -> Iterator[tuple[LongArray, Vectors]]:
        batches = [np.arange(i, min(i + self.batch_size, len(texts))) for i in range(0, len(texts), self.batch_size)]
        client = self._client(look_up)
        for i, found in client.each([[texts[t] for t in batch.tolist()] for batch in batches]):
            yield batches[i], found

    def _client(self, look_up: Callable[[], None]) -> HttpEmbeddings:
        carried = (self.key_variable, self.timeout_s, self.retries, self.concurrency)
        return HttpEmbeddings(Endpoint(self.endpoint, self.model, *carried), look_up, dimensions=self.dimensions)

    def _scaled(self, vectors: FloatArray) -> FloatArray:
        return unit(vectors) if self.normalize else vectors

    def _with_lengths(self, vectors: FloatArray, lengths: LongArray) -> FloatArray:
        return np.column_stack([vectors, lengths, np.full(len(lengths), self.max_tokens)]).astype(np.float32)
