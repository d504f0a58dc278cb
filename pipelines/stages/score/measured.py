"""Values that may be missing: each missing one carries its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.records import BoolArray, DoubleArray


class Reason(IntEnum):
    """Why a question has no value; the number stands in `Scores.reason`, the text in `Scores.reasons`."""

    NONE = 0
    UNANSWERABLE = 1
    NO_CHARACTERS = 2
    NOTHING_RETRIEVED = 3
    NOTHING_FITS = 4
    EMPTY_CHUNKS = 5
    NO_CHUNKS = 6
    NOT_READ = 7
    NO_LABELS = 8
    NOTHING_READ = 9


REASONS: tuple[str, ...] = (
    "",
    "unanswerable: no evidence",
    "the evidence has no characters",
    "nothing was retrieved",
    "no chunk fits the token budget",
    "the retrieved chunks have no characters",
    "there are no chunks",
    "the filter reads nothing out of questions",
    "the question is labelled with no value of the metadata",
    "nothing was read in a field that the question is labelled in",
)


@dataclass(frozen=True)
class Measured:
    """One metric at all its cut-offs: `values`, NaN where `reason` is not 0; both [n_questions, n_cuts]."""

    values: DoubleArray
    reason: npt.NDArray[np.int16]

    @classmethod
    def of(cls, values: npt.NDArray[Any]) -> Measured:
        """Take values [n_questions, n_cuts] or [n_questions] (one column) that are all there so far."""
        columns = np.asarray(values, dtype=np.float64)
        columns = columns[:, None] if columns.ndim == 1 else columns
        return cls(columns, np.zeros(columns.shape, dtype=np.int16))

    def unless(self, missing: BoolArray, why: Reason) -> Measured:
        """Return the same with no value where `missing` ([n_questions, 1 or n_cuts]) holds; a later reason prevails."""
        reason = np.where(missing, np.int16(why), self.reason)
        return Measured(np.where(reason == Reason.NONE, self.values, np.nan), reason)


def share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> DoubleArray:
    """Return `part / whole`, NaN for 0 / 0: whoever calls says why there."""
    ratio = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=ratio, where=whole != 0)
    return ratio
