"""The gold of an evaluation as scoring needs it: by question and document, spans merged, groups numbered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.records import BoolArray, DoubleArray, Gold, LongArray
from pipelines.stages.score.intervals import Spans, chars_by, high_part, low_part, merge, pack


@dataclass(frozen=True)
class Relevant:
    """What is relevant, laid out for scoring. A *pair* is a question and one document that holds evidence of it.

    `question`, `document` and `grade` are [n_pairs], in order of question; a pair's grade is the greatest of its
    evidence. `evidence` (its owners are pairs, in order) leaves out spans without a character; row i is row `row[i]` of
    the gold and belongs to item `item[i]`, one item a group of alternatives. `item_question` and `item_grade` are
    [n_items], an item's grade being the greatest of its alternatives. `regions` is the merged evidence of every pair.
    """

    n_questions: int
    question: LongArray
    document: LongArray
    grade: DoubleArray
    evidence: Spans
    row: LongArray
    item: LongArray
    item_question: LongArray
    item_grade: DoubleArray
    regions: Spans

    @classmethod
    def of(cls, gold: Gold) -> Relevant:
        """Lay out `gold`."""
        pairs, pair = np.unique(pack(gold.question, gold.document), return_inverse=True)
        solid = np.flatnonzero(gold.start < gold.end)
        rows = solid[np.argsort(pair[solid], kind="stable")]
        evidence = Spans(pair[rows], gold.start[rows].astype(np.int64), gold.end[rows].astype(np.int64))
        groups, first, item = np.unique(gold.group[rows], return_index=True, return_inverse=True)
        return cls(
            n_questions=gold.n_questions,
            question=high_part(pairs),
            document=low_part(pairs),
            grade=_greatest(gold.grade, pair, len(pairs)),
            evidence=evidence,
            row=rows,
            item=item,
            item_question=gold.question[rows][first].astype(np.int64),
            item_grade=_greatest(gold.grade[rows], item, len(groups)),
            regions=merge(evidence),
        )

    @property
    def chars(self) -> LongArray:
        """|R|: evidence characters of every question, each counted once, int64 [n_questions]."""
        return chars_by(self.question[self.regions.owner], self.regions.end - self.regions.start, self.n_questions)

    @property
    def answerable(self) -> BoolArray:
        """Whether a question has evidence, bool [n_questions]."""
        return np.bincount(self.question, minlength=self.n_questions) > 0


def _greatest(values: DoubleArray, owner: LongArray, n_owners: int) -> DoubleArray:
    greatest = np.full(n_owners, -np.inf)
    np.maximum.at(greatest, owner, values)
    return greatest
