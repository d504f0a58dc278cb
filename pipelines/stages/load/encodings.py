"""Text in another encoding than UTF-8: read when it is certain which, and said."""

from __future__ import annotations

from typing import NoReturn

from pipelines.errors import DatasetError
from pipelines.stages.load.outcome import Note
from pipelines.stages.load.reading import decode

# Of the encodings that are still met, those in which a wrong guess shows.
_CANDIDATES = (
    "cp1252", "cp1250", "cp1251", "cp1253", "koi8_r", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
_SAMPLE_BYTES = 1 << 16
_LEAST_BYTES = 64
_LEAST_LETTERS = 2
_MOST_CHAOS = 0.1
_SAME_COHERENCE = 0.05


def decoded(data: bytes, where: str, encoding: str) -> tuple[str, list[Note]]:
    """Decode a file's bytes by the knob `encoding`; a guess is told in a note.

    Raises:
        DatasetError: for a binary file, and text whose encoding is not certain.
    """
    if encoding == "auto":
        return _guessed(data, where)
    if encoding == "utf-8":
        return decode(data, where), []
    try:
        return data.decode(encoding).removeprefix("\ufeff"), []
    except (UnicodeDecodeError, UnicodeError) as error:
        raise DatasetError(
            f"{where} is not {encoding} text ({error}); set the loader's encoding to what it is, or to auto."
        ) from error


def _guessed(data: bytes, where: str) -> tuple[str, list[Note]]:
    try:
        return decode(data, where), []
    except DatasetError as error:
        name = None if b"\0" in data[:_SAMPLE_BYTES] and not _marked(data) else _guess(data)
        if name is None:
            _refuse(error, data)
        try:
            text = data.decode(name).removeprefix("\ufeff")
        except (UnicodeDecodeError, UnicodeError):
            _refuse(error, data)
        return text, [Note(f"{where} is not UTF-8 text, and was read as {name}, which it seems to be.")]


def _refuse(error: DatasetError, data: bytes) -> NoReturn:
    if b"\0" in data:
        raise error
    todo = "save it as UTF-8 text, name its encoding in the loader's knob 'encoding', or take it out"
    raise DatasetError(
        f"{str(error).partition(';')[0]}, and which encoding it is in is not certain; {todo}."
    ) from error


def _marked(data: bytes) -> bool:
    return data.startswith((b"\xff\xfe", b"\xfe\xff"))


def _guess(data: bytes) -> str | None:
    """Return the encoding, if the text around its first odd byte gives it away.

    Where the western one reads without disorder, it is preferred to its neighbours: they differ in few letters.
    """
    if _marked(data):
        return "utf-16"
    from charset_normalizer import from_bytes

    first = next(i for i in range(len(data)) if data[i] > 127)
    start = max(0, first - _SAMPLE_BYTES // 2)
    sample = data[start : start + _SAMPLE_BYTES]
    if len(sample) < _LEAST_BYTES or sum(byte > 127 for byte in sample) < _LEAST_LETTERS:
        return None
    found = [one for one in from_bytes(sample, cp_isolation=list(_CANDIDATES)) if one.chaos <= _MOST_CHAOS]
    if not found:
        return None
    best = max(found, key=lambda one: (one.coherence, -one.chaos))
    western = next((one for one in found if "cp1252" in one.could_be_from_charset), None)
    if western is not None and western.coherence >= best.coherence - _SAME_COHERENCE:
        return "cp1252"
    return str(best.encoding) if best.coherence > 0 else None
