"""Embed: texts into vectors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from pipelines.component import Component
from pipelines.progress import Keep, Progress, nothing, silent
from pipelines.records import Documents, FloatArray
from pipelines.stages.embed.headers import Header
from pipelines.training.knobs import PairKnobs
from pipelines.training.lesson import Lesson, Workshop


@dataclass(frozen=True)
class Embedded:
    """Vectors, float32 [n_texts, dimensions], and how many texts were longer than the model reads.

    `note` says what the user should know of how they came, such as what an endpoint charged; "" for nothing.
    """

    vectors: FloatArray
    n_truncated: int = 0
    max_tokens: int | None = None
    note: str = ""


class Embedder(Component, stage="embed"):
    """Turns texts into vectors whose nearness is nearness of meaning.

    A vector depends on its text, and on the fitted folder where there is one, alone: never on the texts beside it,
    their order, the batch size or the number of threads, to the bit. So vectors are kept by text, for ever.
    """

    fits_documents: ClassVar[bool] = True
    """Whether what `fit` writes depends on the documents; else it is made once for all corpora."""

    header: Header = Field(
        "none",
        description=(
            "What is embedded before each chunk's text, and nowhere else seen: the document's title, the section path, "
            "the header row of a table that goes on"
        ),
    )
    """A header is a part of the text that is embedded: it changes no query's vector and no kept vector's key."""

    def fits(self) -> bool:
        """Whether something must be made of the corpus before texts can be embedded, on this machine."""
        return False

    def fit_identity(self) -> Mapping[str, object]:
        """Return what besides the documents decides what `fit` writes, as plain JSON values."""
        return {}

    def fit(self, documents: Documents, folder: Path, progress: Progress = silent) -> None:
        """Write into the empty `folder` what this embedder needs of the corpus: equal documents, equal bytes."""

    def beneath(self) -> Embedder:
        """Return the embedder whose vectors are kept by text, and which `shape` makes this one's: mostly itself."""
        return self

    def shape(self, vectors: FloatArray, *, queries: bool, fitted: Path | None) -> FloatArray:
        """Return this embedder's vectors, float32 [n, dimensions], of those of the one `beneath`, row by row."""
        return vectors

    def of_documents(self) -> Embedder:
        """Return the embedder that embeds documents as this one does, in fewest steps: mostly itself.

        One that treats queries alone apart from another returns that: documents are then embedded and indexed once.
        """
        return self

    @abstractmethod
    def embed_documents(
        self, texts: Sequence[str], progress: Progress = silent, *, fitted: Path | None = None, keep: Keep = nothing
    ) -> Embedded:
        """Return one vector a text.

        `fitted` is the folder that `fit` wrote, for an embedder that `fits`. `keep` is handed finished work after each
        batch: positions in `texts` (of equal texts the first), and float32 [n, dimensions + 2], which are the vectors,
        then each text's length and the length that the model reads, both in tokens.
        """

    def embed_queries(
        self, texts: Sequence[str], progress: Progress = silent, *, fitted: Path | None = None, keep: Keep = nothing
    ) -> Embedded:
        """Return one vector a query; like `embed_documents` unless a model treats queries apart."""
        return self.embed_documents(texts, progress, fitted=fitted, keep=keep)


class TrainedEmbedder(PairKnobs, Embedder):
    """Is trained on the golden set's train split before it embeds: the folder that `train` wrote is its `fitted`.

    The training's key holds the pairs, the dev questions where they decide, and `training_identity`; nothing else.
    """

    def fits(self) -> bool:
        """Whether something must be made before texts can be embedded: always."""
        return True

    @abstractmethod
    def base(self) -> Embedder:
        """Return the embedder of the base model: it mines negatives, and says how good the base is."""

    @abstractmethod
    def chosen_by(self) -> str:
        """Return the metric of the dev questions that decides where training stops; "" where none does."""

    @abstractmethod
    def training_identity(self) -> Mapping[str, object]:
        """Return what besides the data decides what `train` writes, as plain JSON values."""

    @abstractmethod
    def train(self, lesson: Lesson, folder: Path, workshop: Workshop) -> None:
        """Write the trained model into the empty `folder`: of equal lessons equal weights.

        Raises:
            Cancelled: when `workshop.progress` does; what was learnt up to the last checkpoint is kept.
            DatasetError: when there are too few pairs.
            StorageError: when the disk is full.
        """
