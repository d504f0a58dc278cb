"""csv: a table of questions with quotes, beside a folder of documents."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import DatasetError, shorten
from pipelines.golden.importers import Draft, importer
from pipelines.golden.importers.aliases import Aliases
from pipelines.golden.importers.files import take_files
from pipelines.golden.importers.question_table import read_questions_table
from pipelines.golden.importers.sources import need_folder
from pipelines.stages.load import read_text, readable_suffixes, sources_of
from pipelines.stages.load.files import files_below, holds, ids_of
from pipelines.stages.load.reading import named

_WANTED = "the format is a CSV file with question, answer, document_id and quote, beside a folder of documents"
_PREFERRED = "documents"


@importer("csv", "a CSV file beside a folder of documents, or the folder that holds both")
def read(src: Path) -> Draft:
    """Read the table and the texts beside it; where there is a folder `documents`, only that."""
    table = _table(src)
    files, others = _texts(table)
    root = _root(files)
    draft = Draft(source=table.name)
    if others:
        some = ", ".join(shorten(path.name, 40) for path in others[:5])
        draft.notices.append(f"Files that are not text were left out (n: {len(others)}): {some}.")
    take_files(draft, sources_of(files, root))
    read_questions_table(read_text(table), named(table), _aliases(draft, files, root, table.parent), draft)
    return draft


def _table(src: Path) -> Path:
    """Return the CSV file: `src`, or the only one that the folder `src` holds."""
    if src.is_file():
        return src
    folder = need_folder(src, _WANTED)
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".csv", ".tsv") and path.is_file())
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} CSV files" if found else "no CSV file"
    raise DatasetError(f"{named(folder)} holds {what} ({holds(folder)}); {_WANTED}: name the CSV file.")


def _texts(table: Path) -> tuple[list[Path], list[Path]]:
    """Return the text files beside the table, and the files that are none."""
    preferred = table.parent / _PREFERRED
    folder = preferred if preferred.is_dir() else table.parent
    files = [path for path in files_below(folder) if path != table]
    # Beside a table of questions lie other tables that are none of the documents.
    known = set(readable_suffixes()) - (set() if preferred.is_dir() else {".csv", ".tsv"})
    found = [path for path in files if path.suffix.lower() in known]
    if not found:
        endings = ", ".join(sorted(known))
        raise DatasetError(f"{named(folder)} holds no text files ({endings}; {holds(folder)}); {_WANTED}: add them.")
    return found, [path for path in files if path.suffix.lower() not in known]


def _root(files: list[Path]) -> Path:
    """Return the deepest folder that holds all files: ids are paths below it."""
    return next(parent for parent in files[0].parents if all(file.is_relative_to(parent) for file in files))


def _aliases(draft: Draft, files: list[Path], root: Path, beside: Path) -> Aliases:
    names = [path.relative_to(root).as_posix() for path in files]
    longer = [path.relative_to(beside).as_posix() for path in files]
    ids = ids_of(names)
    pairs = [*zip(names, ids, strict=True), *zip(longer, ids, strict=True)]
    return Aliases((document.id for document in draft.documents), pairs)
