"""An embeddings endpoint on this machine for the contract suite: it serves MiniLM, until the tests end."""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from threading import Lock
from typing import Any

from pipelines.component import Component
from pipelines.models.backends import Way
from pipelines.models.encoder import Encoding
from pipelines.models.loading import EncoderSpec, load_encoder
from pipelines.models.weights import MINILM_SHA256, minilm_folder
from pipelines.progress import nothing, silent
from pipelines.stages.embed.endpoint import EndpointEmbedder
from tests.chat_server import serving
from tests.embedding_server import FakeEmbeddings


def reached(component: type[Component]) -> dict[str, Any]:
    """Settings with which an embedder that asks an endpoint reaches this one; none for any other."""
    if component is not EndpointEmbedder:
        return {}
    return {"endpoint": _address(), "model": "minilm", "dimensions": 384, "max_tokens": 256}


@cache
def _address() -> str:
    encoder = load_encoder(EncoderSpec(str(minilm_folder()), MINILM_SHA256, Way("cpu", "torch", "float32")))
    turn = Lock()

    def vectors(texts: Sequence[str]) -> list[list[float]]:
        with turn:
            found: list[list[float]] = encoder.encode(texts, Encoding(normalize=False), silent, nothing)[0].tolist()
        return found

    open_until_the_end = ExitStack()
    atexit.register(open_until_the_end.close)
    return open_until_the_end.enter_context(serving(FakeEmbeddings(vectors=vectors))).url
