"""Answers of language models, kept for ever: a prompt is paid for once, whoever asks it and however often."""

from __future__ import annotations

import json
import re
import sqlite3
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np

from pipelines.component import digest
from pipelines.models.chat import Answer, Prompt, sound
from pipelines.models.chat_http import HttpChat
from pipelines.models.chat_knobs import ChatKnobs
from pipelines.progress import Progress, silent
from pipelines.records import Spent
from pipelines.rowfile import RowFile
from pipelines.rows import text_key

_KEYS_AT_ONCE = 500
_SCHEMA = "CREATE TABLE IF NOT EXISTS answer (key BLOB PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL);"
_Record = tuple[bytes, int, bytes]


def prompt_key(prompt: Prompt) -> bytes:
    """Return 16 bytes that stand for the messages and the draw."""
    turns = [part for message in prompt.messages for part in (message.role, message.content)]
    return text_key(str(prompt.draw), *turns)


class Answers:
    """The answers of one model with one way of sampling, in `<folder>/<space>.db`; processes share it.

    The first answer to a prompt stays. A damaged one counts as absent and is asked for again; `on_damage` is told.
    """

    def __init__(self, folder: Path, space: str, on_damage: Callable[[str], None] = warnings.warn) -> None:
        self._file = RowFile(folder / f"{space}.db", _SCHEMA, "keep finished answers", on_damage)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Answer]:
        """Return the answers that are there, by key.

        Raises:
            StorageError: when the disk refuses.
        """
        found: dict[bytes, Answer] = {}
        bad: list[_Record] = []
        for at in range(0, len(keys), _KEYS_AT_ONCE):
            for record in self._read(keys[at : at + _KEYS_AT_ONCE]):
                answer = _sound(record)
                if answer is None:
                    bad.append(record)
                else:
                    found[record[0]] = answer
        if bad:
            self._remove(bad)
        return found

    def put(self, key: bytes, answer: Answer) -> Answer:
        """Keep an answer, and return the one that is kept: another process may have been sooner.

        Raises:
            StorageError: when the disk is full or refuses.
        """
        data = json.dumps(asdict(answer), ensure_ascii=False).encode("utf-8", "surrogatepass")
        record = (key, crc32(data, crc32(key)), data)
        self._file.write(lambda c: _insert(c, record))
        return self.get([key]).get(key, answer)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self._file.close()

    def _read(self, keys: Sequence[bytes]) -> list[_Record]:
        wanted = f"SELECT key, crc, data FROM answer WHERE key IN ({','.join('?' * len(keys))})"  # noqa: S608
        return self._file.read(lambda c: c.execute(wanted, keys).fetchall(), [])

    def _remove(self, bad: Sequence[_Record]) -> None:
        keys = [(key,) for key, _, _ in bad]
        self._file.write(lambda c: _delete(c, keys))
        self._file.on_damage(f"{len(bad)} kept answers of a language model were damaged; they are asked for again.")


def _insert(connection: sqlite3.Connection, record: _Record) -> None:
    connection.execute("INSERT OR IGNORE INTO answer VALUES (?, ?, ?)", record)


def _delete(connection: sqlite3.Connection, keys: Sequence[tuple[bytes]]) -> None:
    connection.executemany("DELETE FROM answer WHERE key = ?", keys)


def _sound(record: _Record) -> Answer | None:
    key, crc, data = record
    if type(data) is not bytes or crc32(data, crc32(key)) != crc:
        return None
    try:
        return Answer(**json.loads(data.decode("utf-8", "surrogatepass")))
    except (ValueError, TypeError):
        return None


def answer_space(identity: Mapping[str, object]) -> str:
    """Return the name of the file of all answers that `ChatKnobs.chat_identity` decides."""
    return digest({"what": "answers", **identity})


