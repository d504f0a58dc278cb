"""What every loader keeps to, whatever it reads."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.mixed_files import MAKERS
from pipelines.component import Component
from pipelines.records import Document
from pipelines.stages.load import Loader

from .registry import build, one_knob_changed, registered

FACT = "The committee approved item 7 of the programme."
FILES: Mapping[str, bytes] = {
    ".jsonl": b'{"id": "a", "text": "The committee approved item 7 of the programme."}',
    **{suffix: make(FACT) for suffix, make in MAKERS.items()},
}


def example(loader: Loader) -> tuple[str, bytes]:
    """Return a file that a loader reads."""
    suffix = next(one for one in (loader.suffixes or (".html",)) if one in FILES)
    return f"some file{suffix}", FILES[suffix]


def read(loader: Loader, folder: Path) -> list[Document]:
    name, data = example(loader)
    path = folder / name
    path.write_bytes(data)
    return loader.parse(path, "some file")


@pytest.mark.parametrize("component", registered("load"))
def test_the_same_file_gives_the_same_documents_and_marks_are_sound(component: type[Component], tmp_path: Path) -> None:
    loader = build(component)
    assert isinstance(loader, Loader)
    documents = read(loader, tmp_path)
    assert documents == read(loader, tmp_path)
    assert any(FACT in document.text for document in documents)
    for document in documents:
        for rows in document.marks.values():
            assert all(0 <= start < end <= len(document.text) for start, end, _ in rows)
            assert all(before[1] <= after[0] for before, after in pairwise(rows))


@pytest.mark.parametrize("component", registered("load"))
def test_cleaning_is_no_part_of_parsing(component: type[Component]) -> None:
    loader = build(component)
    assert isinstance(loader, Loader)
    shared = set(Loader.model_fields)
    for changed in one_knob_changed(component):
        assert isinstance(changed, Loader)
        differing = {name for name in component.model_fields if getattr(changed, name) != getattr(loader, name)}
        assert (changed.parsing() == loader.parsing()) == (differing <= shared), differing


@pytest.mark.parametrize("component", registered("load"))
def test_given_text_comes_through_character_by_character(component: type[Component], tmp_path: Path) -> None:
    loader = build(component)
    assert isinstance(loader, Loader)
    name, data = example(loader)
    if loader.as_given(name) and not name.endswith(".jsonl"):
        assert [document.text for document in read(loader, tmp_path)] == [data.decode()]
