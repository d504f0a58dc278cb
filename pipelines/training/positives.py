"""Which chunks answer a train question: those that hold enough of a piece of its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.records import BoolArray, Chunks, Gold, LongArray
from pipelines.training.material import Material, cosines
from pipelines.training.overlaps import Overlaps

MOST_OF_A_PIECE = 3
"""A long passage, or a whole document, gives so many chunks at most: those that are most like the question."""

_LEAST_SHARE = 0.1
"""What holds less of a piece of evidence is no answer, also where no chunk holds more."""


@dataclass(frozen=True)
class Positives:
    """The chunks that answer each question: `of[q]` maps a chunk to the greatest grade of the evidence that it holds.

    `why[q]` says why a question has none, "" where it has some.
    """

    of: tuple[dict[int, float], ...]
    why: tuple[str, ...]


def positives(material: Material) -> Positives:
    """Return the chunks that hold half of a piece of evidence or more, or of which half or more is evidence.

    Where a piece has no such chunk, the one with most of it counts, if that is a tenth. Alternatives each count.
    """
    gold, overlaps = material.gold, Overlaps.of(material.gold, material.chunks)
    fits = _fitting(gold, material.chunks, overlaps)
    of: list[dict[int, float]] = [{} for _ in material.questions]
    for piece, rows in _by_piece(overlaps, fits):
        grades = of[int(gold.question[piece])]
        for chunk in _best(material, piece, rows):
            grades[chunk] = max(grades.get(chunk, 0.0), float(gold.grade[piece]))
    told = [_without_twins(material, own) for own in of]
    return Positives(tuple(told), tuple(_why(material, q, own) for q, own in enumerate(told)))


def any_long(gold: Gold, chunks: Chunks) -> bool:
    """Return whether any piece of evidence has so many chunks that vectors must tell which are best."""
    overlaps = Overlaps.of(gold, chunks)
    counts = np.bincount(overlaps.piece[_fitting(gold, chunks, overlaps)], minlength=1)
    return bool(counts.max() > MOST_OF_A_PIECE)


def _fitting(gold: Gold, chunks: Chunks, overlaps: Overlaps) -> BoolArray:
    """Return which overlaps make a positive, bool [n_overlaps]."""
    piece = (gold.end.astype(np.int64) - gold.start)[overlaps.piece]
    chunk = (chunks.end.astype(np.int64) - chunks.start)[overlaps.chunk]
    sliver = (overlaps.shared == 1) & (piece > 2) & (chunk > 1)
    fitting: BoolArray = ((2 * overlaps.shared >= piece) | (2 * overlaps.shared >= chunk)) & ~sliver
    served = np.zeros(len(gold.question), dtype=np.bool_)
    served[overlaps.piece[fitting]] = True
    enough = ~served[overlaps.piece] & ~sliver & (overlaps.shared >= _LEAST_SHARE * piece)
    either: BoolArray = fitting | (enough & _fullest(overlaps))
    return either


def _fullest(overlaps: Overlaps) -> BoolArray:
    """Return the chunk with most of each piece, the first of equals."""
    order = np.lexsort((overlaps.chunk, -overlaps.shared, overlaps.piece))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = overlaps.piece[order][1:] != overlaps.piece[order][:-1]
    fullest = np.zeros(len(order), dtype=np.bool_)
    fullest[order[first]] = True
    return fullest


def _by_piece(overlaps: Overlaps, fits: BoolArray) -> list[tuple[int, LongArray]]:
    """Return each piece with the chunks that fit it, in order."""
    piece, chunk = overlaps.piece[fits], overlaps.chunk[fits]
    pieces, first = np.unique(piece, return_index=True)
    return list(zip(pieces.tolist(), np.split(chunk, first[1:]), strict=True)) if len(pieces) else []


def _best(material: Material, piece: int, rows: LongArray) -> Sequence[int]:
    """Return the chunks of a piece that are most like the question, in order; the first where nothing tells."""
    if len(rows) <= MOST_OF_A_PIECE:
        return [int(row) for row in rows]
    if material.vectors is None or material.question_vectors is None:
        return [int(row) for row in rows[:MOST_OF_A_PIECE]]
    likeness = cosines(material.vectors[rows], material.question_vectors[int(material.gold.question[piece])])
    best = np.argsort(-likeness, kind="stable")[:MOST_OF_A_PIECE]
    return sorted(int(row) for row in rows[best])


def _without_twins(material: Material, grades: dict[int, float]) -> dict[int, float]:
    """Leave out chunks whose text is that of an earlier one: the pair would be the same."""
    seen: dict[str, int] = {}
    for chunk in sorted(grades):
        seen.setdefault(material.texts[chunk], chunk)
    return {chunk: grades[chunk] for chunk in sorted(grades) if seen[material.texts[chunk]] == chunk}


def _why(material: Material, q: int, grades: dict[int, float]) -> str:
    if grades:
        return ""
    gold = material.gold
    own = np.flatnonzero(gold.question == q)
    if gold.located is not None and len(own) and not gold.located[own].any():
        return "its evidence is not in the parsed text"
    return "no chunk holds a tenth of any piece of its evidence"
