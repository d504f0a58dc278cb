"""The questions whose first relevant chunk changed its rank most, both ways."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.records import Question
from pipelines.runs.record import Details

LISTED = 10


@dataclass(frozen=True)
class Moved:
    """A question with the rank of its first chunk that holds evidence, before and after; None: none was found."""

    question_id: str
    text: str
    before: int | None
    after: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


def moved(
    before: Details, after: Details, questions: Sequence[Question], listed: int = LISTED
) -> tuple[list[Moved], list[Moved]]:
    """Return those that rose and those that fell, the greatest change first.

    A change is measured by the ratio of the ranks, as people read a list: from 2 to 1 is as much as from 20 to 10. What
    was not found counts as found one rank below the last.
    """
    ranks = [first_ranks(one) for one in (before, after)]
    beyond = 1 + max(before.rankings.depth, after.rankings.depth)
    texts = {question.id: question.text for question in questions}
    both = [(name, ranks[0].get(name), ranks[1].get(name)) for name in before.question_ids if name in texts]
    found = [
        (math.log((old or beyond) / (new or beyond)), Moved(name, texts[name], old, new)) for name, old, new in both
    ]
    rose = sorted((one for one in found if one[0] > 0), key=lambda one: (-one[0], one[1].question_id))
    fell = sorted((one for one in found if one[0] < 0), key=lambda one: (one[0], one[1].question_id))
    return [one for _, one in rose[:listed]], [one for _, one in fell[:listed]]


def first_ranks(details: Details) -> Mapping[str, int]:
    """Return the rank of the first chunk that holds evidence, by question, for those that have one."""
    fates = details.fates
    if fates is None:
        return {}
    found: dict[str, int] = {}
    for row, rank in zip(fates.question.tolist(), fates.rank.tolist(), strict=True):
        name = details.question_ids[row]
        if rank > 0:
            found[name] = min(rank, found.get(name, rank))
    return found
