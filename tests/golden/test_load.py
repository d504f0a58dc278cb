"""Load: every character of a file stays where it is, and what is no text is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.component import build, components
from pipelines.errors import DatasetError
from pipelines.records import Document
from pipelines.stages.load import Loader, clean, decode, read_text, readable_suffixes
from pipelines.stages.load.files import files_below, ids_of


def loader(name: str = "auto", **knobs: object) -> Loader:
    found = build("load", {"use": name, **knobs}, "auto", "test")
    assert isinstance(found, Loader)
    return found


def parse(tmp_path: Path, name: str, content: bytes | str, use: str = "auto", **knobs: object) -> list[Document]:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return loader(use, **knobs).parse(path, "d")


def test_each_loader_has_a_fingerprint_and_suffixes_of_its_own():
    names = list(components("load"))
    assert names == [
        "auto", "code", "csv", "docx", "email", "epub", "html", "jsonl", "markdown", "pdf", "pptx", "text", "xlsx",
    ]  # fmt: skip
    assert len({loader(name).fingerprint() for name in names}) == len(names)
    suffixes = [suffix for name in names for suffix in loader(name).suffixes]
    assert sorted(suffixes) == list(readable_suffixes())
    assert len(set(suffixes)) == len(suffixes)


def test_newlines_stay_and_the_byte_order_mark_goes(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    assert read_text(path) == "one\r\ntwo\rthree\n"


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs",))))
def test_utf8_text_decodes_to_itself(text: str):
    assert decode(text.encode(), "it") == text.removeprefix("\ufeff")


@given(st.text(alphabet=st.characters()))
def test_lone_surrogates_are_replaced_one_for_one(text: str):
    cleaned = clean(text)
    cleaned.encode()
    assert len(cleaned) == len(text)
    assert all(a == b or b == "\ufffd" for a, b in zip(text, cleaned, strict=True))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"abc\x00def", "NUL at byte offset 3"),
        (b"abc\xffdef", "byte 0xff at byte offset 3"),
        ("Übung".encode("latin-1"), "byte offset 0"),
    ],
)
def test_a_binary_file_called_txt_is_refused_with_its_name_and_byte(tmp_path: Path, refused, content: bytes, said: str):
    path = tmp_path / "scan.txt"
    path.write_bytes(content)
    message = refused(loader().parse, path, "scan")
    assert said in message
    assert "scan.txt" in message
    assert "UTF-8" in message


def test_front_matter_becomes_metadata_and_leaves_the_text(tmp_path: Path):
    content = "---\r\nyear: 2024\ndate: 2024-05-06\nfinal: true\nnote:\ntags: [a, b]\nnone: []\n---\r\n# Title\n"
    (document,) = parse(tmp_path, "a.md", content)
    assert document.text == "# Title\n"
    assert dict(document.metadata) == {"year": 2024, "date": "2024-05-06", "final": True, "tags": "a; b"}


def test_front_matter_can_be_left_in_the_text(tmp_path: Path):
    content = "---\nyear: 2024\n---\nText"
    (document,) = parse(tmp_path, "a.md", content, use="markdown", front_matter=False)
    assert (document.text, dict(document.metadata)) == (content, {})


@pytest.mark.parametrize(
    "content", ["---\nA sentence.\n---\nMore", "---\n- a list\n---\n", "--- \nno end", "text\n---\na: 1\n---\n"]
)
def test_text_between_rules_is_text(tmp_path: Path, content: str):
    (document,) = parse(tmp_path, "a.md", content)
    assert (document.text, dict(document.metadata)) == (content, {})


def test_empty_front_matter_is_taken_out(tmp_path: Path):
    assert parse(tmp_path, "a.md", "---\n---\nText") == [Document("d", "Text")]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("tags: [[a], b]", "'tags' is a list"),
        ("who: {name: x}", "'who' is an object"),
        ("1: x", "has a field called 1"),
        ("x: .nan", "'x' is nan"),
        ("n: 99999999999999999999", "'n' is 99999999999999999999"),
        ("a: [", "is not YAML"),
        ("d: 2024-13-45", "is not YAML"),
        ("[" * 5000, "is not YAML"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "aliases are not read"),
    ],
)
def test_nested_or_broken_front_matter_is_refused(tmp_path: Path, refused, block: str, said: str):
    path = tmp_path / "a.md"
    path.write_text(f"---\n{block}\n---\nText")
    assert said in refused(loader().parse, path, "a")


def test_rows_name_their_documents(tmp_path: Path):
    rows = '{"id": "a", "text": "x\\u2028y"}\n\n{"id": 7, "text": "\\ud800", "metadata": {"n": 1, "none": null}}\n'
    assert parse(tmp_path, "a.jsonl", rows) == [Document("a", "x\u2028y"), Document("7", "\ufffd", {"n": 1})]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 2 is not JSON"),
        ("[" * 100_000, "line 2 is not JSON"),
        ('{"id": "b", "text": NaN}', "NaN is not a JSON value"),
        ("3", "line 2 holds 3"),
        ('{"text": "x"}', "'id' must be text"),
        ('{"id": true, "text": "x"}', "'id' must be text"),
        ('{"id": "b"}', "'text' must be text"),
        ('{"id": "b", "text": "x", "metdata": {}}', "Did you mean 'metadata'?"),
        ('{"id": "b", "text": "x", "metadata": {"a": [1]}}', "must be flat"),
        ('{"id": "b", "text": "x", "metadata": 3}', "metadata must be an object"),
        ('{"id": "b", "text": "x", "metadata": {"a": 1e999}}', "'a' is inf"),
        ('{"id": "a", "text": "x"}', "Documents 1 and 2 have the same id 'a'"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, refused, row: str, said: str):
    (tmp_path / "documents.jsonl").write_text('{"id": "a", "text": "x"}\n' + row)
    assert said in refused(loader().load, tmp_path)


def test_a_folder_is_read_in_order_of_names_and_ids_drop_the_suffix(tmp_path: Path):
    for name in ("b.txt", "a/z.md", "a.txt", "a/y.TXT", ".hidden.txt", "~$lock.txt", "x.txt~"):
        path = tmp_path / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    documents = loader().load(tmp_path)
    assert documents.ids == ("a", "a/y", "a/z", "b")
    assert documents.texts == ("a.txt", "a/y.TXT", "a/z.md", "b.txt")


@given(st.lists(st.from_regex(r"([ab]/)?[ab](\.(txt|md|a)){0,2}", fullmatch=True), unique=True))
def test_ids_never_collide(names: list[str]):
    assert len(set(ids_of(names))) == len(names)


def test_ids_keep_the_suffix_only_where_they_must():
    assert ids_of(["a.md", "a.txt", "b.txt", "b.txt.md"]) == ["a.md", "a.txt", "b", "b.txt.md"]


def test_rows_win_over_files(make):
    folder = make(documents=[{"id": "row", "text": "x"}], files={"documents/file.txt": "y"})
    assert loader().load(folder).ids == ("row",)


def test_one_loader_refuses_the_files_of_another(make, refused):
    folder = make(files={"documents/a.md": "x"})
    assert "choose the loader 'auto'" in refused(loader("text").load, folder)


@pytest.mark.parametrize("name", ["report.xyz", "README"])
def test_a_file_that_no_loader_reads_is_refused(make, refused, name: str):
    message = refused(loader().load, make(files={f"documents/{name}": "x"}))
    assert ".pdf, .pptx, .tsv, .txt" in message
    assert "and source code can" in message


@pytest.mark.parametrize("what", ["documents/link.txt", "documents", "documents.jsonl", "documents/deep"])
def test_symbolic_links_are_refused(tmp_path: Path, refused, what: str):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.txt").write_text("secret")
    folder = tmp_path / "set"
    (folder / what).parent.mkdir(parents=True)
    (folder / what).symlink_to(tmp_path / "secret")
    message = refused(loader().load, folder)
    assert "symbolic link" in message


def test_a_missing_or_empty_folder_is_said(tmp_path: Path, refused):
    assert "it is empty" in refused(loader().load, tmp_path)
    assert "it is not a folder" in refused(loader().load, tmp_path / "nowhere")
    (tmp_path / "documents").mkdir()
    assert "is empty; put at least one" in refused(loader().load, tmp_path)
    assert "cannot be read" in refused(loader().parse, tmp_path / "gone.txt", "gone")
    assert "cannot be read" in refused(files_below, tmp_path / "gone")


def test_what_can_be_read_is_read_past_what_cannot(make):
    folder = make(
        files={"documents/a.txt": "x", "documents/b.txt": b"\0", "documents/c.xyz": "", "documents/d.txt": "y"}
    )
    found = list(loader().attempt_folder(folder))
    assert [item.id if isinstance(item, Document) else None for item in found] == ["a", "d", None, None]
    assert all(isinstance(item, Document | DatasetError) for item in found)


def test_a_row_without_end_is_refused_and_the_others_are_read(tmp_path: Path):
    row = b'{"id": "b", "text": "' + b"x" * (40 << 20) + b'"}'
    (tmp_path / "documents.jsonl").write_bytes(b'{"id": "a", "text": "one"}\n' + row + b'\n{"id": "c", "text": "two"}')
    found = loader().survey(tmp_path)
    assert [document.id for document in found.documents] == ["a", "c"]
    assert "line 2 holds 40 MB, and a row may have 32 MB" in str(found.failures[0].error)
    with pytest.raises(DatasetError, match="line 2 holds 40 MB"):
        loader().load(tmp_path)
