"""Start a worker when none is there: apart from the process that asks, so that it outlives it."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import time
from typing import NoReturn

from pipelines.errors import StorageError, storage_errors
from pipelines.runs.lock import WorkerLock
from pipelines.settings import REPOSITORY, home, logs_folder

MOST_STARTS = 3
_STARTING_S = 5.0
_LEAST_FREE_BYTES = 1 << 20
_started_at = 0.0


def ensure_worker() -> bool:
    """Start a worker process, unless one holds the lock or was started by this process a moment ago; tell whether."""
    global _started_at
    if time.monotonic() - _started_at < _STARTING_S and _started_at:
        return False
    with storage_errors(home(), "start a worker"):
        lock = WorkerLock(home())
        if not lock.acquire():
            return False
        lock.release()
        logs_folder().mkdir(parents=True, exist_ok=True)
        with (logs_folder() / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "pipelines.runs.worker"]
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=REPOSITORY
            )
    _started_at = time.monotonic()
    return True


def refuse_to_go_on() -> NoReturn:
    """Say why one worker after the other ends without having done anything: they could not even record it.

    Raises:
        StorageError: always.
    """
    with storage_errors(home(), "record how the work ended"):
        if shutil.disk_usage(home()).free < _LEAST_FREE_BYTES:
            raise OSError(errno.ENOSPC, "full")
    raise StorageError(
        f"The worker process ended {MOST_STARTS} times before it could do any work; {logs_folder() / 'worker.log'} "
        "says why: mend that, and run again. Finished work is kept."
    )
