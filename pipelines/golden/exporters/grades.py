"""Evidence on characters as grades of whole documents, or of chunks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipelines.golden.exporters.content import Content
from pipelines.records import Chunks, Evidence

HALF = 0.5

Grades = Mapping[str, Mapping[str, float]]


def document_grades(content: Content) -> Grades:
    """Return by question the grade of each document that holds evidence: the greatest of its pieces."""
    found: dict[str, dict[str, float]] = {}
    for question in content.questions:
        grades = found.setdefault(question.id, {})
        for item in question.evidence:
            grades[item.document_id] = max(item.grade, grades.get(item.document_id, 0.0))
    return found


def chunk_grades(content: Content) -> Grades:
    """Return by question the grade of each chunk that holds evidence: the greatest of its pieces.

    A chunk holds a piece of evidence when it has half of its characters, or is itself covered by it by half; where no
    chunk does, since it was cut apart, the one that has most of it.
    """
    chunks = content.chunks
    found: dict[str, dict[str, float]] = {question.id: {} for question in content.questions}
    if chunks is None:
        return found
    for question in content.questions:
        grades = found[question.id]
        for item in question.evidence:
            for i in _holding(item, content, chunks):
                name = chunk_name(content, i)
                grades[name] = max(item.grade, grades.get(name, 0.0))
    return found


def chunk_name(content: Content, i: int) -> str:
    """Return the id of chunk `i`: its document's, and its span."""
    chunks = content.chunks
    if chunks is None:
        return ""
    return f"{content.documents.ids[int(chunks.document[i])]}:{int(chunks.start[i])}-{int(chunks.end[i])}"


def _holding(item: Evidence, content: Content, chunks: Chunks) -> list[int]:
    """Return the chunks that hold a piece of evidence."""
    document = content.documents.position.get(item.document_id)
    if document is None or (item.start is None and item.quote is not None):
        return []
    first, last = np.searchsorted(chunks.document, (document, document + 1))
    start = 0 if item.start is None else item.start
    end = len(content.documents.texts[document]) if item.end is None else item.end
    here = slice(int(first), int(last))
    shared = np.minimum(chunks.end[here], end) - np.maximum(chunks.start[here], start)
    length = np.minimum(chunks.end[here] - chunks.start[here], end - start)
    held = np.flatnonzero((shared > 0) & (shared >= HALF * length))
    if not len(held) and len(shared) and shared.max() > 0:
        held = np.asarray([int(shared.argmax())])
    return [int(first) + int(i) for i in held]
