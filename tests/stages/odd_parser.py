"""A parser's process with one loader more, whose files say what it shall do. Run as a program by test_load_bounded."""

from __future__ import annotations

import os
import signal
import time
from typing import ClassVar

from pipelines.records import Document
from pipelines.stages.load import Attempt, Loader
from pipelines.stages.load.parser_process import main


class OddLoader(Loader, name="odd", version=1):
    """Do what a file says."""

    suffixes: ClassVar[tuple[str, ...]] = (".odd",)

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Misbehave."""
        what = data.decode()
        held = []
        while what == "spin":
            pass
        while what == "grow":
            held.append(bytearray(1 << 22))
        if what == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if what == "leave":
            os._exit(3)
        if what == "raise":
            raise KeyError("what no parser should raise")
        if what == "sleep":
            time.sleep(600)
        if what == "print":
            print("this must not get among the answers", flush=True)  # noqa: T201
        yield Document(document_id, what)


if __name__ == "__main__":
    main()
