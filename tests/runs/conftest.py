"""Workers that others meet: one that has ended, one that lives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from pipelines.runs.jobs import this_worker


@pytest.fixture
def dead_worker() -> str:
    """The name of a worker of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = psutil.Process(process.pid).create_time()
    process.communicate(b"\n")
    return f"{this_worker().rsplit(':', 2)[0]}:{process.pid}:{born:.2f}"


@pytest.fixture
def live_worker() -> Iterator[str]:
    """The name of a process of this machine that lives."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = psutil.Process(process.pid).create_time()
    yield f"{this_worker().rsplit(':', 2)[0]}:{process.pid}:{born:.2f}"
    process.kill()
    process.wait()
