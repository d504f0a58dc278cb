"""What became of the evidence of a run: every character of it once, with the stage that lost it at every cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.losses.stages import STAGES
from pipelines.records import DoubleArray, IntArray, LongArray

StageArray = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Fates:
    """The evidence characters of a run in fragments that share one fate; no character is in two of them.

    `cuts` are the names of the recall that each column of `stage` explains, such as recall@5. The other arrays are
    int32 [n_fragments], in order of question: `evidence` is which of the question's relevant pieces of evidence (from
    0) holds the fragment, the first one where several do; `start` to `end` is where it stands in that document (where
    the parsing lost it, behind the document's end). `rank_before` and `rank` are the first rank at which it was handed
    to the reranker and came back from it, 0 where it was not. `chunk` with `chunk_start` to `chunk_end` is the chunk
    that came nearest to handing it on, -1 where no chunk holds it. `stage` is int8 [n_fragments, n_cuts]: 0 where the
    fragment was handed on, else the number of the stage that lost it, its place in `STAGES` from 1.
    """

    cuts: tuple[str, ...]
    n_questions: int
    question: IntArray
    evidence: IntArray
    start: IntArray
    end: IntArray
    rank_before: IntArray
    rank: IntArray
    chunk: IntArray
    chunk_start: IntArray
    chunk_end: IntArray
    stage: StageArray

    def __len__(self) -> int:
        return len(self.question)

    @property
    def chars(self) -> LongArray:
        """Length of every fragment, int64 [n_fragments]."""
        return self.end.astype(np.int64) - self.start

    @property
    def relevant(self) -> LongArray:
        """|R|: evidence characters of every question, int64 [n_questions]."""
        return np.bincount(self.question, weights=self.chars, minlength=self.n_questions).astype(np.int64)

    def shares(self) -> DoubleArray:
        """Return the share of each question's evidence that each stage lost, float64 [n_questions, n_cuts, n_stages].

        For a question and a cut they add up to 1 - recall; NaN for a question whose evidence has no characters.
        """
        n_cuts, n_codes = len(self.cuts), len(STAGES) + 1
        cell = (self.question[:, None].astype(np.int64) * n_cuts + np.arange(n_cuts)) * n_codes + self.stage
        weights = np.broadcast_to(self.chars[:, None], cell.shape)
        lost = np.bincount(cell.ravel(), weights=weights.ravel(), minlength=self.n_questions * n_cuts * n_codes)
        table = lost.reshape(self.n_questions, n_cuts, n_codes)[:, :, 1:]
        found = np.full(table.shape, np.nan)
        relevant = self.relevant[:, None, None]
        np.divide(table, relevant, out=found, where=relevant > 0)
        return found

    def column(self, cut: str) -> StageArray:
        """Return the stage that lost each fragment at one cut, int8 [n_fragments].

        Raises:
            KeyError: for a cut that was not measured.
        """
        if cut not in self.cuts:
            raise KeyError(cut)
        return self.stage[:, self.cuts.index(cut)]
