"""What is done when a dataset is opened: is it one, which questions, which version."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path

from pipelines.component import digest
from pipelines.errors import DatasetError, shorten
from pipelines.golden.manifest import MANIFEST_FILE
from pipelines.golden.rows import question_rows
from pipelines.records import Question
from pipelines.stages.load import document_files
from pipelines.stages.load.files import holds, refuse_link
from pipelines.stages.load.reading import RuleError, named, read_bytes

QUESTIONS_FILE = "questions.jsonl"


def refuse_other_than_dataset(folder: Path) -> None:
    """Let only a folder pass that holds questions.

    Raises:
        DatasetError: saying what is there instead.
    """
    wanted = f"a dataset is a folder with {MANIFEST_FILE}, documents and {QUESTIONS_FILE}"
    todo = "make one with: rag-workbench import FORMAT SRC DEST"
    if not folder.exists():
        raise DatasetError(f"There is no folder {named(folder)}; {wanted}: correct the path, or {todo}.")
    if not folder.is_dir():
        raise DatasetError(f"{named(folder)} is a file; {wanted}: {todo}.")
    refuse_link(folder / QUESTIONS_FILE)
    if not (folder / QUESTIONS_FILE).is_file():
        raise DatasetError(f"{named(folder)} has no {QUESTIONS_FILE} ({holds(folder)}); {wanted}: {todo}.")


def read_questions(path: Path) -> tuple[tuple[int, ...], tuple[Question, ...]]:
    """Read questions.jsonl: the line of each question, and the questions.

    Raises:
        DatasetError: for the first thing that is wrong with a row, and for two questions with one id.
    """
    lines: dict[str, int] = {}
    questions: list[Question] = []
    for line, question, errors in question_rows(read_bytes(path), named(path)):
        if errors:
            raise errors[0]
        if question is not None:
            refuse_second(question.id, line, lines, named(path))
            questions.append(question)
    return tuple(lines.values()), tuple(questions)


def refuse_second(question_id: str, line: int, lines: dict[str, int], where: str) -> None:
    """Note where a question id stands.

    Raises:
        RuleError: when it stood before.
    """
    first = lines.setdefault(question_id, line)
    if first != line:
        found = (
            f"{where}, line {line}: the id '{shorten(question_id, 60)}' is already that of the question on line {first}"
        )
        raise RuleError("duplicate-question-id", f"{found}; ids must differ: change one of them.")


def versions(folder: Path) -> tuple[str, str]:
    """Return the hash of all files of a dataset, by name, and that of its documents alone."""
    documents = _hashes(folder, document_files(folder))
    others = [path for path in (folder / MANIFEST_FILE, folder / QUESTIONS_FILE) if path.is_file()]
    return digest(sorted([*documents, *_hashes(folder, others)])), digest(documents)


def _hashes(folder: Path, files: list[Path]) -> list[list[str]]:
    rows = []
    for path in files:
        with path.open("rb") as stream:
            rows.append([path.relative_to(folder).as_posix(), file_digest(stream, "sha256").hexdigest()])
    return sorted(rows)