def without_thoughts(text: str) -> str:
    """Return an answer without the part in which a model thinks aloud, `<think>...</think>`, finished or cut off."""
    return re.sub(r"<think>.*?(</think>|\Z)", "", sound(text), flags=re.DOTALL).strip()


@dataclass
class Asker:
    """What a component asks its language model through: kept answers are looked up, new ones kept as they come.

    Without a `folder` nothing is kept. What each question took is noted, looked up or not; `on_asked` is told of the
    calls that were made, with their seconds; `note` of what the user should know of the answers.
    """

    knobs: ChatKnobs
    folder: Path | None = None
    progress: Progress = silent
    on_damage: Callable[[str], None] = warnings.warn
    on_asked: Callable[[int, float], None] = lambda n, seconds: None
    note: Callable[[str], None] = lambda text: None
    n_calls: int = 0
    _taken: list[tuple[int, Answer]] = field(default_factory=list)

    def __call__(self, prompts: Sequence[Prompt], question: Sequence[int]) -> list[str]:
        """Return the text of the answer to each prompt; `question[i]` is the row of the question that `i` serves.

        Raises:
            EndpointError: when an answer cannot be had; those that came before are kept.
            StorageError: when the disk is full or refuses.
        """
        keys = [prompt_key(prompt) for prompt in prompts]
        store = self._store()
        known = store.get(list(dict.fromkeys(keys))) if store else {}
        missing = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in known}
        if missing:
            known |= self._asked(missing, store)
        answers = [known[key] for key in keys]
        self._taken += zip(question, answers, strict=True)
        self._tell_of_cuts(answers)
        return [without_thoughts(answer.text) for answer in answers]

    def _tell_of_cuts(self, answers: Sequence[Answer]) -> None:
        n_cut = sum(answer.cut for answer in answers)
        if n_cut:
            self.note(
                f"{n_cut} of {len(answers)} answers of {self.knobs.model} were cut at {self.knobs.max_tokens} tokens; "
                "a greater max_tokens lets them end."
            )

    def spent(self, n_questions: int) -> Spent:
        """Return what each question took so far: its answers' own tokens and seconds, as when they were given."""
        spent = Spent.nothing(n_questions)
        for row, answer in self._taken:
            spent.calls[row] += 1
            spent.prompt_tokens[row] += answer.prompt_tokens
            spent.answer_tokens[row] += answer.answer_tokens
            spent.seconds[row] += answer.seconds
            spent.usd[row] += np.nan if answer.usd is None else answer.usd
        return spent

    def known(self, prompts: Sequence[Prompt]) -> dict[int, Answer]:
        """Return the kept answers by position in `prompts`, asking nothing: for an estimate."""
        store = self._store()
        keys = [prompt_key(prompt) for prompt in prompts]
        found = store.get(list(dict.fromkeys(keys))) if store else {}
        return {i: found[key] for i, key in enumerate(keys) if key in found}

    def _store(self) -> Answers | None:
        if self.folder is None:
            return None
        return Answers(self.folder, answer_space(self.knobs.chat_identity()), self.on_damage)

    def _asked(self, missing: Mapping[bytes, Prompt], store: Answers | None) -> dict[bytes, Answer]:
        keys = list(missing)
        found: dict[bytes, Answer] = {}
        started = time.perf_counter()
        self.progress(0, len(keys))
        client = self.knobs.chat_client(lambda: self.progress(len(found), len(keys)))
        try:
            for position, answer in client.complete(list(missing.values()), self.knobs.sampling()):
                key = keys[position]
                found[key] = answer if store is None else store.put(key, answer)
                if not isinstance(client, HttpChat):  # which tells by itself, once all that came is kept
                    self.progress(len(found), len(keys))
        finally:
            self.n_calls += len(found)
            if found:
                self.on_asked(len(found), time.perf_counter() - started)
        if len(found) < len(keys):
            raise RuntimeError(f"{len(keys) - len(found)} of {len(keys)} prompts were never answered")
        return found
