"""Many files in processes of their own: what fails is reported, what was parsed is kept, and nothing takes too long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.mixed_files import BROKEN, MAKERS, write_mixed
from pipelines.cache import Cache
from pipelines.component import build
from pipelines.errors import Cancelled, DatasetError
from pipelines.records import Document
from pipelines.stages.load import Loader, bounded
from pipelines.stages.load.bounded import Parser, parse_all, processes
from pipelines.stages.load.outcome import Outcome


def auto(**knobs: object) -> Loader:
    found = build("load", {"use": "auto", **knobs}, "auto", "test")
    assert isinstance(found, Loader)
    return found


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset's folder with two files of each format and five broken ones."""
    folder = tmp_path_factory.mktemp("mixed")
    write_mixed(folder / "documents", 2 * len(MAKERS) + 5, 5)
    return folder


def test_all_that_can_be_read_is_read_and_the_rest_reported(mixed: Path, tmp_path: Path):
    told: list[tuple[int, int]] = []
    found = auto().read(mixed, lambda done, total: told.append((done, total)), Cache(tmp_path / "cache"))
    assert len(found.documents) == 2 * len(MAKERS)
    assert [failure.file for failure in found.failures] == [
        f"documents/{i:02d}-{name}" for i, name in enumerate(BROKEN)
    ]
    assert all(str(failure.error).endswith(".") for failure in found.failures)
    assert told == sorted(told)
    assert told[-1] == (2 * len(MAKERS) + 5,) * 2
    again = auto().read(mixed, cache=Cache(tmp_path / "cache"))
    assert (again.documents, again.notes) == (found.documents, found.notes)
    assert [str(failure.error) for failure in again.failures] == [str(failure.error) for failure in found.failures]


def test_what_was_parsed_is_not_parsed_again_nor_for_another_cleaning(
    mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cache = Cache(tmp_path / "cache")
    first = auto().read(mixed, cache=cache)
    asked: list[str] = []

    def ask(self: Parser, task: bounded.Task) -> Outcome:
        asked.append(task["where"])
        return Outcome((Document("x", "y"),))

    monkeypatch.setattr(Parser, "ask", ask)
    assert auto().read(mixed, cache=cache).documents == first.documents
    auto(tidy_white_space="never").read(mixed, cache=cache)
    assert asked == []
    auto(notes=False).read(mixed, cache=cache)
    assert sorted({Path(name).suffix for name in asked}) == [".pptx"]


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have files that end in .odd do what their content says, within the parser's process."""
    script = Path(__file__).with_name("odd_parser.py")
    monkeypatch.setattr(bounded, "COMMAND", (str(script),))
    return


def task(tmp_path: Path, what: str, **limits: int) -> bounded.Task:
    path = tmp_path / f"{what}.odd"
    path.write_text(what)
    loader = {"use": "auto"}
    limits = {"max_seconds": 2, "max_memory_mb": 512, **limits}
    return {"loader": loader, "path": str(path), "document_id": what, "where": f"{what}.odd", **limits}


MISBEHAVING = {
    "spin": "was not read within 2 s of computing",
    "grow": "needs more than 512 MB of memory",
    "crash": "made its parser crash (SIGSEGV)",
    "leave": "made its parser crash (exit code 3)",
    "raise": "seems to be damaged",
}


def test_a_parser_that_misbehaves_costs_its_file_alone(odd: None, tmp_path: Path):
    outcomes: dict[int, Outcome] = {}
    names = ["fine", *MISBEHAVING, "print", "fine"]
    parse_all([task(tmp_path, name) for name in names], lambda done, total: None, outcomes.__setitem__)
    for i, name in enumerate(names):
        if name not in MISBEHAVING:
            assert outcomes[i].documents == (Document(name, name),)
            continue
        (error,) = outcomes[i].errors
        assert MISBEHAVING[name] in str(error)
        assert "\n" not in str(error)
        assert outcomes[i].certain == (name == "raise")


def test_stopping_ends_the_processes(odd: None, tmp_path: Path):
    before = {child.pid for child in psutil.Process().children()}

    def stop(done: int, total: int) -> None:
        if done:
            raise Cancelled("stop")

    tasks = [task(tmp_path, "fine"), *(task(tmp_path, "sleep", max_seconds=100) for _ in range(4))]
    with pytest.raises(Cancelled):
        parse_all(tasks, stop, lambda i, outcome: None)
    assert {child.pid for child in psutil.Process().children()} <= before


def test_there_are_no_more_processes_than_files_or_threads(monkeypatch: pytest.MonkeyPatch):
    assert processes(1) == 1
    monkeypatch.setenv("RAG_WORKBENCH_THREADS", "1")
    assert processes(100) == 1


def test_no_file_at_all_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "documents").mkdir()
    for name in ("a.pdf", "b.docx"):
        (tmp_path / "documents" / name).write_bytes(b"x")
    with pytest.raises(DatasetError, match=r"None of the 2 files can be read\. The first: documents/a\.pdf"):
        auto().read(tmp_path)


def test_a_huge_file_is_not_even_opened(tmp_path: Path):
    (tmp_path / "documents").mkdir()
    with (tmp_path / "documents" / "a.pdf").open("wb") as file:
        file.truncate(600 << 20)
    (tmp_path / "documents" / "b.txt").write_text("x")
    found = auto().read(tmp_path)
    assert "holds 600 MB, and files of up to 512 MB are read" in str(found.failures[0].error)
