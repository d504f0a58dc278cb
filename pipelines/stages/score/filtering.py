"""How far what a filter reads out of questions agrees with what they are labelled with."""

from __future__ import annotations

import numpy as np

from pipelines.records import Candidates
from pipelines.stages.score.measured import Measured, Reason, share


def measure(candidates: Candidates) -> dict[str, Measured]:
    """Return filter_precision and filter_recall of every question.

    filter_precision = right / read, filter_recall = right / labels: `read` are the values that the filter's conditions
    allow in fields that are labelled, `right` those of them that are the label. What is read in a field without a
    label counts as neither: nobody said whether it is right.
    """
    if candidates.agreement is None:
        nothing = Measured.of(np.full(len(candidates.mask), np.nan)).unless(
            np.ones((1, 1), dtype=bool), Reason.NOT_READ
        )
        return {"filter_precision": nothing, "filter_recall": nothing}
    right, read, labels = candidates.agreement.T
    unlabelled = (labels == 0)[:, None]
    precision = Measured.of(share(right, read)).unless((read == 0)[:, None], Reason.NOTHING_READ)
    return {
        "filter_precision": precision.unless(unlabelled, Reason.NO_LABELS),
        "filter_recall": Measured.of(share(right, labels)).unless(unlabelled, Reason.NO_LABELS),
    }
