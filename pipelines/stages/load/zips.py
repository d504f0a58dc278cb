"""Office files and books are zip archives: what they unpack to is bounded before and while it is unpacked."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from pipelines.errors import DatasetError, shorten

MOST_BYTES = 1 << 30
MOST_MEMBERS = 20_000
_HARMLESS_BYTES = 64 << 20
_MOST_RATIO = 200
_READ_BYTES = 1 << 18
_HEAD_BYTES = 1 << 16
_ENTITY = re.compile(rb"<!\s*ENTITY", re.IGNORECASE)
_XML = (".xml", ".rels", ".opf", ".ncx", ".xhtml", ".html", ".htm", ".vml")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def open_archive(data: bytes, where: str, what: str) -> zipfile.ZipFile:
    """Open an archive after looking through all of it.

    Raises:
        DatasetError: for a damaged, encrypted or endless one, and for one whose XML declares entities.
    """
    if data.startswith(_OLE):
        found = f"{where} is no {what}: it is in an older format, or encrypted"
        raise DatasetError(f"{found}; save it anew as {what}, without a password, or take it out.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        for _ in _looked_through(archive, len(data), where):
            pass
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError, RuntimeError) as error:
        found = f"{where} is no whole {what} ({shorten(error, 60) or 'it ends too early'})"
        raise DatasetError(f"{found}; it seems to be damaged: save it anew, or take it out.") from error
    return archive


def _looked_through(archive: zipfile.ZipFile, size: int, where: str) -> Iterator[None]:
    """Unpack each member without keeping it.

    What the archive says of its size bounds what is unpacked (more is never read), but is itself not to be believed.
    """
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise _bomb(where, f"{len(members):,} files")
    declared = sum(member.file_size for member in members)
    allowed = min(MOST_BYTES, max(_HARMLESS_BYTES, _MOST_RATIO * size))
    if declared > allowed:
        raise _bomb(where, f"{declared >> 20:,} MB, {declared // max(1, size):,} times its size")
    unpacked = 0
    for member in members:
        if member.flag_bits & 1:
            raise DatasetError(f"{where} is encrypted; save it without a password, or take it out.")
        head = b""
        with archive.open(member) as stream:
            while block := stream.read(_READ_BYTES):
                head = head or block[:_HEAD_BYTES]
                unpacked += len(block)
                if unpacked > allowed:
                    raise _bomb(where, f"more than {allowed >> 20:,} MB")
                yield
        if member.filename.lower().endswith(_XML) and _declares_entities(head):
            found = f"{where} holds XML that declares entities of its own ({shorten(member.filename, 60)})"
            raise DatasetError(
                f"{found}, which could stand for anything; it is not read: save it anew, or take it out."
            )


def _declares_entities(head: bytes) -> bool:
    """Whether a document type with entities precedes the content, in whatever width its letters are."""
    return bool(_ENTITY.search(head.replace(b"\0", b"")))


def _bomb(where: str, found: str) -> DatasetError:
    return DatasetError(
        f"{where} would unpack to {found}: far more than a document holds, so it is not read; save it anew, or take "
        "it out."
    )


def member(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """Return the content of a member, or None where there is none of that name; nothing is written anywhere."""
    try:
        return archive.read(name)
    except KeyError:
        return None
