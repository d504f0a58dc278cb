"""Material for training pairs made by hand: documents cut every so many characters, and what searches would find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipelines.records import PADDING, Chunks, Document, Documents, Evidence, Gold, Question, Rankings
from pipelines.stages.embed.finetuned import FinetunedEmbedder
from pipelines.training.knobs import PairKnobs
from pipelines.training.material import Material


def spans(question: str, *places: tuple[str, int, int], grade: float = 1.0, **more: Any) -> Question:
    """A train question that is answered at these places."""
    evidence = tuple(Evidence(document, start, end, grade=grade) for document, start, end in places)
    return Question(question, more.pop("text", f"What is {question}?"), split="train", evidence=evidence, **more)


def cut(documents: Documents, size: int, step: int | None = None) -> Chunks:
    """Chunks of `size` characters, one every `step`."""
    rows = [
        (d, start, min(start + size, len(text)))
        for d, text in enumerate(documents.texts)
        for start in range(0, len(text), step or size)
    ]
    return Chunks.of(*np.asarray(rows, dtype=np.int32).reshape(-1, 3).T)


def material(
    texts: Mapping[str, str],
    questions: Sequence[Question],
    size: int = 10,
    step: int | None = None,
    found: Mapping[str, Sequence[Sequence[int]]] | None = None,
    likeness: Sequence[Sequence[float]] | None = None,
    chunks: Chunks | None = None,
    **more: Any,
) -> Material:
    """Material of documents by id. `found` are chunks by search and question; `likeness` cosines by question and chunk.

    Without `likeness`, all chunks are equally like every question; their vectors are far from one another.
    """
    documents = Documents.of([Document(name, text) for name, text in texts.items()])
    cuts = cut(documents, size, step) if chunks is None else chunks
    n = len(cuts)
    wanted = np.full((len(questions), n), 0.5) if likeness is None else np.asarray(likeness, dtype=np.float64)
    rankings = {name: rankings_of(rows) for name, rows in (found or {}).items()}
    return Material(
        questions=questions,
        gold=Gold.of(questions, documents),
        documents=documents,
        chunks=cuts,
        texts=cuts.texts(documents),
        rankings=rankings,
        vectors=_vectors(wanted)[0],
        question_vectors=_vectors(wanted)[1],
        **more,
    )


def _vectors(wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of chunks and questions with these cosines: a chunk has its likeness to each question on an axis."""
    n_questions, n_chunks = wanted.shape
    rest = np.sqrt(np.maximum(1 - (wanted**2).sum(axis=0), 0))
    chunks = np.concatenate([wanted.T, np.diag(rest)], axis=1)
    asked = np.concatenate([np.eye(n_questions), np.zeros((n_questions, n_chunks))], axis=1)
    lengths = np.maximum(np.linalg.norm(chunks, axis=1, keepdims=True), 1e-9)
    return (chunks / lengths).astype(np.float32), asked.astype(np.float32)


def rankings_of(rows: Sequence[Sequence[int]]) -> Rankings:
    """Rankings of these chunks, scores falling."""
    depth = max((len(row) for row in rows), default=1)
    chunk = np.asarray([[*row, *[PADDING] * (depth - len(row))] for row in rows], dtype=np.int32)
    return Rankings(chunk.reshape(len(rows), depth), np.zeros((len(rows), depth), dtype=np.float32))


def knobs(**given: Any) -> PairKnobs:
    """Knobs as a component has them; without a margin, unless one is given."""
    return FinetunedEmbedder(**{"negatives_margin": 0.0, **given})
