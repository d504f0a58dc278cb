"""Rerank: the retrieved chunks in a better order."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Self, TypeAlias

import numpy as np
from pydantic import Field

from pipelines.component import Component
from pipelines.progress import Keep, Progress, nothing, silent
from pipelines.records import PADDING, BoolArray, Chunks, FloatArray, MetadataValue, Rankings
from pipelines.records.training import Training
from pipelines.training.knobs import PairKnobs
from pipelines.training.lesson import PairLesson, Workshop

Pair = tuple[str, str]
"""A question and the text of a chunk."""

Header: TypeAlias = Literal["none", "title", "section", "title-section", "title-section-table"]
"""What a reranker reads before a chunk's text, beside the text itself."""


@dataclass(frozen=True)
class Circumstances:
    """What is known of the chunks and of how they were found, for a reranker that `needs_circumstances`.

    The chunks' columns include the section that each begins in, and the first line of its document. `leaves` are the
    rankings by each searcher of a fusion, none where nothing was fused; `known` are the values that each question is
    labelled with.
    """

    chunks: Chunks
    leaves: Mapping[str, Rankings]
    known: Sequence[Mapping[str, MetadataValue]]

    def only(self, row: int) -> Circumstances:
        """Return those of one question."""
        leaves = {name: _row(ranking, row) for name, ranking in self.leaves.items()}
        return Circumstances(self.chunks, leaves, self.known[row : row + 1])


def _row(rankings: Rankings, row: int) -> Rankings:
    return Rankings(rankings.chunk[row : row + 1], rankings.score[row : row + 1])


@dataclass(frozen=True)
class Retrieved:
    """What may be looked at; row q of `rankings` and `question_vectors` belongs to question q.

    `texts` are the chunks'. Vectors are unit length, and None unless `needs_vectors`.
    """

    rankings: Rankings
    questions: Sequence[str]
    texts: Sequence[str]
    vectors: FloatArray | None = None
    question_vectors: FloatArray | None = None
    circumstances: Circumstances | None = None

    def only(self, row: int) -> Retrieved:
        """Return what may be looked at for one question alone."""
        own = None if self.question_vectors is None else self.question_vectors[row : row + 1]
        about = None if self.circumstances is None else self.circumstances.only(row)
        return Retrieved(_row(self.rankings, row), self.questions[row : row + 1], self.texts, self.vectors, own, about)


class Reranker(Component, stage="rerank"):
    """Reorders rankings. It may drop chunks and never adds any."""

    needs_vectors: ClassVar[bool] = False
    needs_texts: ClassVar[bool] = False
    needs_circumstances: ClassVar[bool] = False

    def decides(self) -> str:
        """Return a digest of all that decides the order, given equal inputs."""
        return self.fingerprint()

    def fits(self) -> bool:
        """Whether it must learn from the train split before it can rerank."""
        return False

    def reads_before(self) -> Header:
        """Return what stands before each chunk's text in the texts that it is handed: for most, nothing."""
        return "none"

    @abstractmethod
    def rerank(self, retrieved: Retrieved, progress: Progress = silent) -> Rankings:
        """Return the new rankings, with falling scores."""


class FittedReranker(Reranker):
    """Learns from the train split. What is kept is what it learns from, a table; the model is made of that each time.

    The table's key holds the train questions, their evidence and all that the features are made of.
    """

    needs_texts = True
    needs_circumstances = True

    coverage: float = Field(
        0.5,
        gt=0.0,
        le=1.0,
        description="Share of a piece of evidence, or of the chunk if shorter, that makes a chunk relevant",
    )
    depth: int = Field(
        50,
        ge=1,
        le=1000,
        description="Ranks that are scored; what lies below is dropped",
        json_schema_extra={"unit": "chunks"},
    )

    def fits(self) -> bool:
        """Whether it must learn from the train split before it can rerank: always."""
        return True

    @abstractmethod
    def table_identity(self) -> Mapping[str, object]:
        """Return the knobs that decide the table that is learnt from, and not how it is learnt."""

    @abstractmethod
    def table(self, retrieved: Retrieved, relevant: BoolArray) -> Training:
        """Return what is learnt from what was retrieved for the train questions.

        `relevant` is bool [n_questions, depth]: which of the first `depth` chunks answer.
        """

    @abstractmethod
    def learnt(self, training: Training) -> Self:
        """Return the reranker as it can rerank: of equal tables equal ones, to the bit."""


