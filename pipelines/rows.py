"""Rows of numbers by a key of 16 bytes, kept for ever: a vector by its text, a score by its pair."""

from __future__ import annotations

import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from zlib import crc32

import numpy as np

from pipelines.errors import StorageError
from pipelines.progress import Keep
from pipelines.records import BoolArray, FloatArray, LongArray
from pipelines.rowfile import Damaged, RowFile

_KEYS_AT_ONCE = 1_000
_ROWS_A_COMMIT = 512
_SECONDS_A_COMMIT = 2.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (width INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS row (key BLOB PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL);
"""
_Row = tuple[bytes, int, bytes]
_NO_ROWS: tuple[list[_Row], list[_Row]] = ([], [])


def text_key(*parts: str) -> bytes:
    """Return 16 bytes that stand for these texts in this order; ("ab", "c") and ("a", "bc") differ."""
    total = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.digest()


class Rows:
    """The rows of one space, float32 and all of one width, in `<folder>/<space>.db`; any number of processes share it.

    The name of the space must hold all that decides a row besides its key: the model, its weights, its precision.
    A damaged row counts as absent; a file that cannot be read is put aside and begun anew; `on_damage` is told of both.
    """

    def __init__(self, folder: Path, space: str, on_damage: Callable[[str], None] = warnings.warn) -> None:
        self._file = RowFile(folder / f"{space}.db", _SCHEMA, "keep finished rows", on_damage)

    @property
    def width(self) -> int | None:
        """How many numbers a row has; None before the first row."""
        return self._file.read(_stored_width, None)

    def get(self, keys: Sequence[bytes]) -> tuple[LongArray, FloatArray]:
        """Return the rising positions in `keys` that were found, and their rows, float32 [n_found, width].

        Raises:
            StorageError: when the disk refuses.
        """
        found = list(self._found(keys))
        if not found:
            return np.zeros(0, dtype=np.int64), np.zeros((0, self.width or 0), dtype=np.float32)
        positions = np.concatenate([p for p, _ in found])
        return positions, np.concatenate([rows for _, rows in found])

    def known(self, keys: Sequence[bytes]) -> BoolArray:
        """Return which of `keys` have a row, bool [n_keys], without reading the rows: for an estimate."""
        held: set[bytes] = set()
        for at in range(0, len(keys), _KEYS_AT_ONCE):
            part = keys[at : at + _KEYS_AT_ONCE]
            held.update(self._file.read(_Held(part), []))
        return np.fromiter((key in held for key in keys), dtype=np.bool_, count=len(keys))

    def put(self, keys: Sequence[bytes], rows: FloatArray) -> None:
        """Keep `rows`, float32 [n_keys, width], in one transaction; a key that has a row already keeps that one.

        Raises:
            StorageError: when the disk is full or refuses, or when the file holds rows of another width.
        """
        width = int(rows.shape[1])
        data = np.ascontiguousarray(rows, dtype="<f4").tobytes()
        size = 4 * width
        pieces = (data[at : at + size] for at in range(0, len(data), size))
        records = [(key, crc32(piece, crc32(key)), piece) for key, piece in zip(keys, pieces, strict=True)]

        def write(connection: sqlite3.Connection) -> None:
            self._agree(connection, width)
            connection.executemany("INSERT OR IGNORE INTO row VALUES (?, ?, ?)", records)

        if records:
            self._file.write(write)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self._file.close()

    def _found(self, keys: Sequence[bytes]) -> Iterator[tuple[LongArray, FloatArray]]:
        """Give positions and rows block by block: what one block has found stays found when the next meets damage."""
        for at in range(0, len(keys), _KEYS_AT_ONCE):
            part = keys[at : at + _KEYS_AT_ONCE]
            records, bad = self._file.read(_Read(part), _NO_ROWS)
            if bad:
                self._remove(bad)
            if records:
                yield _in_order(part, records, at)

    def _agree(self, connection: sqlite3.Connection, width: int) -> None:
        stored = _stored_width(connection)
        if stored is None:
            connection.execute("INSERT INTO about VALUES (?)", (width,))
        elif stored != width:
            raise StorageError(
                f"The store {self._file.path} holds rows of {stored} numbers and was given rows of {width}; "
                "remove that file, all of it can be computed again."
            )

    def _remove(self, bad: list[_Row]) -> None:
        """Delete damaged rows, lest they stand for ever in the way of sound ones."""

        def delete(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM row WHERE key = ? AND crc IS ? AND data IS ?", bad)
            if _Held([key for key, _, _ in bad])(connection):
                raise Damaged("a damaged row cannot be removed")

        self._file.write(delete)
        self._file.on_damage(
            f"{len(bad)} rows in the store {self._file.path.name} were damaged; they are computed again."
        )


def remembered(rows: Rows, keys: Sequence[bytes], compute: Callable[[LongArray, Keep], object]) -> FloatArray:
    """Return a row for every key, float32 [n_keys, width]: looked up, or computed and kept as it comes.

    `compute(missing, keep)` is called only when something is missing. `missing` are positions in `keys`, rising, one a
    distinct key. It hands over every row by `keep(positions, rows)`, where the positions are those *in `missing`*, as
    an embedder gives them that was handed only those texts. Rows are committed every 512 rows or 2 seconds, and
    whatever was handed over is committed also when `compute` is stopped by an error.

    Without any key the result has the width of what the store holds, 0 when that is nothing.

    Raises:
        StorageError: when the disk is full or refuses.
        RuntimeError: when `compute` returns without having handed over all that was missing.
    """
    first: dict[bytes, int] = {}
    own = np.fromiter((first.setdefault(key, len(first)) for key in keys), dtype=np.int64, count=len(keys))
    distinct = list(first)
    filled = _Filled(rows, distinct)
    filled.look_up()
    missing = np.flatnonzero(~filled.known)
    if len(missing):
        where = np.unique(own, return_index=True)[1]
        filled.compute(missing, lambda keep: compute(where[missing], keep))
    return filled.rows if len(distinct) == len(keys) else filled.rows[own]


class _Filled:
    """The rows of distinct keys, filled from the store and from what is computed."""

    def __init__(self, store: Rows, keys: Sequence[bytes]) -> None:
        self._store, self._keys = store, keys
        self.known = np.zeros(len(keys), dtype=np.bool_)
        self.rows: FloatArray = np.zeros((0, 0), dtype=np.float32)
        self._waiting: list[LongArray] = []
        self._committed = time.monotonic()

    def look_up(self) -> None:
        for positions, rows in self._store._found(self._keys):
            self._enter(positions, rows)
        if not self._keys:
            self.rows = np.zeros((0, self._store.width or 0), dtype=np.float32)

    def compute(self, missing: LongArray, work: Callable[[Keep], object]) -> None:
        def keep(positions: LongArray, rows: FloatArray) -> None:
            self._enter(missing[positions], rows)
            self._waiting.append(missing[positions])
            late = time.monotonic() - self._committed > _SECONDS_A_COMMIT
            if late or sum(map(len, self._waiting)) >= _ROWS_A_COMMIT:
                self._commit()

        try:
            work(keep)
        finally:
            self._commit()
        if not self.known.all():
            raise RuntimeError(
                f"{int((~self.known).sum())} of {len(missing)} rows were asked for and never handed over"
            )

    def _enter(self, positions: LongArray, rows: FloatArray) -> None:
        if not self.known.any():
            self.rows = np.zeros((len(self._keys), rows.shape[1]), dtype=np.float32)
        self.rows[positions], self.known[positions] = rows, True

    def _commit(self) -> None:
        if self._waiting:
            positions = np.concatenate(self._waiting)
            self._waiting = []
            self._store.put([self._keys[i] for i in positions], self.rows[positions])
        self._committed = time.monotonic()


def _stored_width(connection: sqlite3.Connection) -> int | None:
    held = connection.execute("SELECT width FROM about").fetchone()
    if held is None:
        return None
    if not isinstance(held[0], int) or held[0] < 1:
        raise Damaged("it says no width")
    return held[0]


@dataclass(frozen=True)
class _Held:
    """Which of the keys have a row."""

    keys: Sequence[bytes]

    def __call__(self, connection: sqlite3.Connection) -> list[bytes]:
        found = connection.execute(f"SELECT key FROM row WHERE key IN ({_marks(self.keys)})", self.keys)  # noqa: S608
        return [key for (key,) in found]


@dataclass(frozen=True)
class _Read:
    """The records of the keys: those that are as they were written, and those that are not."""

    keys: Sequence[bytes]

    def __call__(self, connection: sqlite3.Connection) -> tuple[list[_Row], list[_Row]]:
        sound: list[_Row] = []
        bad: list[_Row] = []
        wanted = f"SELECT key, crc, data FROM row WHERE key IN ({_marks(self.keys)})"  # noqa: S608
        for key, crc, data in connection.execute(wanted, self.keys):
            (sound if type(data) is bytes and crc32(data, crc32(key)) == crc else bad).append((key, crc, data))
        size = 4 * (_stored_width(connection) or 0)
        if any(len(data) != size for _, _, data in sound):
            raise Damaged("its rows are not as wide as it says")
        return sound, bad


def _marks(keys: Sequence[bytes]) -> str:
    return ",".join("?" * len(keys))


def _in_order(keys: Sequence[bytes], records: list[_Row], at: int) -> tuple[LongArray, FloatArray]:
    """Return positions, counted from `at`, and rows of the records of a block; a key may stand in it several times."""
    place = {key: i for i, (key, _, _) in enumerate(records)}
    own = np.fromiter((place.get(key, -1) for key in keys), dtype=np.int64, count=len(keys))
    rows = np.frombuffer(b"".join(data for _, _, data in records), dtype="<f4").reshape(len(records), -1)
    positions = np.flatnonzero(own >= 0)
    return positions + at, rows[own[positions]].astype(np.float32, copy=False)
