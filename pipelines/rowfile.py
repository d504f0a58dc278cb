"""An SQLite file that many processes fill and that may be thrown away: an unreadable one is put aside, begun anew."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pipelines.errors import StorageError, shorten, storage_errors

T = TypeVar("T")
_BUSY_TIMEOUT_S = 30.0
_PAGE_BYTES = 16_384  # ten rows of 384 numbers; with SQLite's own 4,096 a third of the file would be empty
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_ERROR,  # "no such table": the statements themselves are right
}
_DAMAGED_READS = {sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA}
_REFUSALS = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_BUSY: errno.EBUSY,
}


class Damaged(Exception):
    """What was read cannot be what was written."""


# SQLite's messages quote the damaged bytes, which Python then cannot decode.
_FAULTS = (sqlite3.Error, UnicodeDecodeError, Damaged)


class RowFile:
    """The file at `path`, opened when it is first needed; usable from any thread, one at a time."""

    def __init__(self, path: Path, schema: str, doing: str, on_damage: Callable[[str], None]) -> None:
        self.path = path
        self.on_damage = on_damage
        self._schema, self._doing = schema, doing
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._turn = threading.RLock()

    def read(self, work: Callable[[sqlite3.Connection], T], absent: T) -> T:
        """Return what `work` reads, or `absent` where there is no file, or none that can be read.

        Raises:
            StorageError: when the disk refuses.
        """
        with self._turn, self._refusals():
            if not self.path.exists():
                return absent
            try:
                return work(self._opened())
            except _FAULTS as error:
                self._put_aside(error)
                return absent

    def write(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do `work` in one transaction that holds the write lock from its beginning: all of it, or nothing.

        Raises:
            StorageError: when the disk is full or refuses; what was committed before is kept.
        """
        with self._turn, self._refusals():
            try:
                self._transaction(work)
            except _FAULTS as error:
                self._put_aside(error)
                self._transaction(work)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _transaction(self, work: Callable[[sqlite3.Connection], None]) -> None:
        connection = self._opened()
        connection.execute("BEGIN IMMEDIATE")
        try:
            work(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and _inode(self.path) != self._inode:
            self.close()  # another process has put it aside
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self.path.parent):
                self._connection = self._connect()
                self._inode = _inode(self.path)
            # A connection keeps itself alive until the next garbage collection: its log would stay that long too.
            weakref.finalize(self, self._connection.close)
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            connection.text_factory = bytes
            connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
            connection.execute("PRAGMA synchronous=NORMAL")
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != b"wal":
                connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(self._schema)
        except BaseException:
            connection.close()
            raise
        return connection

    def _put_aside(self, error: Exception) -> None:
        """Move the file out of the way, unless another process has begun a new one; raise `error` when it is sound."""
        if not _is_damage(error):
            raise error
        seen = self._inode if self._connection is not None else _inode(self.path)
        self.close()
        aside = self.path.parent / "quarantine" / f"{self.path.name}-{uuid.uuid4().hex[:8]}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.path.parent):
            if _inode(self.path) != seen:
                return
            # The file itself goes first: SQLite removes a log that it finds without one.
            for end in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    self.path.with_name(self.path.name + end).replace(aside.with_name(aside.name + end))
        self.on_damage(
            f"The store {self.path.name} was damaged ({shorten(error, 200)}); what it held is computed again."
        )

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        with storage_errors(self.path, self._doing):
            try:
                yield
            except _FAULTS as error:
                if _is_damage(error):
                    raise StorageError(
                        f"The store {self.path} was begun anew and is damaged again ({shorten(error, 200)}); "
                        "see that the disk is sound."
                    ) from error
                number = _REFUSALS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, errno.EIO)
                raise OSError(number, f"SQLite says: {error}") from error


def _is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return isinstance(error, Damaged | UnicodeDecodeError)
    return code & 0xFF in _DAMAGE or code in _DAMAGED_READS


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: a file is not put aside while another process is opening it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
