"""Bytes to text, lines to objects: what every loader, and the golden set, reads with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from pipelines.errors import DatasetError, shorten

_SURROGATES = re.compile("[\ud800-\udfff]")
_BYTE_ORDER_MARK = "\ufeff"
MOST_LINE_BYTES = 32 << 20


class RuleError(DatasetError):
    """What a file holds against the rules, with a `code` by which findings of one kind are gathered."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def clean(text: str) -> str:
    """Replace lone surrogates, which no file can hold, by U+FFFD, one for one: offsets stay as they were."""
    return _SURROGATES.sub("\ufffd", text)


def named(path: Path, limit: int = 200) -> str:
    """Return a path for a message: on one line, the end of it when it is long."""
    text = shorten(path, 100_000)
    return text if len(text) <= limit else "…" + text[1 - limit :]


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal into one sentence.

    Raises:
        DatasetError: for any refusal.
    """
    try:
        yield
    except OSError as error:
        found = f"{named(Path(error.filename or path))} cannot be read ({error.strerror or error})"
        raise DatasetError(f"{found}; see that it is there and may be read, and try again.") from error


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises:
        DatasetError: when the operating system refuses.
    """
    with reading(path):
        return path.read_bytes()


def decode(data: bytes, where: str) -> str:
    """Decode UTF-8; a byte order mark is dropped, newlines stay as they are: offsets count the file's own characters.

    Raises:
        DatasetError: for a binary file, or text in another encoding; it names the first byte that is not text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        _refuse(where, "is UTF-16 text (byte offset 0)")
    nul = data.find(b"\0")
    if nul >= 0:
        _refuse(where, f"is a binary file, not text (NUL at byte offset {nul})")
    try:
        return data.decode("utf-8").removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        _refuse(where, f"is not UTF-8 text (byte 0x{data[error.start]:02x} at byte offset {error.start})")


def _refuse(where: str, what: str) -> NoReturn:
    raise DatasetError(f"{where} {what}; only UTF-8 text can be read: save it as UTF-8 text, or take it out.")


def read_text(path: Path) -> str:
    """Read a file as text, by the rules of `decode`.

    Raises:
        DatasetError: when it is binary, in another encoding, or cannot be read.
    """
    return decode(read_bytes(path), named(path))


def parse_json(text: str) -> object:
    """Parse strict JSON: NaN and Infinity are refused.

    Raises:
        ValueError: for anything that is not JSON, however deep or long.
    """

    def constant(name: str) -> object:
        raise ValueError(f"{name} is not a JSON value")

    try:
        return json.loads(text, parse_constant=constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def json_lines(data: bytes, where: str) -> Iterator[tuple[int, Mapping[str, object] | RuleError]]:
    """Yield the object on each line that is not blank, with the line's number; a line that is no object as an error.

    Raises:
        DatasetError: when the whole is not text.
    """
    for number, line in enumerate(_lines(data, where), start=1):
        place = f"{where}, line {number}"
        if isinstance(line, int):
            yield number, _too_long(line, place)
        elif line and not line.isspace():
            yield number, _json_object(line, place)


def _lines(data: bytes, where: str) -> Iterator[str | int]:
    """Yield each line, or the number of its bytes where these are too many to be taken apart."""
    if len(data) <= MOST_LINE_BYTES:
        yield from decode(data, where).split("\n")
        return
    start = 0
    while start <= len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        yield end - start if end - start > MOST_LINE_BYTES else decode(data[start:end], f"{where} from byte {start}")
        start = end + 1


def _too_long(n_bytes: int, where: str) -> RuleError:
    found = f"{where} holds {n_bytes >> 20:,} MB, and a row may have {MOST_LINE_BYTES >> 20} MB"
    return RuleError("row-too-long", f"{found}; write one row a line, or divide the text into several documents.")


def _json_object(line: str, where: str) -> Mapping[str, object] | RuleError:
    try:
        row = parse_json(line)
    except ValueError as error:
        reason = shorten(error, 60)
        todo = "each line must be one JSON object: mend that line"
        return RuleError("bad-json", f"{where} is not JSON ({reason}); {todo}.")
    if isinstance(row, dict):
        return row
    found = shorten(line, 40)
    return RuleError("bad-json", f"{where} holds {found}, not a JSON object; write it as {{...}} on one line.")


def show(value: object) -> str:
    """Show a value within a message."""
    if isinstance(value, list):
        return f"a list ({shorten(value, 40)})"
    if isinstance(value, dict):
        return f"an object ({shorten(value, 40)})"
    return "empty" if value in (None, "") else shorten(repr(value), 60)
