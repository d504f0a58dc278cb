"""Files from a browser to a dataset folder: nothing of them is taken for a path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.errors import DatasetError, shorten
from pipelines.golden.importers.aliases import Aliases
from pipelines.golden.importers.draft import Draft, Problem
from pipelines.golden.importers.question_table import read_questions_table
from pipelines.golden.importers.report import ImportReport, finish
from pipelines.golden.naming import slug
from pipelines.golden.opening import refuse_second
from pipelines.golden.rows import question_rows
from pipelines.records import Document
from pipelines.stages.load import Source, clean, decode, loaders
from pipelines.stages.load.files import ids_of
from pipelines.stages.load.reading import RuleError

_NAME_CHARS = 120


def from_uploads(
    name: str,
    documents: Sequence[tuple[str, bytes]],
    questions_csv: bytes | None,
    questions_jsonl: bytes | None,
    dest_root: str | Path,
) -> ImportReport:
    """Write a dataset from uploaded files into a folder of its own below `dest_root`.

    Documents come as (file name, content); questions as a table, or as rows of questions.jsonl, or not at all yet.

    Raises:
        DatasetError: for a file that cannot be read, two kinds of questions, or a name that is taken.
        StorageError: when the disk refuses.
    """
    if not name.strip():
        raise DatasetError("The dataset has no name; give it one.")
    if not documents:
        raise DatasetError("There are no documents; add at least one text, Markdown or JSONL file.")
    if questions_csv is not None and questions_jsonl is not None:
        raise DatasetError("There are questions as CSV and as JSONL; give one of the two.")
    draft = Draft(source="uploaded files")
    names = [short_name(filename) for filename, _ in documents]
    ids = ids_of(names)
    draft.documents += _documents([data for _, data in documents], names, ids)
    if questions_csv is not None:
        pairs = [*zip(names, ids, strict=True), *((clean(f), i) for (f, _), i in zip(documents, ids, strict=True))]
        aliases = Aliases((document.id for document in draft.documents), pairs)
        read_questions_table(decode(questions_csv, "The table of questions"), "The table of questions", aliases, draft)
    if questions_jsonl is not None:
        _questions(questions_jsonl, draft)
    return finish(draft, Path(dest_root) / slug(name), clean(name))


def short_name(filename: str) -> str:
    """Return the last part of a file's name, ending and all; what is too long is cut, and keeps a digest."""
    last = clean(filename).replace("\\", "/").rstrip("/").rpartition("/")[2]
    if last in ("", ".", ".."):
        last = "document.txt"
    if len(last) <= _NAME_CHARS:
        return last
    suffix = Path(last).suffix if len(Path(last).suffix) <= 10 else ""
    return f"{last[: _NAME_CHARS - 20]}-{sha256(last.encode()).hexdigest()[:8]}{suffix}"


def _documents(contents: Sequence[bytes], names: Sequence[str], ids: Sequence[str]) -> Iterator[Document]:
    """Read files as the load stage does, in processes of their own where they are parsed.

    Raises:
        DatasetError: for the first that cannot be read.
    """
    with TemporaryDirectory() as folder:
        sources = []
        for number, (data, name, document_id) in enumerate(zip(contents, names, ids, strict=True)):
            path = Path(folder) / f"{number}{Path(name).suffix.lower()}"
            path.write_bytes(data)
            sources.append(Source(f"The file {shorten(name)}", document_id, path))
        found = loaders()["auto"]().read_files(sources)
    if found.failures:
        raise found.failures[0].error
    yield from found.documents


def _questions(data: bytes, draft: Draft) -> None:
    where, lines = "The file of questions", dict[str, int]()
    for line, question, errors in question_rows(data, where):
        question_id = question.id if question else None
        draft.problems += [Problem(question_id, str(error)) for error in errors]
        if question is None:
            continue
        if errors:
            draft.failed.add(question.id)
        try:
            refuse_second(question.id, line, lines, where)
            draft.questions.append(question)
        except RuleError as error:
            draft.problems.append(Problem(question.id, str(error)))
