"""The process that parses files of others: it may be ended at any time, and its memory and time are bounded.

Run as `python -m pipelines.stages.load.parser_process`. A line of JSON comes in for each file; its outcome goes out as
JSON behind its length in eight bytes. Nothing but JSON passes, for what has parsed a hostile file is not to be trusted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from pipelines.component import build
from pipelines.errors import DatasetError, shorten
from pipelines.stages.load import Loader
from pipelines.stages.load.outcome import Outcome
from pipelines.stages.load.reading import read_bytes

LENGTH_BYTES = 8


def main() -> None:
    """Parse one file after another until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("wb") as nowhere:  # What a library prints must not get among the answers.
        os.dup2(nowhere.fileno(), 1)
    for line in sys.stdin.buffer:
        _answer(answers, json.loads(line))


def _answer(answers: BinaryIO, task: Mapping[str, Any]) -> None:
    bound(task["max_seconds"], task["max_memory_mb"])
    try:
        payload = json.dumps(_outcome(task).as_json()).encode()
    except MemoryError:
        payload = json.dumps(_too_large(task).as_json()).encode()
    answers.write(len(payload).to_bytes(LENGTH_BYTES, "big") + payload)
    answers.flush()


def _outcome(task: Mapping[str, Any]) -> Outcome:
    loader = cast("Loader", build("load", task["loader"], "auto", "load"))
    try:
        return Outcome.of(loader.attempt(read_bytes(Path(task["path"])), task["document_id"], task["where"]))
    except DatasetError as error:
        return Outcome(errors=(error,))
    except MemoryError:
        return _too_large(task)
    except Exception as error:  # whatever a parser makes of a damaged file
        return Outcome.failed(broken(task["where"], loader.name, error))


def broken(where: str, loader: str, error: BaseException) -> str:
    """Say that a file could not be parsed."""
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    todo = "it seems to be damaged: open it in its program and save it anew, or take it out"
    return f"{where} cannot be read by the {loader} loader ({shorten(reason, 120)}); {todo}."


def _too_large(task: Mapping[str, Any]) -> Outcome:
    allowed = f"more than {task['max_memory_mb']:,} MB of memory to be read"
    todo = "set the loader's max_memory_mb higher, or take the file out"
    return Outcome.failed(f"{task['where']} needs {allowed}; {todo}.", certain=False)


def bound(seconds: int, memory_mb: int) -> None:
    """Have the system end this process after `seconds` more of computing, and refuse it more than `memory_mb`."""
    try:
        import resource
    except ImportError:  # a system without such limits: whoever started this process still watches the clock
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + seconds + 1
    for what, limit in ((resource.RLIMIT_CPU, until), (resource.RLIMIT_AS, memory_mb << 20)):
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (limit, resource.getrlimit(what)[1]))


if __name__ == "__main__":
    main()
