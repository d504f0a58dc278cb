"""Names of files and folders that are written aside: they tell whose they are, so that a dead process's can go."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
import uuid
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path

LEAST_AGE_S = 15.0
"""What is younger is left alone, whoever's it is."""

FOREIGN_AGE_S = 86_400.0
"""What another machine wrote, or what does not say whose it is, is left alone this long."""

_OWNED = re.compile(r"\.([0-9a-f]{8})\.(\d+)\.(\d+)\.[0-9a-f]{8}(?:\.\w+)?$")
_SAME_BIRTH_S = 2


def aside_name(what: str) -> str:
    """Return a fresh name for something that is written aside by this process."""
    return f"{what}.{_machine()}.{os.getpid()}.{_born()}.{uuid.uuid4().hex[:8]}"


def remove_left(folder: Path, pattern: str = "*") -> int:
    """Remove what processes that have ended left in `folder`; return how much. A living process's stays."""
    left = [path for path in folder.glob(pattern) if _is_left(path)]
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(left)


def age_s(path: Path) -> float:
    """Return how long ago a file, or anything right inside a folder, was written; 0 where that cannot be told."""
    try:
        latest = max(one.stat().st_mtime for one in (path, *(path.iterdir() if path.is_dir() else ())))
    except OSError:
        return 0.0
    return time.time() - float(latest)


def _is_left(path: Path) -> bool:
    owned = _OWNED.search(path.name)
    if owned is None or owned[1] != _machine():
        return age_s(path) > FOREIGN_AGE_S
    return age_s(path) > LEAST_AGE_S and not _lives(int(owned[2]), int(owned[3]))


def _lives(pid: int, born: int) -> bool:
    import psutil

    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - born) <= _SAME_BIRTH_S)
    return False


@cache
def _machine() -> str:
    return blake2b(socket.gethostname().encode(), digest_size=4).hexdigest()


def _born() -> int:
    return _born_of(os.getpid())


@cache
def _born_of(pid: int) -> int:
    import psutil

    return int(psutil.Process(pid).create_time())
