"""Files from a browser to a dataset folder: nothing of them is taken for a path."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.errors import DatasetError, shorten
from pipelines.golden.importers.aliases import Aliases
from pipelines.golden.importers.draft import Draft, Problem
from pipelines.golden.importers.files import take_files
from pipelines.golden.importers.question_table import read_questions_table
from pipelines.golden.importers.report import ImportReport, finish
from pipelines.golden.naming import slug
from pipelines.golden.opening import refuse_second
from pipelines.golden.rows import question_rows
from pipelines.stages.load import Source, clean, decode
from pipelines.stages.load.files import ids_of, passed_over
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

    A document that cannot be read is listed among the problems, and the others are taken.

    Raises:
        DatasetError: when no document can be read, for two kinds of questions, or a name that is taken.
        StorageError: when the disk refuses.
    """
    if not name.strip():
        raise DatasetError("The dataset has no name; give it one.")
    if not documents:
        raise DatasetError("There are no documents; add at least one text, Markdown or JSONL file.")
    if questions_csv is not None and questions_jsonl is not None:
        raise DatasetError("There are questions as CSV and as JSONL; give one of the two.")
    draft = Draft(source="uploaded files")
    names = _own_names([filename for filename, _ in documents])
    ids = ids_of(names)
    with TemporaryDirectory() as folder:
        _read_documents([data for _, data in documents], names, ids, Path(folder), draft)
        if questions_csv is not None:
            asked = [filename for filename, _ in documents]
            pairs = [
                pair
                for said in (names, map(short_name, asked), map(clean, asked))
                for pair in zip(said, ids, strict=True)
            ]
            aliases = Aliases((*ids, *(document.id for document in draft.documents)), pairs)
            table = decode(questions_csv, "The table of questions")
            read_questions_table(table, "The table of questions", aliases, draft)
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


def _read_documents(
    contents: Sequence[bytes], names: Sequence[str], ids: Sequence[str], folder: Path, draft: Draft
) -> None:
    """Read files as the load stage does; those that are parsed are noted, to be kept as they are.

    Raises:
        DatasetError: when none can be read.
    """
    sources = []
    for number, (data, name, document_id) in enumerate(zip(contents, names, ids, strict=True)):
        path = folder / f"{number}{Path(name).suffix.lower()}"
        path.write_bytes(data)
        sources.append(Source(shorten(name, 150), document_id, path, name))
    take_files(draft, sources)


def _own_names(filenames: Sequence[str]) -> list[str]:
    """Return names that files may bear on any disk, no two the same.

    Raises:
        DatasetError: when two files have one name.
    """
    names: list[str] = []
    for filename in filenames:
        name = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in short_name(filename)).strip()
        name = f"_{name}" if not name or passed_over(name) else name
        if name in names:
            raise DatasetError(f"Two files are called '{shorten(name, 60)}'; rename one of them.")
        names.append(name)
    return names


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
