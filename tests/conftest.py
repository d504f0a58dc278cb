"""Every test has a home folder of its own, and leaves no worker process behind."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.chat_server import FakeChat, serving

MakeSet = Callable[..., Path]

CITIES = ("Arden", "Belmont", "Corvale", "Dunmore", "Eastmere", "Fairholt")
SUBJECTS = ("harbour", "railway", "cathedral", "market", "library", "observatory")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real home folder out of reach before any fixture of a wider scope runs."""
    os.environ.pop("RAG_WORKBENCH_DB", None)
    os.environ["RAG_WORKBENCH_IDLE_S"] = "3"
    # Small batches gain nothing from threads, and lose much where other work holds the cores.
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session", autouse=True)
def _session_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("session-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAG_WORKBENCH_HOME", str(folder))
        yield folder
    _end_workers(folder)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of all that the workbench writes in this test."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("RAG_WORKBENCH_HOME", str(folder))
    monkeypatch.setattr("pipelines.runs.spawn._started", [])
    yield folder
    _end_workers(folder)


def _end_workers(folder: Path) -> None:
    """End the workers of this home folder, and no others."""
    if not (folder / "worker.lock").exists() and not (folder / "logs").exists():
        return
    ended = list(workers_of(folder))
    for process in ended:
        process.kill()
    psutil.wait_procs(ended, timeout=10)


def workers_of(folder: Path) -> Iterator[psutil.Process]:
    """Yield the worker processes of a home folder."""
    for process in psutil.process_iter():
        try:
            if "pipelines.worker" not in process.cmdline() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get("RAG_WORKBENCH_HOME") == str(folder):
                yield process
        except psutil.Error:
            continue


@pytest.fixture
def workers(home: Path) -> Callable[[], list[psutil.Process]]:
    """Return the worker processes of this test's home folder."""
    return lambda: list(workers_of(home))


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait until something holds; fail after `limit_s`."""

    def wait(holds: Callable[[], object], limit_s: float = 20.0) -> None:
        end = time.monotonic() + limit_s
        while not holds():
            assert time.monotonic() < end, f"did not happen within {limit_s} s"
            time.sleep(0.02)

    return wait


@pytest.fixture
def write_set(tmp_path: Path) -> MakeSet:
    """Write a dataset folder from rows."""

    def write(documents: list[dict[str, Any]], questions: list[dict[str, Any]], name: str = "towns") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "dataset.yaml").write_text(f"name: {name}\n", encoding="utf-8")
        for file, rows in (("documents.jsonl", documents), ("questions.jsonl", questions)):
            (folder / file).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return folder

    return write


def town_documents() -> list[dict[str, Any]]:
    """Six towns, six sentences each, with metadata."""
    documents = []
    for i, city in enumerate(CITIES):
        lines = [f"The {subject} of {city} was opened in {1800 + 10 * i + j}." for j, subject in enumerate(SUBJECTS)]
        documents.append({"id": city.lower(), "text": " ".join(lines), "metadata": {"number": i, "north": i % 2 == 0}})
    return documents


def town_questions() -> list[dict[str, Any]]:
    """One question on each sentence of two subjects, and one that nothing answers."""
    questions = []
    for i, city in enumerate(CITIES):
        for j, subject in enumerate(SUBJECTS[:2]):
            quote = f"The {subject} of {city} was opened in {1800 + 10 * i + j}."
            evidence = [{"document_id": city.lower(), "quote": quote}]
            row = {"id": f"{city.lower()}-{j}", "text": f"When was the {subject} of {city} opened?"}
            questions.append({**row, "split": ("dev", "test")[i % 2], "evidence": evidence})
    questions.append({"id": "nothing", "text": "Who tuned the organ?", "split": "test", "evidence": []})
    return questions


@pytest.fixture
def towns(write_set: MakeSet) -> Path:
    """A dataset folder: six short documents, thirteen questions."""
    return write_set(town_documents(), town_questions())


@pytest.fixture
def town_rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of `towns`, to be changed and written again."""
    return town_documents(), town_questions()


@pytest.fixture
def sentence() -> Callable[[object], str]:
    """Check that a message is one clear sentence of ours, and return it."""

    def check(error: object) -> str:
        message = str(error)
        assert message.strip().endswith((".", "?")), message
        assert "\n" not in message.strip(), message
        assert "Traceback" not in message, message
        assert 20 < len(message) < 900, message
        return message

    return check


@pytest.fixture
def chat() -> Iterator[FakeChat]:
    """A language model on the loopback interface."""
    with serving(FakeChat()) as fake:
        yield fake
