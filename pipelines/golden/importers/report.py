"""A draft to a dataset folder, and the report of what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipelines.errors import DatasetError, shorten
from pipelines.golden.importers.draft import Draft, Problem
from pipelines.golden.importers.kept import keeps_files, settle_files
from pipelines.golden.importers.settle import settle
from pipelines.golden.write import write_dataset, write_files

_TOLD = 3


@dataclass(frozen=True)
class ImportReport:
    """What was imported, what was not (`problems`, and `left_out` by question id), and what to know (`notices`)."""

    dataset_path: Path
    name: str
    n_documents: int
    n_questions: int
    n_evidence: int
    problems: tuple[Problem, ...] = ()
    left_out: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 when all was imported, else 2."""
        return 2 if self.problems else 0

    def summary(self) -> str:
        """Say in a few sentences what is there now, and what is not."""
        told = f": {self._told()}" if self.problems else ""
        return " ".join((self._what_failed(told), self._what_else())).strip()

    def shortly(self) -> str:
        """Say what `summary` says beside a list of the problems."""
        return " ".join((self._what_failed(", as listed below."), self._what_else())).strip()

    def _what_failed(self, told: str) -> str:
        if not self.problems:
            return self.headline()
        return f"{self.headline()} {len(self.problems):,} could not be imported as given{told}"

    def _what_else(self) -> str:
        parts = []
        if self.left_out:
            parts.append(f"Questions left out: {len(self.left_out):,}.")
        if self.notices:
            parts.append(f"To know: {' '.join(self.notices[:_TOLD])}{_more(len(self.notices))}")
        return " ".join(parts)

    def headline(self) -> str:
        """Say in one sentence what is there now."""
        counts = (
            f"{self.n_documents:,} documents, {self.n_questions:,} questions and {self.n_evidence:,} pieces of evidence"
        )
        return f"Imported '{shorten(self.name)}': {counts}, in {self.dataset_path}."

    def _told(self) -> str:
        return " ".join(problem.message for problem in self.problems[:_TOLD]) + _more(len(self.problems))


def _more(n: int) -> str:
    return f" And {n - _TOLD:,} more." if n > _TOLD else ""


def finish(draft: Draft, dest: str | Path, name: str | None, overwrite: bool = False) -> ImportReport:
    """Look the evidence up, write the dataset, and report.

    Raises:
        DatasetError: when no question at all could be used, or the dataset cannot be written there.
    """
    keeps = keeps_files(draft)
    questions, left_out = settle_files(draft) if keeps else settle(draft)
    if draft.problems and not questions:
        first = draft.problems[0].message
        raise DatasetError(f"None of the questions could be imported, so nothing was written. {first}")
    write = (
        partial(write_files, dest, {source.file: source.path for source in draft.files})
        if keeps
        else (partial(write_dataset, dest, draft.documents))
    )
    folder = write(
        questions,
        name=name,
        description=draft.description,
        licence=draft.licence,
        source=draft.source,
        overwrite=overwrite,
    )
    return ImportReport(
        dataset_path=folder,
        name=name or folder.name,
        n_documents=len(draft.documents),
        n_questions=len(questions),
        n_evidence=sum(len(question.evidence) for question in questions),
        problems=(*draft.unread, *draft.problems),
        left_out=tuple(left_out),
        notices=tuple(draft.notices),
    )