class PairReranker(Reranker):
    """Orders by a score that depends on the question's and the chunk's text alone, so a pair is scored once for ever.

    Scores fall, and of equal ones the better former rank comes first; what lies below `depth` is dropped.
    """

    needs_texts = True

    depth: int = Field(
        20,
        ge=1,
        le=1000,
        description="Ranks that are scored; what lies below is dropped",
        json_schema_extra={"unit": "chunks"},
    )

    @abstractmethod
    def pair_identity(self) -> Mapping[str, object]:
        """Return all that decides a pair's score besides its texts: neither depth nor batch size."""

    @abstractmethod
    def score_pairs(self, pairs: Sequence[Pair], progress: Progress = silent, *, keep: Keep = nothing) -> FloatArray:
        """Return one score a pair, float32 [n_pairs, 1], handing finished ones to `keep` as they come."""

    def rerank(self, retrieved: Retrieved, progress: Progress = silent) -> Rankings:
        """Return the first `depth` chunks of each question, reordered, every pair scored here and now."""
        return self.ranked(retrieved, self.score_pairs(pairs_of(retrieved, self.depth), progress))

    def ranked(self, retrieved: Retrieved, scores: FloatArray) -> Rankings:
        """Return the rankings that the pairs' scores make, float32 [n_pairs, 1] in order of `pairs_of`."""
        return ordered(retrieved, self.depth, scores)


class TrainedReranker(PairKnobs, PairReranker):
    """A pair reranker whose model is trained on the golden set's train split: the folder that `train` wrote, opened.

    Its pairs are mined by the packaged encoder and by BM25, whatever the pipeline retrieves by: one training serves all
    retrievers of a grid.
    """

    header: Header = Field(
        "title-section",
        description="What is read before each chunk's text: the document's title, the section path, the header row of "
        "a table that goes on",
    )

    def reads_before(self) -> Header:
        """Return what is read before each chunk's text."""
        return self.header

    def fits(self) -> bool:
        """Whether it must learn from the train split before it can rerank: always."""
        return True

    @abstractmethod
    def chosen_by(self) -> str:
        """Return the metric of the dev questions that decides where training stops; "" where none does."""

    @abstractmethod
    def training_identity(self) -> Mapping[str, object]:
        """Return what besides the data decides what `train` writes, as plain JSON values."""

    @abstractmethod
    def train(self, lesson: PairLesson, folder: Path, workshop: Workshop) -> None:
        """Write the trained model into the empty `folder`: of equal lessons equal weights.

        Raises:
            Cancelled: when `workshop.progress` does; what was learnt up to the last checkpoint is kept.
            DatasetError: when there are too few pairs.
            StorageError: when the disk is full.
        """

    @abstractmethod
    def opened(self, trained: Path) -> Self:
        """Return the reranker as it can rerank, with the model of the folder `trained`, whose name is its key."""


def pairs_of(retrieved: Retrieved, depth: int) -> list[Pair]:
    """Return question and text of every chunk of the first `depth` ranks, question by question, in order of rank."""
    chunk = retrieved.rankings.cut(depth).chunk
    rows, ranks = np.nonzero(chunk != PADDING)
    found = zip(rows.tolist(), chunk[rows, ranks].tolist(), strict=True)
    return [(retrieved.questions[row], retrieved.texts[one]) for row, one in found]


def ordered(retrieved: Retrieved, depth: int, scores: FloatArray) -> Rankings:
    """Return the first `depth` ranks by falling score, equal ones by former rank; `scores` are those of `pairs_of`."""
    former = retrieved.rankings.cut(depth)
    table = np.full(former.chunk.shape, -np.inf, dtype=np.float32)
    table[former.chunk != PADDING] = scores.reshape(-1)
    order = np.argsort(-table, axis=1, kind="stable")
    table = np.take_along_axis(table, order, axis=1)
    chunk = np.take_along_axis(former.chunk, order, axis=1)
    return Rankings(chunk, np.where(chunk == PADDING, np.float32(0), table))
