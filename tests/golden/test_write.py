"""Writing: whole or not at all, read back the same, and never outside its folder."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import StorageError
from pipelines.golden.dataset import Dataset
from pipelines.golden.naming import slug
from pipelines.golden.write import write_dataset
from pipelines.records import Document, Evidence, Question

DOCUMENT = Document("d", "One two.\r\n\u2028Three", {"year": 2024, "when": "2024-05-06", "share": 0.5, "ok": True})
QUESTION = Question("q", "What?", "Two", "dev", ("t",), {"year": 2024}, (Evidence("d", 4, 7, "two", 2.5, "g"),))
TEXTS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), min_size=1).filter(lambda text: bool(text.strip()))


def test_what_is_written_is_read_back(tmp_path: Path):
    path = write_dataset(
        tmp_path / "a", [DOCUMENT], [QUESTION, Question("u", "Why?")],
        name="n", description="d", licence="l", source="s", fields={"year": "float"},
    )  # fmt: skip
    dataset = Dataset.open(path)
    assert (dataset.name, dataset.description, dataset.licence, dataset.source) == ("n", "d", "l", "s")
    assert dataset.fields == {"ok": "bool", "share": "float", "when": "date", "year": "float"}
    assert dataset.documents()[0] == DOCUMENT
    assert dataset.questions == (QUESTION, Question("u", "Why?"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    TEXTS, TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS | st.integers(-(2**63), 2**63 - 1) | st.booleans(), max_size=3)
)
def test_any_text_survives(tmp_path: Path, name: str, text: str, tag: str, metadata: dict):
    document = Document(name, text, metadata)
    question = Question(name, text, text, None, (tag,), metadata, (Evidence(name, 0, len(text), text),))
    path = write_dataset(tmp_path / "x", [document], [question], name=name, description=text, overwrite=True)
    dataset = Dataset.open(path)
    assert dataset.documents()[0] == document
    assert dataset.questions == (question,)
    assert (dataset.name, dataset.description) == (name, text)


@pytest.mark.parametrize("name", ["\x85x", "a\u2028b", "\ufeffx", "a\0b", "yes", "2024", "x: y", "# x", "\ttab ", "🙂"])
def test_names_that_yaml_finds_hard_survive(tmp_path: Path, name: str):
    assert Dataset.open(write_dataset(tmp_path / "x", [DOCUMENT], [], name=name)).name == name


def test_lone_surrogates_are_replaced(tmp_path: Path):
    path = write_dataset(tmp_path / "x", [Document("d", "a\ud800b")], [], name="\udfff")
    assert Dataset.open(path).documents().texts == ("a\ufffdb",)
    assert Dataset.open(path).name == "\ufffd"


def test_quotes_are_located(tmp_path: Path):
    asked = Question("q", "?", evidence=(Evidence("d", quote="two"),))
    path = write_dataset(tmp_path / "x", [DOCUMENT], [asked])
    assert Dataset.open(path).questions[0].evidence == (Evidence("d", 4, 7, "two"),)


@pytest.mark.parametrize(
    ("documents", "questions", "said"),
    [
        ([DOCUMENT, DOCUMENT], [], "Two documents have the id 'd'"),
        ([DOCUMENT], [QUESTION, QUESTION], "Two questions have the id 'q'"),
        ([Document("", "x")], [], "'id' must be text"),
        ([Document("d", "x", {"a": float("nan")})], [], "'a' is nan"),
        ([DOCUMENT], [Question("q", " ")], "'text' must be text"),
        ([DOCUMENT], [Question("q", "x", split="all")], "'split' is 'all'"),  # type: ignore[arg-type]
        ([DOCUMENT], [Question("q", "x", evidence=(Evidence("e"),))], "names the document 'e'"),
        ([DOCUMENT], [Question("q", "x", evidence=(Evidence("d", 4, 99),))], "not within document 'd'"),
    ],
)
def test_what_could_not_be_opened_is_not_written(tmp_path: Path, refused, documents: list, questions: list, said: str):
    assert said in refused(write_dataset, tmp_path / "x", documents, questions)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_taken_is_left_alone(tmp_path: Path, refused):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("precious")
    assert "not empty" in refused(write_dataset, taken, [DOCUMENT], [])
    assert "is not a dataset, so it is not overwritten" in refused(write_dataset, taken, [DOCUMENT], [], overwrite=True)
    assert "not a folder of its own" in refused(write_dataset, taken / "mine.txt", [DOCUMENT], [])
    (tmp_path / "link").symlink_to(taken)
    assert "not a folder of its own" in refused(write_dataset, tmp_path / "link", [DOCUMENT], [], overwrite=True)
    assert (taken / "mine.txt").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "taken"]


def test_an_empty_folder_and_a_dataset_to_overwrite_are_taken(tmp_path: Path):
    (tmp_path / "x").mkdir()
    write_dataset(tmp_path / "x", [DOCUMENT], [QUESTION])
    write_dataset(tmp_path / "x", [DOCUMENT], [], overwrite=True)
    assert Dataset.open(tmp_path / "x").questions == ()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_dataset(tmp_path / "x", [DOCUMENT], [QUESTION])
    before = Dataset.open(path).version

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StorageError, match="is full"):
        write_dataset(path, [DOCUMENT], [], overwrite=True)
    with pytest.raises(StorageError, match="is full"):
        write_dataset(tmp_path / "y", [DOCUMENT], [])
    assert Dataset.open(path).version == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_a_failure_between_the_two_renames_puts_the_old_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_dataset(tmp_path / "x", [DOCUMENT], [QUESTION])
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self.name.startswith(".writing-"):
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(StorageError):
        write_dataset(path, [DOCUMENT], [], overwrite=True)
    assert len(Dataset.open(path).questions) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


@given(st.text())
def test_a_slug_is_a_plain_name(name: str):
    short = slug(name)
    assert short == Path(short).name
    assert 0 < len(short.encode()) <= 80
    assert all(c.isalnum() or c == "-" for c in short)
    assert not short.startswith(("-", "."))


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "", "/", "\u202e", "x" * 10_000, "a\0b", "日" * 100])
def test_hostile_names_make_plain_folders(name: str):
    assert "/" not in slug(name)
    assert ".." not in slug(name)
    assert len(slug(name).encode()) <= 80


def test_names_stay_readable_and_long_ones_stay_apart():
    assert slug("Annual Report 2024 (final)") == "annual-report-2024-final"
    assert slug("Jahresübersicht") == "jahresübersicht"
    assert slug("x" * 10_000) != slug("x" * 10_001)
