"""An embeddings endpoint on the loopback interface: answers by a function, in any order, and fails as it is told."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chat_server import FakeChat

Vectors = Callable[[Sequence[str]], list[list[float]]]


def of_letters(texts: Sequence[str]) -> list[list[float]]:
    """Eight numbers that depend on a text alone."""
    return [[float(zlib.crc32(f"{i}{text}".encode()) % 2001 - 1000) for i in range(8)] for text in texts]


@dataclass
class FakeEmbeddings(FakeChat):
    """What the server was asked, and how it answers: `vectors` of the texts, the last of them first."""

    vectors: Vectors = of_letters

    @property
    def texts(self) -> list[str]:
        """All texts that were asked for, in the order of the requests."""
        return [text for request in self.requests for text in request["input"]]

    def body(self, request: dict[str, Any]) -> bytes:
        if self.raw is not None:
            return self.raw
        asked = request["input"]
        rows = [{"index": i, "embedding": row} for i, row in enumerate(self.vectors(asked))]
        told: dict[str, Any] = {"data": rows[::-1], "model": request["model"]}
        if self.usage:
            told["usage"] = {"prompt_tokens": sum(len(text.split()) for text in asked)}
        return json.dumps(told).encode()
