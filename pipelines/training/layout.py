"""A batch as what is computed for it: each distinct text once, texts of like length together, and who is what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.records import BoolArray, FloatArray, LongArray
from pipelines.training.examples import Example


@dataclass(frozen=True)
class Layout:
    """Of a batch of n pairs: `texts` are the positions of its distinct texts, in the order in which they are computed.

    The others count within `texts`: `questions` [n], `candidates` [n_candidates] are all positives and negatives of the
    batch, `target` [n] the place of each pair's positive among them, and `hidden` [n, n_candidates] marks the other
    candidates that are known to answer a pair's question. `left`, `right` and `score` [n_scored] are a question and a
    text each with the grade, 0 for a negative; `question_of`, `positive_of`, `negative_of` [n_triplets] are triplets.
    """

    texts: LongArray
    questions: LongArray
    candidates: LongArray
    target: LongArray
    hidden: BoolArray
    left: LongArray
    right: LongArray
    score: FloatArray
    triplets: LongArray


def laid_out(rows: Sequence[Example], lengths: LongArray, n_questions: int) -> Layout:
    """Return the layout of a batch: passages are computed first, then questions, the longest of each first.

    `lengths` are those of all texts, in tokens, of which the first `n_questions` are questions.
    """
    candidates = list(dict.fromkeys([one.positive for one in rows] + [n for one in rows for n in one.negatives]))
    distinct = np.asarray(list(dict.fromkeys([*(one.question for one in rows), *candidates])), dtype=np.int64)
    texts = distinct[np.lexsort((-lengths[distinct], distinct < n_questions))]
    at = {int(text): i for i, text in enumerate(texts)}
    place = {text: i for i, text in enumerate(candidates)}
    hidden = np.zeros((len(rows), len(candidates)), dtype=np.bool_)
    for i, one in enumerate(rows):
        hidden[i, [place[text] for text in one.answers if text in place and text != one.positive]] = True
    scored = [
        (one.question, text, grade)
        for one in rows
        for text, grade in [(one.positive, one.grade), *((negative, 0.0) for negative in one.negatives)]
    ]
    triplets = [(at[one.question], at[one.positive], at[n]) for one in rows for n in one.negatives]
    return Layout(
        texts=texts,
        questions=_places(at, [one.question for one in rows]),
        candidates=_places(at, candidates),
        target=_places(place, [one.positive for one in rows]),
        hidden=hidden,
        left=_places(at, [question for question, _, _ in scored]),
        right=_places(at, [text for _, text, _ in scored]),
        score=np.asarray([grade for _, _, grade in scored], dtype=np.float32),
        triplets=np.asarray(triplets, dtype=np.int64).reshape(-1, 3),
    )


def groups(lengths: LongArray, most_tokens: int) -> list[slice]:
    """Return which texts are computed together, of texts that are sorted by length, the longest first.

    A group's texts are padded to its first; together they are at most `most_tokens`, or one text.
    """
    found, at = [], 0
    while at < len(lengths):
        n = max(1, most_tokens // max(1, int(lengths[at])))
        found.append(slice(at, min(at + n, len(lengths))))
        at += n
    return found


def _places(at: dict[int, int], texts: Sequence[int]) -> LongArray:
    return np.asarray([at[text] for text in texts], dtype=np.int64)
