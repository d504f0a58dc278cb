"""A dataset folder: opened and hashed at once, its documents parsed when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import DatasetError, did_you_mean, shorten
from pipelines.golden.manifest import Manifest, read_manifest
from pipelines.golden.opening import QUESTIONS_FILE, read_questions, refuse_other_than_dataset, versions
from pipelines.golden.resolve import resolve
from pipelines.records import SPLITS, Documents, Question
from pipelines.stages.load import Loader, loaders
from pipelines.stages.load.reading import named, reading


@dataclass(frozen=True, eq=False)
class Dataset:
    """Documents and the questions asked of them, as a folder holds them.

    `version` is the hash of all its bytes, `documents_version` of its documents' alone (32 hexadecimal digits each);
    `fields` are the declared types of metadata; `lines[i]` is where `questions[i]` stands in questions.jsonl.
    """

    path: Path
    manifest: Manifest
    questions: tuple[Question, ...]
    lines: tuple[int, ...]
    version: str
    documents_version: str
    _loaded: dict[str, tuple[Documents, tuple[Question, ...]]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, path: str | Path) -> Dataset:
        """Open a dataset folder: questions are read, documents only hashed.

        Raises:
            DatasetError: for the first thing that is not as docs/datasets.md says.
        """
        folder = Path(path)
        with reading(folder):
            refuse_other_than_dataset(folder)
            manifest = read_manifest(folder)
            lines, questions = read_questions(folder / QUESTIONS_FILE)
            version, documents_version = versions(folder)
        return cls(folder, manifest, questions, lines, version, documents_version)

    @property
    def name(self) -> str:
        """What the dataset is called."""
        return self.manifest.name

    @property
    def description(self) -> str:
        """What it holds, in its author's words."""
        return self.manifest.description

    @property
    def licence(self) -> str:
        """On what terms it may be used."""
        return self.manifest.licence

    @property
    def source(self) -> str:
        """Where it comes from."""
        return self.manifest.source

    @property
    def fields(self) -> Mapping[str, str]:
        """The declared metadata fields and their types."""
        return self.manifest.fields

    def documents(self, loader: Loader | None = None) -> Documents:
        """Parse the documents, once a loader, and validate all questions against them.

        Raises:
            DatasetError: for a document that cannot be read, or evidence that does not fit.
        """
        return self._load(loader)[0]

    def validate(self, loader: Loader | None = None) -> None:
        """Check all of it.

        Raises:
            DatasetError: for the first thing that is wrong.
        """
        self._load(loader)

    def select(self, split: str | None = None) -> tuple[Question, ...]:
        """Return the questions of one split, or all; evidence may still lack the span of its quote (see `resolved`).

        Raises:
            DatasetError: when there are none, naming the splits that exist.
        """
        return self._of_split(self.questions, split)

    def resolved(self, split: str | None = None, loader: Loader | None = None) -> tuple[Question, ...]:
        """Return the questions of one split, or all, every quote located in the documents.

        Raises:
            DatasetError: as `select` and `documents` do.
        """
        return self._of_split(self._load(loader)[1], split)

    def _of_split(self, questions: tuple[Question, ...], split: str | None) -> tuple[Question, ...]:
        if split is not None and split not in SPLITS:
            guess = did_you_mean(split, SPLITS)
            raise DatasetError(
                f"There is no split '{shorten(split)}'; splits are {', '.join(SPLITS)}: choose one.{guess}"
            )
        chosen = tuple(question for question in questions if split is None or question.split == split)
        if not chosen:
            wanted = "no questions" if split is None else f"no questions in the split '{split}'"
            raise DatasetError(f"Dataset '{shorten(self.name)}' has {wanted}; {self._splits()}.")
        return chosen

    def _splits(self) -> str:
        """Say which splits there are."""
        count = Counter(question.split or "no split" for question in self.questions)
        there = ", ".join(f"{name} ({n})" for name, n in sorted(count.items()))
        return f"it has {there}: choose one of these, or all questions" if there else f"add some to {QUESTIONS_FILE}"

    def _load(self, loader: Loader | None) -> tuple[Documents, tuple[Question, ...]]:
        chosen = loader or loaders()["auto"]()
        key = chosen.fingerprint()
        if key not in self._loaded:
            documents = chosen.load(self.path)
            self._refuse_changed()
            wheres = [f"{named(self.path / QUESTIONS_FILE)}, line {line}" for line in self.lines]
            self._loaded[key] = documents, resolve(self.questions, documents, wheres)
        return self._loaded[key]

    def _refuse_changed(self) -> None:
        """Results are kept under the version of the files: they must not have changed since."""
        if versions(self.path)[1] != self.documents_version:
            raise DatasetError(f"The documents of {named(self.path)} changed while they were in use; start again.")
