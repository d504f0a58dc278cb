"""What training pairs are made of: the train questions, the corpus as it is cut, and what two searches find in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.records import Chunks, Documents, FloatArray, Gold, Question, Rankings
from pipelines.records.pairs import LeftOut


@dataclass(frozen=True)
class Material:
    """Row q of `gold`, `rankings`, `question_vectors` is of question q, row c of `texts` and `vectors` of chunk c.

    `texts` are what is embedded: a chunk's text with its header. `rankings` are those of the train questions over all
    chunks, by what found them ("model", "bm25"); vectors are the base model's, None where nothing needs them.
    `left_out` are the questions that were left out before.
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
