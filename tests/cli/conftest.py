"""The command line, called in this process as the installed program calls it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines import cli as cli_module
from pipelines.runs.database import Database
from pipelines.settings import database_url
from pipelines.worker import Worker


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Call = Callable[..., Result]


def work_here(*_: object) -> bool:
    """Do the jobs that wait as a worker process does them, but in this process: starting one takes a second."""
    Worker(Database(database_url()), idle_s=0.01).run()
    return False


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command and return its exit code and what it wrote."""
    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", work_here)
    monkeypatch.setattr("pipelines.worker._POLL_S", 0.01)

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["rag-workbench", *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            cli_module.main()
        except SystemExit as end:
            code = int(end.code or 0)
        found = capfd.readouterr()
        assert "Traceback" not in found.out + found.err
        return Result(code, found.out, found.err)

    return run


@pytest.fixture
def refused(call: Call, sentence: Callable[[object], str]) -> Callable[..., str]:
    """Run a command that must be refused: exit 2, nothing on standard output, one sentence on standard error."""

    def run(*arguments: object, code: int = 2) -> str:
        result = call(*arguments)
        assert result.code == code, result.err
        assert result.out == ""
        *progress, error = result.err.strip().splitlines()
        assert error.startswith("Error: "), result.err
        assert not any("rror" in line for line in progress), result.err
        return sentence(error)

    return run


@pytest.fixture
def pipeline(tmp_path: Path) -> Callable[..., Path]:
    """Write a pipeline file: text as it is, or stages over BM25 on windows of 16 tokens."""

    def write(text: str | None = None, name: str = "words", **stages: Any) -> Path:
        path = tmp_path / f"{name}.yaml"
        settings = {"chunk": {"use": "fixed", "size": 16}, "retrieve": {"use": "bm25"}, **stages}
        path.write_text(json.dumps(settings) if text is None else text, encoding="utf-8")
        return path

    return write
