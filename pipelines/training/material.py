"""What training pairs are made of: the train questions, the corpus as it is cut, and what two searches find in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.records import Chunks, Documents, FloatArray, Gold, Question, Rankings
from pipelines.records.pairs import LeftOut, Passage, Written
from pipelines.training.strikes import Strike


@dataclass(frozen=True)
class Searched:
    """What two searches find for some questions: row q of all is of question q.

    `rankings` are over all chunks, by what found them ("model", "bm25"); `vectors` are the base model's, float32
    [n_questions, dimensions].
    """

    rankings: Mapping[str, Rankings]
    vectors: FloatArray

    def of_rows(self, rows: Sequence[int]) -> Searched:
        """Return what is found for some of the questions."""
        at = list(rows)
        own = {name: Rankings(one.chunk[at], one.score[at]) for name, one in self.rankings.items()}
        return Searched(own, self.vectors[at])


@dataclass(frozen=True)
class Material:
    """Row q of `gold`, `rankings`, `question_vectors` is of question q, row c of `texts` and `vectors` of chunk c.

    `texts` are what is embedded: a chunk's text with its header. `rankings` are those of the train questions over all
    chunks, by what found them ("model", "bm25"); vectors are the base model's, None where nothing needs them.
    `left_out` are the questions that were left out before, `strikes` what a person struck out. `held_out_gold` is the
    evidence of the dev and test questions: needed where pairs are made of more than marked evidence.
    `written` are questions that a language model wrote, and `written_found` what is found for them.
    """

    questions: Sequence[Question]
    gold: Gold
    documents: Documents
    chunks: Chunks
    texts: Sequence[str]
    rankings: Mapping[str, Rankings] = field(default_factory=dict)
    vectors: FloatArray | None = None
    question_vectors: FloatArray | None = None
    left_out: Sequence[LeftOut] = ()
    strikes: Sequence[Strike] = ()
    held_out_gold: Gold | None = None
    written: Sequence[Written] = ()
    written_found: Searched | None = None

    def passage(self, chunk: int, score: float | None = None) -> Passage:
        """Return a chunk as a passage."""
        document = self.documents.ids[int(self.chunks.document[chunk])]
        start, end = int(self.chunks.start[chunk]), int(self.chunks.end[chunk])
        return Passage(document, start, end, self.texts[chunk], score)


def cosines(vectors: FloatArray, to: FloatArray) -> FloatArray:
    """Return the cosine of each row of `vectors`, [n, dimensions], to the vector `to`: float32 [n]."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) * np.sqrt(to @ to)
    found: FloatArray = (vectors @ to / np.maximum(lengths, np.float32(1e-12))).astype(np.float32)
    return found
