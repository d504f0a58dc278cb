"""Score: rankings against gold, per question, for every metric at every cut-off."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from pipelines.component import Component
from pipelines.records import Candidates, Chunks, Gold, Metric, Rankings, Scores


@dataclass(frozen=True)
class Evaluation:
    """All that a metric may look at. Row q of `rankings` and of `candidates` belongs to question q of `gold`."""

    gold: Gold
    chunks: Chunks
    n_documents: int
    rankings: Rankings
    candidates: Candidates


class Scorer(Component, stage="score"):
    """Turns the rankings of all questions into per-question values."""

    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """Declare what `score` returns, in its order."""

    def ranks(self) -> tuple[int, ...]:
        """Return the numbers of chunks or documents at which it cuts the list, rising."""
        cuts = {metric.name.partition("@")[2] for metric in self.metrics()}
        return tuple(sorted(int(cut) for cut in cuts if cut.isdecimal()))

    @abstractmethod
    def score(self, evaluation: Evaluation) -> Scores:
        """Score every question on every metric; what cannot be scored has a reason, never a NaN that is shown."""
