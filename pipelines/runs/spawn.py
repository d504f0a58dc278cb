"""Start workers when they are not there: apart from the process that asks, so that they outlive it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pipelines.errors import StorageError, storage_errors
from pipelines.runs.lock import free_slots
from pipelines.settings import REPOSITORY, home, logs_folder

MOST_STARTS = 3
_STARTING_S = 60.0
_LEAST_FREE_BYTES = 1 << 20
_SLOTS = "RAG_WORKBENCH_SLOTS"
_THREADS = "RAG_WORKBENCH_THREADS"


@dataclass(frozen=True)
class Started:
    """A worker process that this process started: of which home folder, and when (seconds of the monotonic clock)."""

    home: Path
    at: float
    process: subprocess.Popen[bytes]


_started: list[Started] = []


def slots_given() -> int:
    """Return how many workers of this home folder there may be, as whoever started this one has said."""
    return max(1, int(os.environ.get(_SLOTS, "1")))


def ensure_worker(workers: int = 1) -> bool:
    """Start worker processes until there are `workers`; tell whether any was started.

    One that this process started within the last minute and that lives counts, although it does not hold its lock yet:
    on a busy machine that takes a while.
    """
    now, folder = time.monotonic(), home()
    _started[:] = [one for one in _started if now - one.at < _STARTING_S and one.process.poll() is None]
    there = sum(one.home == folder for one in _started)
    if there >= workers:
        return False
    with storage_errors(folder, "start a worker"):
        missing = min(free_slots(folder, workers), workers - there)
        for _ in range(missing):
            _start(workers)
    return missing > 0


def _start(workers: int) -> None:
    logs_folder().mkdir(parents=True, exist_ok=True)
    with (logs_folder() / "worker.log").open("ab") as log:
        command = [sys.executable, "-m", "pipelines.worker"]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=REPOSITORY,
            env={**_share_of_cores(workers), **os.environ, _SLOTS: str(workers)},
        )
    _started.append(Started(home(), time.monotonic(), process))


def _share_of_cores(workers: int) -> dict[str, str]:
    """Return what keeps several workers from crowding one another out: each has its share of the cores."""
    if workers < 2:
        return {}
    share = str(max(1, (os.cpu_count() or 1) // workers))
    return {_THREADS: share, "OMP_NUM_THREADS": share, "OPENBLAS_NUM_THREADS": share, "MKL_NUM_THREADS": share}


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
