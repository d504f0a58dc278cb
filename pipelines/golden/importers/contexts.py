"""Test sets whose gold is text: each reference context is found in the source documents, or becomes one itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import DatasetError, shorten
from pipelines.golden.folding import Folded, fold
from pipelines.golden.importers.draft import Draft, Problem
from pipelines.golden.importers.files import take_files
from pipelines.records import Document, Evidence, Question
from pipelines.stages.load import read_text, readable_suffixes, sources_of
from pipelines.stages.load.files import files_below
from pipelines.stages.load.reading import clean, named, parse_json

SOURCE_FOLDERS = ("source_files", "documents")
_PART_CHARS = 60
_NAMED = 3


@dataclass(frozen=True)
class Asked:
    """A question of a test set: its text, the answer, and the texts that answer it."""

    text: str
    answer: str | None
    contexts: tuple[str, ...]
    tags: tuple[str, ...] = ()
    id: str = ""


def add_questions(draft: Draft, asked: Sequence[Asked], folder: Path) -> None:
    """Add questions to a draft, their contexts anchored in the documents below `folder`, where there are any.

    Without source documents every distinct context is a document. A question without a context is a problem: nothing
    says that it is meant to be unanswerable.
    """
    root = next((folder / name for name in SOURCE_FOLDERS if (folder / name).is_dir()), None)
    places = _Contexts() if root is None else _Anchored(draft, root)
    for number, one in enumerate(asked, start=1):
        question_id = one.id or f"q{number:04d}"
        contexts = [context for context in one.contexts if context.strip()]
        if not contexts:
            message = f"Question '{question_id}' has no reference context, so nothing says what is to be found."
            draft.problems.append(Problem(question_id, message))
            draft.failed.add(question_id)
        evidence = [item for context in dict.fromkeys(contexts) if (item := places.find(context, question_id))]
        draft.failed |= {question_id} if len(evidence) < len(set(contexts)) else set()
        draft.questions.append(Question(question_id, one.text, one.answer, None, one.tags, {}, tuple(evidence)))
    places.finish(draft)


@dataclass
class _Contexts:
    """Every distinct context as a document of its own."""

    documents: dict[str, Document] = field(default_factory=dict)

    def find(self, context: str, question_id: str) -> Evidence | None:
        """Return the whole document that a context is."""
        known = self.documents.get(context)
        if known is None:
            known = self.documents[context] = Document(f"context-{len(self.documents) + 1:04d}", context)
        return Evidence(known.id)

    def finish(self, draft: Draft) -> None:
        """Hand over the documents."""
        draft.documents += self.documents.values()
        folders = " or ".join(f"'{name}'" for name in SOURCE_FOLDERS)
        draft.notices.append(
            f"There is no folder {folders} with the source documents beside it, so that each of the "
            f"{len(self.documents):,} distinct contexts became a document: chunkings cannot differ much on these."
        )


class _Anchored:
    """Contexts looked up in the source documents: exactly, then with white space and typography made equal."""

    def __init__(self, draft: Draft, root: Path) -> None:
        self._read(draft, root)
        self.documents = list(draft.documents)
        self._folded: list[Folded] | None = None
        self._known: dict[str, Evidence | None] = {}
        self._missing: dict[str, list[str]] = {}
        self._repeated: list[str] = []
        self._n_folded = 0

    @staticmethod
    def _read(draft: Draft, root: Path) -> None:
        files = files_below(root)
        readable = [path for path in files if path.suffix.lower() in readable_suffixes()]
        if not readable:
            endings = ", ".join(readable_suffixes())
            raise DatasetError(f"The folder '{root.name}' holds no documents that can be read ({endings}); add them.")
        if others := [path.name for path in files if path not in readable]:
            some = ", ".join(shorten(name, 40) for name in others[:5])
            draft.notices.append(
                f"Files of '{root.name}' that cannot be read were left out (n: {len(others)}): {some}."
            )
        take_files(draft, sources_of(readable, root))

    def find(self, context: str, question_id: str) -> Evidence | None:
        """Return where a context stands, None where it does not."""
        if context not in self._known:
            self._known[context] = self._exactly(context) or self._roughly(context)
        found = self._known[context]
        if found is None:
            self._missing.setdefault(context, []).append(question_id)
        return found

    def _exactly(self, context: str) -> Evidence | None:
        for wanted in dict.fromkeys((context, context.strip())):
            places = [(i, at) for i, d in enumerate(self.documents) if (at := d.text.find(wanted)) >= 0]
            if places:
                n_places = sum(self.documents[i].text.count(wanted) for i, _ in places)
                return self._at(context, places[0][0], (places[0][1], places[0][1] + len(wanted)), n_places)
        return None

    def _roughly(self, context: str) -> Evidence | None:
        wanted = fold(context).text.strip()
        places = [(i, at) for i, text in enumerate(self.folded) if wanted and (at := text.text.find(wanted)) >= 0]
        if not places:
            return None
        self._n_folded += 1
        first, at = places[0]
        n_places = sum(self.folded[i].text.count(wanted) for i, _ in places)
        return self._at(context, first, self.folded[first].span(at, at + len(wanted)), n_places)

    @property
    def folded(self) -> list[Folded]:
        """The documents with white space and typography folded, each once."""
        if self._folded is None:
            self._folded = [fold(document.text) for document in self.documents]
        return self._folded

    def _at(self, context: str, document: int, span: tuple[int, int], n_places: int) -> Evidence:
        found = self.documents[document]
        if n_places > 1:
            self._repeated.append(f"'{shorten(context, 40)}' ({n_places} places, first in '{shorten(found.id, 40)}')")
        return Evidence(found.id, *span, found.text[slice(*span)])

    def finish(self, draft: Draft) -> None:
        """Report what was not found, and what was found otherwise than as it is."""
        for context, questions in self._missing.items():
            why, near = self._why(context)
            asked = ", ".join(shorten(name, 40) for name in questions[:_NAMED])
            more = f" and {len(questions) - _NAMED} more" if len(questions) > _NAMED else ""
            message = (
                f"The context '{shorten(context, 60)}' (of {asked}{more}) is in none of the documents "
                f"(n: {len(self.documents):,}): {why}; correct it, or add its document."
            )
            draft.problems.append(Problem(questions[0], message, near))
        if self._n_folded:
            draft.notices.append(f"Contexts found with white space and typography made equal (n: {self._n_folded:,}).")
        if self._repeated:
            some = ", ".join(self._repeated[:_NAMED])
            draft.notices.append(
                f"Contexts that stand in several places, of which the first is taken (n: {len(self._repeated):,}): "
                f"{some}."
            )

    def _why(self, context: str) -> tuple[str, str]:
        """Say which part of a context there is, and return what the document has from there on."""
        wanted = fold(context).text.strip()
        if not wanted:
            return "it holds nothing to look for", ""
        middle = max(0, (len(wanted) - _PART_CHARS) // 2)
        parts = {"its beginning": 0, "its end": max(0, len(wanted) - _PART_CHARS), "its middle": middle}
        for name, start in parts.items():
            part = wanted[start : start + _PART_CHARS]
            for document, text in zip(self.documents, self.folded, strict=True):
                at = text.text.find(part) if len(part) >= _PART_CHARS // 2 else -1
                if at >= 0:
                    first, last = text.span(at, min(len(text.text), at + 2 * _PART_CHARS))
                    return f"{name} is in '{shorten(document.id, 60)}', and the rest differs", document.text[first:last]
        return "no part of it is there", ""


def json_in(path: Path) -> object:
    """Return what a JSON file holds.

    Raises:
        DatasetError: for a file that is none, such as the pointer that git-lfs leaves in the place of a large one.
    """
    text = read_text(path)
    if text.startswith("version https://git-lfs"):
        raise DatasetError(f"{named(path)} is a git-lfs pointer and not the file itself; fetch it with: git lfs pull.")
    try:
        return parse_json(text)
    except ValueError as error:
        raise DatasetError(f"{named(path)} is not JSON ({shorten(error, 60)}); save it again in full.") from error


def reference_text(value: object) -> str | None:
    """Return an answer as text, None for none; of a list the first that says something."""
    values = value if isinstance(value, list) else [value]
    texts = [clean(str(one)).strip() for one in values if one is not None]
    return next((text for text in texts if text), None)
