"""So many workers a home folder as are asked for, by locks that the operating system drops when their holder dies."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO


class WorkerLock:
    """An exclusive lock in the home folder: `worker.lock`, and one file more for each further worker."""

    def __init__(self, home: Path, slot: int = 0) -> None:
        self._path = home / (f"worker-{slot}.lock" if slot else "worker.lock")
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Take the lock; return False when another process holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let it go."""
        if self._file is not None:
            self._file.close()
            self._file = None


def free_slots(home: Path, slots: int) -> int:
    """Return how many of the first `slots` locks nobody holds."""
    locks = [WorkerLock(home, slot) for slot in range(slots)]
    free = [lock for lock in locks if lock.acquire()]
    for lock in free:
        lock.release()
    return len(free)


def first_free(home: Path, slots: int) -> WorkerLock | None:
    """Take the first of `slots` locks that is free; None when there is none."""
    return next((lock for lock in (WorkerLock(home, slot) for slot in range(slots)) if lock.acquire()), None)
