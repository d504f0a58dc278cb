"""One row of questions.jsonl to a question: what is sound is kept, what is not is said, all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import ParamSpec, TypeVar

from pipelines.errors import did_you_mean, shorten
from pipelines.golden.evidence_rows import evidence_of, optional_text
from pipelines.records import SPLITS, Evidence, Question, Split
from pipelines.stages.load.reading import RuleError, clean, json_lines, show
from pipelines.stages.load.values import identifier, metadata_of, refuse_unknown

P = ParamSpec("P")
T = TypeVar("T")

QUESTION_KEYS = ("id", "text", "answer", "split", "tags", "filter", "evidence")


class Collected:
    """Calls readers; what they raise is kept, and a stand-in given."""

    def __init__(self) -> None:
        self.errors: list[RuleError] = []

    def get(self, default: T, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `read` returns, or `default` when it raises."""
        try:
            return read(*args, **kwargs)
        except RuleError as error:
            self.errors.append(error)
            return default


def question_rows(data: bytes, where: str) -> Iterator[tuple[int, Question | None, list[RuleError]]]:
    """Yield for each row its line, the question (None when it has no id or text) and what is wrong with it.

    Raises:
        DatasetError: when the whole is not text.
    """
    for line, row in json_lines(data, where):
        if isinstance(row, RuleError):
            yield line, None, [row]
        else:
            yield line, *question_of(row, f"{where}, line {line}")


def question_of(row: Mapping[str, object], where: str) -> tuple[Question | None, list[RuleError]]:
    """Return the question with all of it that is sound, and an error for each part that is not."""
    found = Collected()
    found.get(None, refuse_unknown, row, QUESTION_KEYS, where)
    identity = found.get("", identifier, row, "id", where)
    text = found.get("", required_text, row, where)
    answer = found.get(None, optional_text, row, "answer", where)
    split = found.get(None, split_of, row.get("split"), where)
    tags = found.get((), _tags, row.get("tags"), where)
    values = found.get({}, metadata_of, row.get("filter"), where, "filter")
    evidence = tuple(_evidence(found, row.get("evidence"), where))
    if not identity or not text:
        return None, found.errors
    return Question(identity, text, answer, split, tags, values, evidence), found.errors


def required_text(row: Mapping[str, object], where: str) -> str:
    """Return the question's text.

    Raises:
        RuleError: when there is none.
    """
    value = row.get("text")
    if isinstance(value, str) and value.strip():
        return clean(value)
    raise RuleError("bad-text", f"{where}: 'text' must be text that is not empty, but is {show(value)}; ask something.")


def split_of(value: object, where: str) -> Split | None:
    """Return the split.

    Raises:
        RuleError: when it is none of train, dev and test.
    """
    for split in SPLITS:
        if value == split:
            return split
    if value in (None, ""):
        return None
    known, guess = ", ".join(SPLITS), did_you_mean(str(value), SPLITS)
    raise RuleError("bad-split", f"{where}: 'split' is {show(value)}; allowed are {known}, or none: correct it.{guess}")


def _tags(value: object, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        return tuple(dict.fromkeys(clean(tag) for tag in value))
    raise RuleError("bad-tags", f'{where}: \'tags\' must be a list of texts, but is {show(value)}; write ["a", "b"].')


def _evidence(found: Collected, value: object, where: str) -> Iterator[Evidence]:
    items = [] if value is None else value
    if not isinstance(items, list):
        error = (
            f"{where}: 'evidence' must be a list, but is {show(value)}; write [{{...}}], or [] for an unanswerable one."
        )
        found.errors.append(RuleError("bad-evidence", error))
        return
    for number, item in enumerate(items, start=1):
        read = found.get(None, evidence_of, item, f"{where}, evidence {number}")
        if read is not None:
            yield read


def place(where: str, question_id: str) -> str:
    """Name a question within a message."""
    return f"{where}, question '{shorten(question_id, 60)}'"
