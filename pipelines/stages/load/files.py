"""Which files of a folder are documents, and what they are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from pipelines.errors import DatasetError, shorten
from pipelines.stages.load.reading import clean, named, reading

DOCUMENTS_FILE = "documents.jsonl"
DOCUMENTS_FOLDER = "documents"


def files_below(folder: Path) -> list[Path]:
    """List the files below `folder`, in order of their POSIX path; hidden and temporary ones are left out.

    Raises:
        DatasetError: for a symbolic link, which could lead out of the folder, or a folder that cannot be read.
    """
    with reading(folder):
        found = list(_walk(folder))
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if passed_over(path.name):
            continue
        refuse_link(path)
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path


def passed_over(name: str) -> bool:
    """Whether a file of this name is an editor's or the system's, not the user's."""
    return name.startswith((".", "~$")) or name.endswith(("~", ".tmp")) or name in ("Thumbs.db", "desktop.ini")


def refuse_link(path: Path) -> None:
    """Let only files of the folder itself pass.

    Raises:
        DatasetError: for a symbolic link.
    """
    if path.is_symlink():
        found = f"{named(path)} is a symbolic link, and a dataset holds its own files only"
        raise DatasetError(f"{found}; put a copy there instead.")


def document_files(folder: Path) -> list[Path]:
    """Return the files that hold the documents of a dataset folder: `documents.jsonl`, or else all below `documents/`.

    Raises:
        DatasetError: when there is neither, or `documents/` is empty.
    """
    rows, tree = folder / DOCUMENTS_FILE, folder / DOCUMENTS_FOLDER
    with reading(folder):
        for path in (rows, tree):
            refuse_link(path)
        if rows.is_file():
            return [rows]
        if not tree.is_dir():
            wanted = f"put {DOCUMENTS_FILE} there, or a folder '{DOCUMENTS_FOLDER}' with text files"
            raise DatasetError(f"{named(folder)} has no documents ({holds(folder)}); {wanted}.")
    found = files_below(tree)
    if not found:
        raise DatasetError(f"{named(tree)} is empty; put at least one text, Markdown or JSONL file there.")
    return found


def holds(folder: Path, limit: int = 5) -> str:
    """Say what a folder holds, in a few words."""
    if not folder.is_dir():
        return "it is not a folder"
    names = sorted(path.name for path in folder.iterdir() if not passed_over(path.name))
    shown = ", ".join(shorten(name, 40) for name in names[:limit])
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"it holds {shown}{more}" if names else "it is empty"


def ids_of(names: Sequence[str]) -> list[str]:
    """Return a document id for each relative POSIX path: without its suffix, unless two files would then share it."""
    paths = [PurePosixPath(clean(name)) for name in names]
    stems = [path.with_suffix("").as_posix() for path in paths]
    count, taken = Counter(stems), {path.as_posix() for path in paths if path.suffix}
    return [
        stem if count[stem] == 1 and stem not in taken else path.as_posix()
        for stem, path in zip(stems, paths, strict=True)
    ]
