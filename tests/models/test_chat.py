"""Language models: what an endpoint is asked, how patiently; a prompt is paid once, and a key stays hidden."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.component import Component, explain
from pipelines.errors import Cancelled, ConfigurationError, EndpointError
from pipelines.models import chat_http
from pipelines.models.chat import (
    Answer,
    FunctionClient,
    Message,
    Prompt,
    Sampling,
    from_llama_index,
    register_chat_client,
)
from pipelines.models.chat_answers import Asker, prompt_key
from pipelines.models.chat_knobs import ChatKnobs
from pipelines.progress import silent
from tests.chat_server import FakeChat

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """What the endpoint wished to be waited for, without waiting."""
    seen: list[float | None] = []
    monkeypatch.setattr(chat_http.HttpChat, "_pause", lambda self, tried, wished: seen.append(wished))
    return seen


def asking(chat: FakeChat, folder: Path | None = None, **knobs: Any) -> Asker:
    return Asker(ChatKnobs(**{**chat.settings(), **knobs}), folder)


def prompts(*texts: str) -> list[Prompt]:
    return [Prompt.of(text) for text in texts]


def test_an_endpoint_is_asked_as_openai_is(chat: FakeChat) -> None:
    ask = asking(chat, temperature=0.5, seed=7, max_tokens=9)
    prompt = Prompt((Message("system", "Be brief."), Message("user", "Why?")), draw=2)
    assert ask([prompt], [0]) == ["Be brief.\n\nWhy?"]
    assert chat.requests == [
        {
            "model": "fake",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
            "temperature": 0.5,
            "seed": 9,  # the knob's 7 and the draw's 2
            "max_tokens": 9,
        }
    ]
    assert chat.keys == [None]


def test_answers_stand_in_the_order_of_the_prompts(chat: FakeChat) -> None:
    texts = [f"question {i}" for i in range(30)]
    assert asking(chat, concurrency=8)(prompts(*texts), range(30)) == texts


def test_as_many_calls_at_a_time_as_allowed(chat: FakeChat) -> None:
    chat.gate = threading.Barrier(3)  # nobody is answered until three have asked
    asking(chat, concurrency=3)(prompts(*"abcdef"), range(6))
    assert chat.most_together == 3


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_endpoint_is_asked_again(chat: FakeChat, status: int, pauses: list[float | None]) -> None:
    chat.failures = [status, status]
    chat.headers = {"retry-after": "3"}
    assert asking(chat, concurrency=1)(prompts("a"), [0]) == ["a"]
    assert (len(chat.requests), pauses) == (3, [3.0, 3.0])


def test_patience_ends(chat: FakeChat, sentence: Callable[[object], str]) -> None:
    chat.failures = [503] * 9
    with pytest.raises(EndpointError) as refused:
        asking(chat, retries=2)(prompts("a"), [0])
    assert "was asked 3 times" in sentence(refused.value)
    assert "status 503 ('not today')" in str(refused.value)
    assert len(chat.requests) == 3


def test_an_endpoint_that_is_not_there(sentence: Callable[[object], str]) -> None:
    knobs = ChatKnobs(endpoint="http://127.0.0.1:9/v1", model="m", retries=1)
    with pytest.raises(EndpointError, match=r"127.0.0.1:9 .*cannot be reached") as refused:
        Asker(knobs)(prompts("a"), [0])
    sentence(refused.value)


@pytest.mark.parametrize(
    ("status", "says"),
    [(404, "no such model, or http"), (400, "refused the request with status 400 .'not today'"), (401, "refused")],
)
def test_what_cannot_pass_is_not_tried_again(
    chat: FakeChat, status: int, says: str, sentence: Callable[[object], str]
) -> None:
    chat.failures = [status]
    with pytest.raises(EndpointError, match=says) as refused:
        asking(chat)(prompts("a"), [0])
    sentence(refused.value)
    assert len(chat.requests) == 1


def test_a_spent_quota_is_no_busy_endpoint(chat: FakeChat) -> None:
    chat.failures, chat.error = [429], {"error": {"message": "You ran out", "code": "insufficient_quota"}}
    with pytest.raises(EndpointError, match="You ran out"):
        asking(chat)(prompts("a"), [0])
    assert len(chat.requests) == 1


def test_the_newer_name_of_the_limit_is_tried(chat: FakeChat) -> None:
    chat.failures, chat.error = [400], {"error": {"message": "Use 'max_completion_tokens' instead."}}
    assert asking(chat, concurrency=1)(prompts("a", "b"), [0, 1]) == ["a", "b"]
    assert [("max_tokens" in one, "max_completion_tokens" in one) for one in chat.requests] == [
        (True, False),
        (False, True),
        (False, True),
    ]


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b'{"choices": []}', b'{"choices": [{"message": {}}]}'])
def test_an_answer_of_another_kind(chat: FakeChat, raw: bytes, sentence: Callable[[object], str]) -> None:
    chat.raw = raw
    with pytest.raises(EndpointError, match="cannot be read") as refused:
        asking(chat)(prompts("a"), [0])
    sentence(refused.value)


def test_half_a_character_does_no_harm(chat: FakeChat, tmp_path: Path) -> None:
    chat.raw = b'{"choices": [{"message": {"content": "so \\ud83d"}}]}'
    for _ in range(2):
        assert asking(chat, tmp_path)(prompts("why \ud83d"), [0]) == ["so ?"]
    assert (chat.prompts, len(chat.requests)) == (["why ?"], 1)


def test_an_answer_without_text(chat: FakeChat) -> None:
    chat.raw = json.dumps({"choices": [{"message": {"content": None}}]}).encode()
    with pytest.raises(EndpointError, match="holds no text"):
        asking(chat)(prompts("a"), [0])


# Keeping ------------------------------------------------------------------------------------------------------------


def test_a_prompt_is_paid_once(chat: FakeChat, tmp_path: Path) -> None:
    first = asking(chat, tmp_path)
    assert first(prompts("a", "b", "a"), [0, 1, 2]) == ["a", "b", "a"]
    assert sorted(chat.prompts) == ["a", "b"]
    again = asking(chat, tmp_path, retries=9, concurrency=1, timeout_s=5, usd_per_million_prompt_tokens=1.0)
    assert again(prompts("b", "a"), [0, 1]) == ["b", "a"]
    assert (len(chat.requests), first.n_calls, again.n_calls) == (2, 2, 0)


@pytest.mark.parametrize("knob", [{"model": "n"}, {"seed": 1}, {"temperature": 0.1}, {"max_tokens": 5}])
def test_what_decides_an_answer_is_asked_for_anew(chat: FakeChat, tmp_path: Path, knob: dict[str, Any]) -> None:
    asking(chat, tmp_path)(prompts("a"), [0])
    asking(chat, tmp_path, **knob)(prompts("a"), [0])
    assert len(chat.requests) == 2


def test_what_was_answered_before_a_failure_is_kept(chat: FakeChat, tmp_path: Path) -> None:
    def reply(text: str) -> str:
        if text == "c":
            chat.failures = [400]
        return text

    chat.reply = reply
    with pytest.raises(EndpointError):
        asking(chat, tmp_path, concurrency=1)(prompts("a", "b", "c", "d", "e"), range(5))
    n = len(chat.requests)
    assert asking(chat, tmp_path)(prompts("a", "b", "c"), range(3)) == ["a", "b", "c"]
    assert len(chat.requests) == n


def test_what_was_answered_before_a_stop_is_kept(chat: FakeChat, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done >= 2:
            raise Cancelled("stop")

    asked = prompts(*(str(i) for i in range(200)))
    with pytest.raises(Cancelled):
        Asker(ChatKnobs(**chat.settings(concurrency=1)), tmp_path, stop)(asked, range(200))
    kept = sorted(asking(chat, tmp_path).known(asked))
    assert kept == list(range(len(kept)))
    assert 2 <= len(kept) <= len(chat.requests) < 200


def test_a_damaged_answer_is_asked_for_again(chat: FakeChat, tmp_path: Path) -> None:
    asking(chat, tmp_path)(prompts("a", "b"), [0, 1])
    (file,) = tmp_path.glob("*.db")
    with sqlite3.connect(file) as connection:
        connection.execute(
            "UPDATE answer SET data = ? WHERE key = ?", (b'{"text": "lies"}', prompt_key(Prompt.of("a")))
        )
    connection.close()
    told: list[str] = []
    ask = Asker(ChatKnobs(**chat.settings()), tmp_path, silent, told.append)
    assert ask(prompts("a", "b"), [0, 1]) == ["a", "b"]
    assert (len(chat.requests), len(told)) == (3, 1)


def test_a_file_that_is_none_is_begun_anew(chat: FakeChat, tmp_path: Path) -> None:
    asking(chat, tmp_path)(prompts("a"), [0])
    (file,) = tmp_path.glob("*.db")
    for path in tmp_path.glob("*.db*"):
        path.unlink()
    file.write_bytes(b"damaged" * 1000)
    told: list[str] = []
    assert Asker(ChatKnobs(**chat.settings()), tmp_path, silent, told.append)(prompts("a"), [0]) == ["a"]
    assert len(told) == 1


def test_the_first_answer_stays(tmp_path: Path) -> None:
    """Two processes may ask the same at once: both go on with the one answer that is kept."""
    slow, fast = FunctionClient(lambda _: "slow", "one"), FunctionClient(lambda _: "fast", "one")
    other = Asker(ChatKnobs(endpoint="client:fast", model="m"), tmp_path)

    class Overtaken:
        identity = "one"

        def complete(self, asked: Sequence[Prompt], sampling: Sampling) -> Iterator[tuple[int, Answer]]:
            other(asked, range(len(asked)))
            yield from slow.complete(asked, sampling)

    register_chat_client("fast", fast)
    register_chat_client("overtaken", Overtaken())
    assert Asker(ChatKnobs(endpoint="client:overtaken", model="m"), tmp_path)(prompts("a"), [0]) == ["fast"]


text = st.text(max_size=5)


@given(st.lists(st.tuples(text, text, st.integers(0, 3)), min_size=2, max_size=2, unique=True))
def test_different_prompts_have_different_keys(parts: list[tuple[str, str, int]]) -> None:
    one, other = (
        prompt_key(Prompt((Message("system", system), Message("user", user)), draw)) for system, user, draw in parts
    )
    assert one != other


# Price --------------------------------------------------------------------------------------------------------------


def test_what_a_question_takes_is_the_same_when_looked_up(chat: FakeChat, tmp_path: Path) -> None:
    asked, rows = prompts("one two", "three", "one two"), [0, 1, 1]
    spents = []
    for _ in range(2):
        ask = asking(chat, tmp_path)
        ask(asked, rows)
        spents.append(ask.spent(3))
    for spent in spents:
        assert spent.calls.tolist() == [1, 2, 0]
        assert spent.prompt_tokens.tolist() == spent.answer_tokens.tolist() == [2, 3, 0]  # the fake counts words
        # 2 x 3 + 2 x 5 millionths of a dollar
        assert spent.priced(3.0, 5.0) == pytest.approx([16e-6, 24e-6, 0.0])
        assert [one != one for one in spent.priced(3.0, None)] == [True, True, False]
    assert spents[0].seconds.tolist() == spents[1].seconds.tolist()


def test_tokens_that_are_not_told_are_counted(chat: FakeChat) -> None:
    chat.usage = False
    ask = asking(chat)
    ask(prompts("one two three"), [0])
    spent = ask.spent(1)
    assert spent.answer_tokens.tolist() == [3]
    assert spent.prompt_tokens.tolist() == [7]  # three, and four around each message


# The key ------------------------------------------------------------------------------------------------------------


def test_the_key_goes_to_the_endpoint_and_nowhere_else(
    chat: FakeChat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    chat.failures, chat.error = [500, 400], {"error": {"message": f"Incorrect: {KEY}"}}
    ask = asking(chat, tmp_path, key_variable="MY_KEY", concurrency=1)
    with pytest.raises(EndpointError) as refused:
        ask(prompts("a"), [0])
    assert "Incorrect: ***" in str(refused.value)
    ask(prompts("a"), [0])
    assert chat.keys == [f"Bearer {KEY}"] * 3
    assert KEY not in caplog.text
    assert KEY not in repr(ask.knobs) + json.dumps(ask.knobs.model_dump()) + repr(ask.knobs.chat_client())
    for path in tmp_path.rglob("*"):
        assert KEY.encode() not in path.read_bytes()


def test_a_refused_key_is_not_shown(chat: FakeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    chat.failures, chat.error = [401], {"error": {"message": "Incorrect API key provided: sk-very****6789"}}
    with pytest.raises(EndpointError, match="environment variable MY_KEY") as refused:
        asking(chat, key_variable="MY_KEY")(prompts("a"), [0])
    assert "sk-" not in str(refused.value)


@pytest.mark.parametrize("value", [None, "", "  ", "two words", "sk-\u20ac"])
def test_a_missing_key(
    chat: FakeChat, value: str | None, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str]
) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("MY_KEY", value)
    with pytest.raises(EndpointError, match="MY_KEY") as refused:
        asking(chat, key_variable="MY_KEY")(prompts("a"), [0])
    sentence(refused.value)
    assert chat.requests == []


class Talker(Component, ChatKnobs):
    """Something with a language model."""


@pytest.mark.parametrize(
    "wrong",
    [
        {"key_variable": KEY},
        {"key_variable": "has space"},
        {"endpoint": KEY},
        {"endpoint": "ftp://127.0.0.1/v1"},
        {"endpoint": "https://me:" + KEY + "@api.example.com/v1"},
        {"endpoint": "https://api.example.com/v1?key=" + KEY},
        {"endpoint": "https://api.example.com:99999999/v1"},
        {"endpoint": "http://api.example.com/v1", "key_variable": "MY_KEY"},
        {"endpoint": None},
    ],
)
def test_what_may_be_a_secret_is_refused_and_not_repeated(
    wrong: dict[str, Any], sentence: Callable[[object], str]
) -> None:
    with pytest.raises(ValidationError) as refused:
        Talker(**{"endpoint": "http://127.0.0.1:1/v1", "model": "m", **wrong})
    assert KEY not in sentence(explain(refused.value, Talker))


def test_addresses_come_in_one_shape() -> None:
    for written in ("https://api.example.com/v1", "https://api.example.com/v1/", " https://api.example.com/v1 "):
        assert ChatKnobs(endpoint=written, model="m").endpoint == "https://api.example.com/v1"
    whole = "https://api.example.com/v1/chat/completions"
    assert ChatKnobs(endpoint=whole, model="m", key_variable="K").endpoint == "https://api.example.com/v1"
    ChatKnobs(endpoint="http://models.example.com/v1", model="m")  # without a key there is nothing to overhear


# Other clients ------------------------------------------------------------------------------------------------------


def test_any_client_may_be_registered() -> None:
    register_chat_client("shout", FunctionClient(str.upper, "shout 1"))
    ask = Asker(ChatKnobs(endpoint="client:shout", model="any"))
    assert ask([Prompt.of("a", system="b")], [0]) == ["B\n\nA"]


def test_a_client_that_nobody_registered(sentence: Callable[[object], str]) -> None:
    register_chat_client("shout", FunctionClient(str.upper, "shout 1"))
    with pytest.raises(ConfigurationError, match="Did you mean 'shout'") as refused:
        ChatKnobs(endpoint="client:shoutt", model="any").chat_identity()
    sentence(refused.value)
    with pytest.raises(ConfigurationError, match="A chat client's name"):
        register_chat_client("no spaces", FunctionClient(str.upper, "x"))


def test_a_llama_index_model_is_a_client() -> None:
    from llama_index.core.llms import MockLLM

    register_chat_client("llama", from_llama_index(MockLLM(max_tokens=3), "mock"))
    (told,) = Asker(ChatKnobs(endpoint="client:llama", model="any"))(prompts("one two three four"), [0])
    assert told
