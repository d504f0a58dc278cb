"""A dataset folder, written aside and put in place whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

import yaml

from pipelines.errors import DatasetError, shorten, storage_errors
from pipelines.golden.manifest import MANIFEST_FILE, Manifest
from pipelines.golden.opening import QUESTIONS_FILE
from pipelines.golden.resolve import resolve
from pipelines.golden.rows import question_of
from pipelines.golden.serialise import document_row, inferred_fields, json_rows, question_row
from pipelines.records import Document, Documents, Question
from pipelines.stages.load.files import DOCUMENTS_FILE, DOCUMENTS_FOLDER
from pipelines.stages.load.jsonl import document_of
from pipelines.stages.load.reading import clean, named


def write_dataset(
    dest: str | Path,
    documents: Sequence[Document],
    questions: Sequence[Question],
    *,
    name: str | None = None,
    description: str = "",
    licence: str = "",
    source: str = "",
    fields: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a dataset folder, all of it or nothing, and return its path.

    It is called `name`, or else like its folder. Quotes without a span are located; metadata that `fields` does not
    declare is declared with the type it has.

    Raises:
        DatasetError: for what `Dataset.open` would refuse, and a folder that is not empty (unless it is a dataset and
            `overwrite` says so).
        StorageError: when the disk refuses; what was there is left as it was.
    """
    folder = Path(dest)
    _refuse_twice("document", [document.id for document in documents])
    _refuse_twice("question", [question.id for question in questions])
    _refuse_unreadable(documents, questions)
    located = resolve(questions, Documents.of(documents))
    declared = {**inferred_fields(documents), **(fields or {})}
    files = _files(Manifest(name or folder.name, description, licence, source, declared), documents, located)
    with storage_errors(folder, "write the dataset"):
        refuse_occupied(folder, overwrite)
        publish_files(folder, dict(files))
    return folder


def write_files(
    dest: str | Path,
    files: Mapping[str, Path],
    questions: Sequence[Question],
    *,
    name: str | None = None,
    description: str = "",
    licence: str = "",
    source: str = "",
    overwrite: bool = False,
) -> Path:
    """Write a dataset folder whose documents are files, copied by their name below `documents/`; see `write_dataset`.

    Evidence is written as it is: in files that are parsed, it is found by its quote.

    Raises:
        DatasetError: as `write_dataset` does.
        StorageError: when the disk refuses; what was there is left as it was.
    """
    folder = Path(dest)
    _refuse_twice("question", [question.id for question in questions])
    _refuse_unreadable((), questions)
    written: dict[str, str | Path] = dict(
        _files(Manifest(name or folder.name, description, licence, source), (), questions)
    )
    del written[DOCUMENTS_FILE]
    with storage_errors(folder, "write the dataset"):
        refuse_occupied(folder, overwrite)
        publish_files(folder, written | {f"{DOCUMENTS_FOLDER}/{file}": path for file, path in files.items()})
    return folder


def _files(manifest: Manifest, documents: Sequence[Document], questions: Sequence[Question]) -> dict[str, str]:
    kept = {key: clean(value) if isinstance(value, str) else value for key, value in asdict(manifest).items() if value}
    return {
        MANIFEST_FILE: _yaml(kept),
        DOCUMENTS_FILE: json_rows(document_row(document) for document in documents),
        QUESTIONS_FILE: json_rows(question_row(question) for question in questions),
    }


def _yaml(values: Mapping[str, object]) -> str:
    """Write YAML that reads back the same; a few characters, such as U+0085, only do so when they are escaped."""
    plain = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    try:
        same = yaml.safe_load(plain) == values
    except yaml.YAMLError:
        same = False
    return plain if same else yaml.safe_dump(values, sort_keys=False)


def _refuse_twice(what: str, ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise DatasetError(f"Two {what}s have the id '{shorten(name, 60)}'; ids must differ: rename one.")
        seen.add(name)


def _refuse_unreadable(documents: Sequence[Document], questions: Sequence[Question]) -> None:
    """What is written must be what can be opened: each row is read back by the rules for reading."""
    for document in documents:
        document_of(document_row(document), f"Document '{shorten(document.id, 60)}'")
    for question in questions:
        for error in question_of(question_row(question), f"Question '{shorten(question.id, 60)}'")[1]:
            raise error


def refuse_occupied(folder: Path, overwrite: bool) -> None:
    """Let a dataset be written to a folder that is new or empty, or a dataset that may be overwritten.

    Raises:
        DatasetError: for any other place.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir() or folder.is_symlink():
        raise DatasetError(f"{named(folder)} is not a folder of its own; choose another place for the dataset.")
    if not any(folder.iterdir()):
        return
    if not overwrite:
        raise DatasetError(
            f"{named(folder)} is there already and not empty; choose another place, or take it away first."
        )
    if not (folder / QUESTIONS_FILE).is_file():
        raise DatasetError(f"{named(folder)} is not a dataset, so it is not overwritten; choose another place.")


def publish_files(folder: Path, files: Mapping[str, str | Path]) -> None:
    """Write beside `folder`, then rename: nobody ever sees half a dataset."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside, old = (folder.parent / f".{kind}-{uuid4().hex}" for kind in ("writing", "replaced"))
    try:
        aside.mkdir()
        for name, content in files.items():
            place = aside / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, place)
            else:
                place.write_text(content, encoding="utf-8", newline="\n")
        if folder.exists():
            folder.rename(old)
        aside.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for left in (aside, old):
            shutil.rmtree(left, ignore_errors=True)
