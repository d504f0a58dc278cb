"""Files parsed in processes of their own, several at a time: what hangs, bursts or crashes there is reported here."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, Any, cast

from pipelines.errors import StorageError
from pipelines.progress import Progress
from pipelines.settings import REPOSITORY
from pipelines.stages.load.outcome import Outcome

Task = Mapping[str, Any]
# -P: no module is looked for in the folder that one happens to be in.
COMMAND: tuple[str, ...] = ("-P", "-m", "pipelines.stages.load.parser_process")
_LENGTH_BYTES = 8
_MOST_ANSWER_BYTES = 1 << 31
_MOST_PROCESSES = 16
_READ_BYTES = 1 << 20
_WATCH_S = 0.2


class Parser:
    """A process that parses one file at a time; it is started when it is needed, and again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.stopped = False

    def ask(self, task: Task) -> Outcome:
        """Have a file parsed; when the process dies over it, that is the outcome."""
        process, (questions, answers) = self._started()
        # The limit of computing time ends it; this one is for what waits without computing.
        end = time.monotonic() + 10 * task["max_seconds"] + 60
        with suppress(BrokenPipeError):
            questions.write(json.dumps(dict(task)).encode() + b"\n")
            questions.flush()
        answer = _read(answers, end)
        if answer is not None:
            with suppress(ValueError, KeyError, TypeError):
                return Outcome.from_json(json.loads(answer))
        late = time.monotonic() >= end
        self.end()
        return Outcome.failed(_died(task, process.returncode, late), certain=False)

    def end(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            for stream in _streams(self._process):
                with suppress(OSError):
                    stream.close()
        self._process = None

    def kill(self) -> None:
        """End the process from another thread: whoever waits for its answer then sees that it died."""
        self.stopped = True
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def _started(self) -> tuple[subprocess.Popen[bytes], tuple[IO[bytes], IO[bytes]]]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._process = _start()
        return self._process, _streams(self._process)


def _streams(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    return cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)


def _start() -> subprocess.Popen[bytes]:
    """Start a parser with one thread a library: many would take address space, which is bounded."""
    paths = [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        "MALLOC_ARENA_MAX": "2",
    }
    try:
        return subprocess.Popen(
            [sys.executable, *COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
        )
    except OSError as error:
        raise StorageError(f"No process could be started to read files ({error.strerror or error}).") from error


def _read(answers: IO[bytes], end: float) -> bytes | None:
    """Return the answer, or None when the process ends or time is up before it is whole."""
    held, wanted = bytearray(), _LENGTH_BYTES
    with selectors.DefaultSelector() as selector:
        selector.register(answers, selectors.EVENT_READ)
        while len(held) < wanted:
            if not selector.select(max(0.0, end - time.monotonic())):
                return None
            read = os.read(answers.fileno(), _READ_BYTES)
            if not read:
                return None
            held += read
            if wanted == _LENGTH_BYTES and len(held) >= wanted:
                wanted += int.from_bytes(held[:_LENGTH_BYTES], "big")
                if wanted > _MOST_ANSWER_BYTES:
                    return None
    return bytes(held[_LENGTH_BYTES:wanted])


def _died(task: Task, code: int | None, late: bool) -> str:
    where = task["where"]
    if late or code == -getattr(signal, "SIGXCPU", 0):
        found = f"{where} was not read within {task['max_seconds']} s of computing, and its parser was stopped"
        return f"{found}; set the loader's max_seconds higher, or take the file out."
    name = signal.Signals(-code).name if code is not None and -code in set(signal.Signals) else f"exit code {code}"
    todo = "the file seems to be damaged: save it anew, set the loader's max_memory_mb higher, or take it out"
    return f"{where} made its parser crash ({name}); {todo}."


def processes(n_tasks: int) -> int:
    """Return how many processes parse: as many as cores, or as RAG_WORKBENCH_THREADS says, and no more than files."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("RAG_WORKBENCH_THREADS", "")
    return max(1, min(int(asked) if asked.isdecimal() else cores, cores, n_tasks, _MOST_PROCESSES))


def parse_all(tasks: Sequence[Task], progress: Progress, done: Callable[[int, Outcome], None]) -> None:
    """Parse all files and tell each outcome as it comes, in any order; `progress` may raise to stop it.

    Raises:
        StorageError: when no process can be started.
    """
    if not tasks:
        return
    parsers = [Parser() for _ in range(processes(len(tasks)))]
    idle: SimpleQueue[Parser] = SimpleQueue()
    for parser in parsers:
        idle.put(parser)

    def one(task: Task) -> Outcome:
        parser = idle.get()
        try:
            return Outcome(certain=False) if parser.stopped else parser.ask(task)
        finally:
            idle.put(parser)

    pool = ThreadPoolExecutor(len(parsers))
    try:
        _collect({pool.submit(one, task): i for i, task in enumerate(tasks)}, progress, done)
    finally:
        for parser in parsers:
            parser.kill()
        pool.shutdown(wait=True, cancel_futures=True)
        for parser in parsers:
            parser.end()


def _collect(waiting: dict[Future[Outcome], int], progress: Progress, done: Callable[[int, Outcome], None]) -> None:
    total, left = len(waiting), set(waiting)
    progress(0, total)
    while left:
        ready, left = wait(left, timeout=_WATCH_S, return_when=FIRST_COMPLETED)
        for future in sorted(ready, key=waiting.__getitem__):
            done(waiting[future], future.result())
        progress(total - len(left), total)
