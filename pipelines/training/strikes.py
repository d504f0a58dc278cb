"""What a person struck out of the training data: passages that are no answer, and negatives that are one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from pipelines.aside import aside_name
from pipelines.errors import DatasetError, shorten, storage_errors

Struck: TypeAlias = Literal["positive", "negative"]
_KEYS = ("question_id", "document_id", "start", "end", "as")


@dataclass(frozen=True, slots=True)
class Strike:
    """The character span [start, end) of a document, struck out `of` the positives or the negatives of a question.

    `question_id` is "" for a pair that was made in another way than of a golden question: it then holds for all such.
    """

    question_id: str
    document_id: str
    start: int
    end: int
    of: Struck

    def row(self) -> dict[str, Any]:
        """Return the strike as a line of the file holds it."""
        return dict(zip(_KEYS, (self.question_id, self.document_id, self.start, self.end, self.of), strict=True))


def read_strikes(path: str | Path) -> tuple[Strike, ...]:
    """Return what a file of strikes holds, each once, in its order; nothing where there is no such file.

    Raises:
        DatasetError: for a file that cannot be read, and for the first line that is not a strike.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"The file of strikes {shorten(file.name)} cannot be read as text ({type(error).__name__}); "
            "give another one, or leave 'strikes' empty."
        ) from error
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    return tuple(dict.fromkeys(_strike(line, f"{shorten(file.name)}, line {number}") for number, line in lines))


def write_strikes(path: str | Path, strikes: Iterable[Strike]) -> None:
    """Write a file of strikes in place of what was there, all of it or nothing.

    Raises:
        StorageError: when the disk refuses; what was there is left as it was.
    """
    file = Path(path)
    aside = file.with_name(aside_name(f".{file.name}"))
    with storage_errors(file, "write what was struck out"):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lines = [json.dumps(one.row(), ensure_ascii=False) + "\n" for one in dict.fromkeys(strikes)]
            aside.write_text("".join(lines), encoding="utf-8", newline="\n")
            aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)


def strike_of(row: Mapping[str, object], where: str) -> Strike:
    """Return the strike that a row of its five values means; `where` is for the message.

    Raises:
        DatasetError: when it means none.
    """
    unknown = [key for key in row if key not in _KEYS]
    absent = [key for key in _KEYS if key not in row]
    if unknown or absent:
        found = f"lacks '{absent[0]}'" if absent else f"holds '{shorten(unknown[0], 40)}'"
        raise DatasetError(f"{where}: a strike {found}; it has {', '.join(_KEYS)} and nothing else: correct the line.")
    question, document, start, end, of = (row[key] for key in _KEYS)
    if not isinstance(question, str) or not isinstance(document, str) or not document:
        raise DatasetError(f"{where}: question_id and document_id must be text; put them in quotes.")
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise DatasetError(
            f"{where}: start and end must be whole numbers with 0 <= start < end, but are {shorten(start, 20)} and "
            f"{shorten(end, 20)}; correct them."
        )
    for known in get_args(Struck):
        if of == known:
            return Strike(question, document, start, end, known)
    raise DatasetError(f"{where}: 'as' must be positive or negative, but is '{shorten(of, 40)}'; choose one of them.")


def _strike(line: str, where: str) -> Strike:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{where} is not JSON; write one strike a line, or take the line out.") from error
    if not isinstance(row, dict):
        raise DatasetError(f"{where} holds no strike but {shorten(line, 40)}; write one with {', '.join(_KEYS)}.")
    return strike_of(row, where)
