"""An embeddings endpoint: what it is asked and how patiently, what is made of its answers, and a key that stays hidden.

A run asks for each text once, and says what that took.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.cache import Cache
from pipelines.errors import ConfigurationError, EndpointError
from pipelines.golden.dataset import Dataset
from pipelines.models.http_calls import HttpCalls
from pipelines.pipeline import Pipeline
from pipelines.runs.evaluate import evaluate
from pipelines.stages.embed.endpoint import EndpointEmbedder
from tests.chat_server import serving
from tests.embedding_server import FakeEmbeddings, of_letters

KEY = "sk-very-secret-0123456789"
TEXTS = [f"text {i}" for i in range(10)]
Sentence = Callable[[object], str]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """What the endpoint wished to be waited for, without waiting."""
    seen: list[float | None] = []
    monkeypatch.setattr(HttpCalls, "_pause", lambda self, tried, wished: seen.append(wished))
    return seen


@pytest.fixture
def server() -> Iterator[FakeEmbeddings]:
    with serving(FakeEmbeddings()) as fake:
        assert isinstance(fake, FakeEmbeddings)
        yield fake


def embedder(server: FakeEmbeddings, **knobs: Any) -> EndpointEmbedder:
    return EndpointEmbedder(**server.settings(**knobs))


def test_an_endpoint_is_asked_as_openai_is(server: FakeEmbeddings) -> None:
    found = embedder(server, dimensions=8, document_prompt="text: ", query_prompt="find: ").embed_documents(["a"])
    assert server.requests == [{"model": "fake", "input": ["text: a"], "encoding_format": "float", "dimensions": 8}]
    assert server.keys == [None]
    assert found.vectors.shape == (1, 8)
    embedder(server, query_prompt="find: ").embed_queries(["a", ""])
    assert server.requests[1]["input"] == ["find: a", "find: "]
    embedder(server).embed_queries([""])
    assert server.requests[2]["input"] == [" "], "most endpoints refuse an empty text"


def test_rows_stand_in_the_order_of_the_texts_whatever_order_they_come_in(server: FakeEmbeddings) -> None:
    found = embedder(server, batch_size=3, normalize=False).embed_documents([*TEXTS, TEXTS[2]])
    assert np.array_equal(found.vectors, np.asarray(of_letters([*TEXTS, TEXTS[2]]), dtype=np.float32))
    assert sorted(map(len, (one["input"] for one in server.requests))) == [1, 3, 3, 3]
    assert sorted(server.texts) == TEXTS, "each distinct text once"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_endpoint_is_asked_again(server: FakeEmbeddings, status: int, pauses: list[float | None]) -> None:
    server.failures, server.headers = [status], {"retry-after": "2"}
    embedder(server).embed_documents(["a"])
    assert (len(server.requests), pauses) == (2, [2.0])


@pytest.mark.parametrize(
    ("failures", "says"),
    [
        ([401], "refused to answer without a key"),
        ([404], "has no such model, or http"),
        ([400], "refused the request with status 400 .'not today'"),
        ([500] * 9, "was asked 3 times .* status 500 .'not today'"),
    ],
)
def test_what_does_not_pass_is_one_sentence(
    server: FakeEmbeddings, failures: list[int], says: str, sentence: Sentence
) -> None:
    server.failures = failures
    with pytest.raises(EndpointError, match=says) as refused:
        embedder(server, retries=2).embed_documents(["a"])
    sentence(refused.value)


def answer(*rows: Any) -> bytes:
    return json.dumps({"data": [{"index": i, "embedding": row} for i, row in enumerate(rows)]}).encode()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not what /embeddings returns"),
        (b"[]", "not what /embeddings returns"),
        (b'{"data": [{"embedding": [1.0]}]}', "not what /embeddings returns"),
        (answer([1.0, "x"], [2.0, 3.0]), "not what /embeddings returns"),
        (answer([1.0, 2.0]), "holds 1 vectors for 2 texts"),
        (answer([1.0, 2.0], [1.0]), "not what /embeddings returns|differ in length"),
        (answer(1.0, 2.0), "differ in length"),
        (answer([], []), "no numbers"),
        (answer([1.0, float("nan")], [2.0, 3.0]), "no number"),
        (answer([1.0, 1e300], [2.0, 3.0]), "no number"),
        (b'{"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [2.0]}]}', "which text"),
    ],
)
def test_an_answer_of_another_kind(server: FakeEmbeddings, raw: bytes, says: str, sentence: Sentence) -> None:
    server.raw = raw
    with pytest.raises(EndpointError, match=says) as refused:
        embedder(server).embed_documents(["a", "b"])
    sentence(refused.value)


def test_vectors_of_two_lengths(server: FakeEmbeddings, sentence: Sentence) -> None:
    server.vectors = lambda texts: [[1.0] * (2 + ("b" in texts)) for _ in texts]
    with pytest.raises(ConfigurationError, match="one model serves all calls") as refused:
        embedder(server, batch_size=1, concurrency=1).embed_documents(["a", "b"])
    sentence(refused.value)


def test_the_key_is_sent_and_shown_nowhere(
    server: FakeEmbeddings, monkeypatch: pytest.MonkeyPatch, sentence: Sentence
) -> None:
    monkeypatch.setenv("EMBED_KEY", KEY)
    one = embedder(server, key_variable="EMBED_KEY")
    one.embed_documents(["a"])
    assert server.keys == [f"Bearer {KEY}"]
    assert KEY not in json.dumps(one.settings()) + repr(one)
    server.failures, server.error = [400], {"error": {"message": f"bad key {KEY}"}}
    with pytest.raises(EndpointError) as refused:
        one.embed_documents(["b"])
    assert KEY not in sentence(refused.value)
    monkeypatch.delenv("EMBED_KEY")
    with pytest.raises(EndpointError, match="EMBED_KEY, which is not set"):
        one.embed_documents(["b"])


@pytest.mark.parametrize("address", ["ftp://x", "nothing", "http://user:secret@127.0.0.1/v1"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Pipeline.parse({"embed": {"use": "endpoint", "endpoint": address, "model": "m"}})
    assert "secret" not in str(refused.value)


def test_the_key_is_made_of_what_decides_a_vector_alone(server: FakeEmbeddings) -> None:
    one = embedder(server)
    same = embedder(server, batch_size=7, retries=0, concurrency=9, usd_per_million_tokens=1.0, header="title")
    assert one.fingerprint() == same.fingerprint()
    for knob in ({"model": "other"}, {"dimensions": 8}, {"query_prompt": "q"}, {"normalize": False}):
        assert embedder(server, **knob).fingerprint() != one.fingerprint()


def test_a_run_asks_for_each_text_once_and_says_what_it_took(
    server: FakeEmbeddings, towns: Path, tmp_path: Path
) -> None:
    settings = {"chunk": {"use": "fixed", "size": 16}, "retrieve": "dense"}
    priced = {"use": "endpoint", **server.settings(usd_per_million_tokens=2.0, concurrency=1, batch_size=8)}
    pipeline, dataset, cache = Pipeline.parse({**settings, "embed": priced}), Dataset.open(towns), Cache(tmp_path)
    first = evaluate(pipeline, dataset, cache, split="test")
    chunks = [one["input"] for one in server.requests if "opened in" in one["input"][0]]
    texts = [text for batch in chunks for text in batch]
    assert len(texts) == len(set(texts)) == first.run.n_chunks
    n_tokens = sum(len(text.split()) for text in texts)
    (note,) = [note for note in first.run.notes if f"read {len(texts)} texts" in note]
    assert f"{n_tokens:,} tokens ({2 * n_tokens / 1e6:.6f} USD)" in note
    n = len(server.requests)
    again = evaluate(pipeline, dataset, cache, split="test")
    assert len(server.requests) == n
    assert note in again.run.notes
    server.usage = False
    counted = embedder(server).embed_documents(["a ship at sea"]).note
    assert "4 tokens, as counted here" in counted
