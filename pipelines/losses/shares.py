"""What the stages of a run lost on the mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Lost:
    """The share of the evidence that one stage lost, over the `n` questions with evidence, with its 95 % interval."""

    mean: float | None
    low: float | None
    high: float | None
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Return the form that `--json` prints."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "n": self.n}


LossesByCut = Mapping[str, Mapping[str, Lost]]
"""What each stage lost, by cut (recall@5) and stage; for a cut the means add up to 1 - recall."""
