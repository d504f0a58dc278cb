"""Start a worker when none is there: apart from the process that asks, so that it outlives it."""

from __future__ import annotations

import subprocess
import sys
import time

from pipelines.errors import storage_errors
from pipelines.runs.lock import WorkerLock
from pipelines.settings import REPOSITORY, home, logs_folder

_STARTING_S = 5.0
_started_at = 0.0


def ensure_worker() -> None:
    """Start a worker process, unless one holds the lock or was started by this process a moment ago."""
    global _started_at
    if time.monotonic() - _started_at < _STARTING_S and _started_at:
        return
    with storage_errors(home(), "start a worker"):
        lock = WorkerLock(home())
        if not lock.acquire():
            return
        lock.release()
        logs_folder().mkdir(parents=True, exist_ok=True)
        with (logs_folder() / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "pipelines.runs.worker"]
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=REPOSITORY
            )
    _started_at = time.monotonic()
