"""An audit of the work: which process began and kept which output, a line each, in the file RAG_WORKBENCH_AUDIT."""

from __future__ import annotations

import os
import time


def audit(what: str, stage: str, key: str) -> None:
    """Append a line: when (seconds since 1970), which process, what it did, the stage, the key.

    Off unless RAG_WORKBENCH_AUDIT names a file. A line is one write in append mode, so that those of several processes
    are never mixed, and what was written outlives a process that is killed.
    """
    file = os.environ.get("RAG_WORKBENCH_AUDIT")
    if not file:
        return
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, f"{time.time():.6f} {os.getpid()} {what} {stage} {key}\n".encode())
    finally:
        os.close(handle)
