"""Pairs made of the corpus itself, for small sets: titles with the texts below them, and parts of chunks with them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from pipelines.models.outline import first_heading, sections
from pipelines.models.sentences import sentences
from pipelines.records import Document
from pipelines.records.pairs import TrainingPair
from pipelines.training.drawing import drawn_number
from pipelines.training.evidence import HeldOut
from pipelines.training.material import Material

_LEAST_CROP_CHARS = 20
_LEAST_TEXT_CHARS = 60


def titled_pairs(
    material: Material, held_out: HeldOut, answers: Sequence[int], most: int, seed: int
) -> list[TrainingPair]:
    """Return a pair of title and section path with the text that begins there, of documents that `answers` are of.

    `answers` are chunks that train questions are answered by. At most `most` are drawn by the seed, in order. No chunk
    is taken that holds evidence of a dev or test question.
    """
    documents = sorted({int(material.chunks.document[chunk]) for chunk in answers})
    found = [(title, chunk) for d in documents for title, chunk in _titles(material, d)]
    sound = [(title, chunk) for title, chunk in found if not held_out.holds(chunk, material.texts[chunk])]
    order = sorted(range(len(sound)), key=lambda i: drawn_number(seed, "title", *_place(material, sound[i][1])))
    kept = [sound[i] for i in sorted(order[:most])]
    return [TrainingPair("", title, material.passage(chunk), source="title") for title, chunk in kept]


def _titles(material: Material, document: int) -> list[tuple[str, int]]:
    """Return each title of a document, down to its sections, with the first chunk that begins below it."""
    whole = material.documents[document]
    named = str(whole.metadata.get("title") or "") or first_heading(whole)
    first, last = np.searchsorted(material.chunks.document, (document, document + 1))
    paths = _paths(whole, named)
    chunks: dict[str, int] = {}
    for chunk in range(int(first), int(last)):
        title = paths[1][bisect_right(paths[0], int(material.chunks.start[chunk])) - 1]
        if title and len(material.chunks.text(material.documents, chunk).strip()) >= _LEAST_TEXT_CHARS:
            chunks.setdefault(title, chunk)
    return list(chunks.items())


def _paths(document: Document, named: str) -> tuple[list[int], list[str]]:
    """Return where each section begins, and the words of its title and path."""
    spans = sections(document) or [(0, len(document.text), "")]
    starts = [start for start, _, _ in spans]
    steps = [[step for step in path.split(" > ") if step] for _, _, path in spans]
    titles = [", ".join(own if not named or own[:1] == [named] else [named, *own]) for own in steps]
    return starts, titles


def cropped_pairs(material: Material, held_out: HeldOut, answers: Sequence[int], seed: int) -> list[TrainingPair]:
    """Return a sentence or two of each of these chunks, drawn by the seed, paired with the chunk (inverse cloze).

    `answers` are chunks that train questions are answered by. Nothing is cropped of a chunk that holds evidence of a
    dev or test question, nor of one of a single sentence.
    """
    sound = [chunk for chunk in dict.fromkeys(answers) if not held_out.holds(chunk, material.texts[chunk])]
    crops = [
        (_crop(material.chunks.text(material.documents, chunk), _drawn(material, chunk, seed)), chunk)
        for chunk in sound
    ]
    return [TrainingPair("", crop, material.passage(chunk), source="crop") for crop, chunk in crops if crop]


def _crop(text: str, drawn: int) -> str:
    """Return one or two sentences that follow one another, fewer than there are; "" where there are too few."""
    spans = sentences(text)
    if len(spans) < 2:
        return ""
    n = min(1 + drawn % 2, len(spans) - 1)
    first = (drawn // 2) % (len(spans) - n + 1)
    crop = " ".join(text[spans[first][0] : spans[first + n - 1][1]].split())
    return crop if len(crop) >= _LEAST_CROP_CHARS else ""


def _drawn(material: Material, chunk: int, seed: int) -> int:
    return drawn_number(seed, "crop", *_place(material, chunk))


def _place(material: Material, chunk: int) -> tuple[str, int, int]:
    chunks = material.chunks
    return material.documents.ids[int(chunks.document[chunk])], int(chunks.start[chunk]), int(chunks.end[chunk])
