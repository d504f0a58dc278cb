"""What may be wrong with the documents: empty, twice there, metadata that changes its type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256

from pipelines.errors import shorten
from pipelines.golden.contents import Contents
from pipelines.golden.findings import Finding
from pipelines.golden.manifest import fits, type_of
from pipelines.records import Column
from pipelines.stages.load.files import DOCUMENTS_FILE, DOCUMENTS_FOLDER


def empty(contents: Contents) -> Iterator[Finding]:
    """Find documents without a word."""
    pairs = zip(contents.documents.ids, contents.documents.texts, strict=True)
    names = [name for name, text in pairs if not text or text.isspace()]
    if names:
        message = "Documents are empty and can never be found (n: {n}); see whether text was lost, or take them out."
        yield Finding.of("warning", "empty-documents", message, names)


def duplicates(contents: Contents) -> Iterator[Finding]:
    """Find documents with the same words, white space apart: finding the copy counts as a miss."""
    same: dict[bytes, list[str]] = defaultdict(list)
    for name, text in zip(contents.documents.ids, contents.documents.texts, strict=True):
        words = " ".join(text.split())
        if words:
            same[sha256(words.encode()).digest()].append(shorten(name, 60))
    cases = [" = ".join(names) for names in same.values() if len(names) > 1]
    if cases:
        message = (
            "Texts are there more than once (n: {n}); to find the copy without the evidence counts as a miss: keep one."
        )
        yield Finding.of("warning", "duplicate-documents", message, cases)


def varying_types(contents: Contents) -> Iterator[Finding]:
    """Find metadata fields with values of several types: a filter on one never meets the other."""
    kinds = {name: _types(column) for name, column in contents.documents.columns.items()}
    cases = [f"{name}: {', '.join(sorted(types))}" for name, types in kinds.items() if len(types) > 1]
    if cases:
        message = (
            "Metadata fields hold values of several types (n: {n}), so a filter on one misses the others; use one."
        )
        yield Finding.of("warning", "metadata-types-vary", message, cases)


def _types(column: Column) -> set[str]:
    types = {type_of(value) for value in column.values}
    if "str" in types:
        types.discard("date")
    if "float" in types:
        types.discard("int")
    return types


def undeclared(contents: Contents) -> Iterator[Finding]:
    """Find metadata that dataset.yaml does not declare, or otherwise."""
    declared, columns = contents.manifest.fields, contents.documents.columns
    if not declared:
        return
    wrong = [_mismatch(name, columns[name], kind) for name, kind in declared.items() if name in columns]
    if cases := [case for case in wrong if case]:
        message = (
            "Metadata fields are not of the type that dataset.yaml declares (n: {n}); correct the one or the other."
        )
        yield Finding.of("warning", "metadata-not-as-declared", message, cases)
    if cases := [name for name in declared if name not in columns]:
        message = "Metadata fields are declared in dataset.yaml, and no document has them (n: {n}); correct the name."
        yield Finding.of("warning", "metadata-missing", message, cases)
    if cases := [name for name in columns if name not in declared]:
        message = "Metadata fields are not declared in dataset.yaml (n: {n}); declare them there under 'fields'."
        yield Finding.of("info", "metadata-undeclared", message, cases)


def _mismatch(name: str, column: Column, kind: str) -> str:
    odd = [value for value in column.values if not fits(value, kind)]
    return f"{name} is declared {kind}, but holds {shorten(repr(odd[0]), 60)}" if odd else ""


def both_places(contents: Contents) -> Iterator[Finding]:
    """Find a folder of documents that is passed over because documents.jsonl is there too."""
    if (contents.path / DOCUMENTS_FILE).is_file() and (contents.path / DOCUMENTS_FOLDER).is_dir():
        message = (
            f"{DOCUMENTS_FILE} is read, and the folder '{DOCUMENTS_FOLDER}' beside it is not; take one of them out."
        )
        yield Finding("warning", "documents-in-two-places", message)


def unread(contents: Contents) -> Iterator[Finding]:
    """List the files, or rows of them, that could not be read: a run leaves them out."""
    if contents.unread:
        first = str(contents.unread[0])
        message = "Files could not be read, wholly or in part, and are left out (n: {n}). " + first.replace("{n}", "n")
        yield Finding.of("warning", "unread-files", message, [str(error) for error in contents.unread])


def notes(contents: Contents) -> Iterator[Finding]:
    """List the files that were read otherwise than one might think."""
    if contents.notes:
        message = "Files were read otherwise than one might think (n: {n})."
        yield Finding.of("info", "notes-on-files", message, contents.notes)
