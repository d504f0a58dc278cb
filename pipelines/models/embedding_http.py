"""A client of any endpoint that speaks OpenAI's embeddings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pipelines.errors import shorten
from pipelines.models.chat import sound
from pipelines.models.http_calls import HttpCalls, counted
from pipelines.records import FloatArray

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class Vectors:
    """What came for some texts: float32 [n_texts, dimensions], and the tokens that were read (None: not told)."""

    values: FloatArray
    tokens: int | None


@dataclass
class HttpEmbeddings(HttpCalls[Sequence[str], Vectors]):
    """Embeds batches of texts. `dimensions` asks the endpoint for shorter vectors, where it can give them."""

    path: ClassVar[str] = "/embeddings"
    most_bytes: ClassVar[int] = 256 * 2**20
    dimensions: int | None = None

    def ask(self, http: httpx.Client, asked: Sequence[str]) -> Vectors:
        """Embed one batch."""
        status, headers, body = self.sent(http, self._request(asked))
        if status != 200:
            raise self.refused(status, headers, body)
        return self._read(body, len(asked))

    def _request(self, texts: Sequence[str]) -> dict[str, Any]:
        # An empty text is refused by most endpoints.
        request = {"model": self.endpoint.model, "input": [sound(text) or " " for text in texts]}
        shorter = {} if self.dimensions is None else {"dimensions": self.dimensions}
        return {**request, "encoding_format": "float", **shorter}

    def _read(self, body: str, n: int) -> Vectors:
        try:
            told = json.loads(body)
            rows = sorted(told["data"], key=lambda row: row["index"])
            with np.errstate(over="ignore"):
                values = np.asarray([row["embedding"] for row in rows], dtype=np.float32)
            usage = told.get("usage") or {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self.unusable(f"it is not what /embeddings returns ({shorten(error, 60)})") from None
        if [row["index"] for row in rows] != list(range(len(rows))):
            raise self.unusable("it does not tell which text each vector is of")
        if values.ndim == 2 and values.shape[1] == 0:
            raise self.unusable("its vectors hold no numbers")
        if values.ndim != 2 or len(values) != n:
            raise self.unusable(f"it holds {len(rows)} vectors for {n} texts, or they differ in length")
        if not np.isfinite(values).all():
            raise self.unusable("some vectors hold what is no number")
        return Vectors(values, counted(usage, "prompt_tokens"))
