"""A dataset folder: opened and hashed at once, its documents parsed when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.cache import Cache
from pipelines.errors import DatasetError, did_you_mean, shorten
from pipelines.golden.manifest import Manifest, read_manifest
from pipelines.golden.opening import QUESTIONS_FILE, read_questions, refuse_other_than_dataset, versions
from pipelines.golden.origin import origin_of
from pipelines.golden.resolve import Resolution, resolution
from pipelines.progress import Progress, silent
from pipelines.records import SPLITS, Documents, Question
from pipelines.settings import cache_folder
from pipelines.stages.load import Loaded, Loader, loaders
from pipelines.stages.load.reading import named, reading


@dataclass(frozen=True, eq=False)
class _Parsed:
    """The documents as one loader reads them, and the questions located in them."""

    loaded: Loaded
    documents: Documents
    resolution: Resolution


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
    _loaded: dict[str, _Parsed] = field(default_factory=dict, repr=False, compare=False)

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
        return self._load(loader).documents

    def load(self, loader: Loader, progress: Progress = silent, cache: Cache | None = None) -> tuple[Documents, Loaded]:
        """Return the documents, and with them what could not be read and what is to know of the files.

        What is parsed is kept in `cache`, each file by its content.

        Raises:
            DatasetError: as `documents` does.
        """
        parsed = self._load(loader, progress, cache)
        return parsed.documents, parsed.loaded

    def resolution(
        self, questions: Sequence[Question], documents: Documents, loader: Loader | None = None
    ) -> Resolution:
        """Return questions of this dataset with their evidence located in `documents`, which `loader` has read.

        Raises:
            DatasetError: for evidence that does not fit.
        """
        lines = dict(zip((question.id for question in self.questions), self.lines, strict=True))
        file = named(self.path / QUESTIONS_FILE)
        wheres = [f"{file}, line {lines[q.id]}" if q.id in lines else file for q in questions]
        return resolution(questions, documents, wheres, origin_of(self.path, loader))

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

        A quote that a parsed file lacks keeps its text and has no span.

        Raises:
            DatasetError: as `select` and `documents` do.
        """
        return self._of_split(self._load(loader).resolution.questions, split)

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

    def _load(self, loader: Loader | None, progress: Progress = silent, cache: Cache | None = None) -> _Parsed:
        chosen = loader or loaders()["auto"]()
        key = chosen.fingerprint()
        if key not in self._loaded:
            loaded = chosen.read(self.path, progress, cache or Cache(cache_folder()))
            self._refuse_changed()
            documents = Documents.of(loaded.documents)
            self._loaded[key] = _Parsed(loaded, documents, self.resolution(self.questions, documents, chosen))
        return self._loaded[key]

    def _refuse_changed(self) -> None:
        """Results are kept under the version of the files: they must not have changed since."""
        if versions(self.path)[1] != self.documents_version:
            raise DatasetError(f"The documents of {named(self.path)} changed while they were in use; start again.")
