"""What people judged: one line a judgement, kept as they go, in a file that survives a crash at any moment."""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import ConfigurationError, shorten, storage_errors

HIGHEST = 3.0
Place = tuple[str, str, int, int]
"""What is judged: question id, document id, start, end."""


@dataclass(frozen=True)
class Judgment:
    """What one person says of one passage: `document_id[start:end]` answers the question to a `grade` from 0 to 3.

    0 is irrelevant; 1 is the usual grade of evidence. None takes an earlier judgement back, or says that the passage
    was skipped. `question` is the question's text as it was judged. `quote_start` to `quote_end` is the part that
    matters, where it is not the whole passage. `at` is when, in ISO form.
    """

    question_id: str
    question: str
    document_id: str
    start: int
    end: int
    grade: float | None
    judge: str
    quote_start: int | None = None
    quote_end: int | None = None
    note: str = ""
    at: str = ""

    @property
    def place(self) -> Place:
        """What was judged."""
        return self.question_id, self.document_id, self.start, self.end

    @property
    def span(self) -> tuple[int, int]:
        """The part that matters: the quote, or else the whole passage."""
        if self.quote_start is None or self.quote_end is None:
            return self.start, self.end
        return self.quote_start, self.quote_end


def checked(judgment: Judgment) -> Judgment:
    """Return a judgement that can be kept.

    Raises:
        ConfigurationError: for a grade outside 0 to 3, no name, or spans that are none.
    """
    grade = judgment.grade
    if grade is not None and not (math.isfinite(grade) and 0 <= grade <= HIGHEST):
        raise ConfigurationError(f"A grade must be from 0 (irrelevant) to 3, but is {grade:g}; correct it.")
    if not judgment.judge.strip():
        raise ConfigurationError("A judgement needs the name of who judged; give one.")
    start, end = judgment.span
    if not 0 <= judgment.start <= start < end <= judgment.end:
        found = f"{start} to {end} of a passage from {judgment.start} to {judgment.end}"
        raise ConfigurationError(f"A judgement's quote must lie within its passage, but it is {found}; correct it.")
    return judgment


class JudgmentFile:
    """The judgements on one version of some documents; several people and processes may add to it at once.

    Spans belong to the documents' text, so that a file serves every version of the questions.
    """

    def __init__(self, folder: Path, documents_version: str) -> None:
        self.path = folder / f"{documents_version}.jsonl"

    def add(self, judgments: Iterable[Judgment]) -> list[Judgment]:
        """Keep judgements: they are on the disk when this returns.

        Raises:
            ConfigurationError: for one that is none; nothing is kept then.
            StorageError: when the disk is full or refuses.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        kept = [Judgment(**{**asdict(checked(one)), "at": one.at or now}) for one in judgments]
        lines = "".join(json.dumps(asdict(one), ensure_ascii=False, allow_nan=False) + "\n" for one in kept)
        with storage_errors(self.path, "keep the judgements"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                torn = _torn(file.tell(), self.path)
                file.write((b"\n" if torn else b"") + lines.encode("utf-8", errors="replace"))
                file.flush()
                os.fsync(file.fileno())
        return kept

    def all(self) -> list[Judgment]:
        """Return all that was ever judged, oldest first; a line torn by a crash is passed over."""
        if not self.path.is_file():
            return []
        with storage_errors(self.path, "read the judgements"):
            text = self.path.read_bytes().decode("utf-8", errors="replace")
        return list(_read(text))

    def latest(self) -> dict[tuple[str, Place], Judgment]:
        """Return each person's last word on each passage; what was taken back or skipped has no grade."""
        return {(one.judge, one.place): one for one in self.all()}


def _torn(size: int, path: Path) -> bool:
    """Return whether the file ends within a line."""
    if not size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _read(text: str) -> Iterator[Judgment]:
    names = {field.name for field in fields(Judgment)}
    for line in text.split("\n"):
        try:
            row = json.loads(line)
            yield checked(Judgment(**{name: value for name, value in row.items() if name in names}))
        except (ValueError, TypeError, AttributeError, ConfigurationError):
            continue


def grades(latest: Mapping[tuple[str, Place], Judgment]) -> dict[Place, list[Judgment]]:
    """Return the judgements that have a grade, by passage."""
    found: dict[Place, list[Judgment]] = {}
    for one in latest.values():
        if one.grade is not None:
            found.setdefault(one.place, []).append(one)
    return found


def named_judge(name: str) -> str:
    """Return a person's name as it is kept.

    Raises:
        ConfigurationError: for an empty one.
    """
    plain = shorten(name, 80)
    if not plain:
        raise ConfigurationError("A judgement needs the name of who judged; give one.")
    return plain
