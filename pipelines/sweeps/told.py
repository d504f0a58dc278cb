"""What a strategy is told of a trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipelines.sweeps.domains import Drawn

State = Literal["finished", "dropped", "failed"]


@dataclass(frozen=True)
class Told:
    """What became of a proposal: `drawn` is its choice's; `values` holds each objective's, in its unit, or nothing."""

    number: int
    drawn: Mapping[str, Drawn]
    values: tuple[float | None, ...] = ()
    state: State = "finished"

    def known(self, n: int) -> list[float] | None:
        """Return the values of all `n` objectives; None where one is lacking, and for a trial that failed."""
        values = [float(value) for value in self.values if value is not None]
        return values if self.state != "failed" and len(values) == len(self.values) == n else None
