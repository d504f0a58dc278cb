"""How far a sweep is, and when it will be done: told with the heartbeat of the worker that leads."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pipelines.runs.heart import Heart
from pipelines.sweeps.batch import Batch
from pipelines.sweeps.estimate import batch_workloads
from pipelines.sweeps.pieces import Piece
from pipelines.sweeps.rates import Rates
from pipelines.sweeps.trials import Trial
from pipelines.sweeps.workloads import RUN, Workload


class Standing:
    """Counts pieces and configurations; the expected rest is what the pieces left should take at the pace so far."""

    def __init__(self, heart: Heart, rates: Rates, *, helps: bool) -> None:
        self._heart, self._rates, self._helps = heart, rates, helps
        self._works: dict[str, Workload] = {}
        self._whole = 0.0
        self._left: dict[str, float] = {}
        self._counts = {"pieces_done": 0, "pieces_total": 0, "trials_done": 0, "trials_total": 0}
        self._began = time.monotonic()

    def begin(self, batch: Batch, trials: Sequence[Trial]) -> None:
        """Start counting a batch."""
        pieces = batch.pieces()
        self._works, pace = batch_workloads(batch), self._rates.seconds_a_unit()
        self._works |= {piece.key: Workload(RUN, piece.n_runs) for piece in pieces if piece.n_runs}
        expected = {key: work.units * pace.get(work.what, 0.0) for key, work in self._works.items()}
        self._left = {piece.key: expected.get(piece.key, 0.0) for piece in pieces}
        self._whole = sum(self._left.values())
        self._counts["pieces_total"] += len(pieces)
        self._counts["trials_total"] = len(trials)
        self._counts["trials_done"] = sum(trial.state != "waiting" for trial in trials)
        self._began = time.monotonic()
        self._tell()

    def did(self, piece: Piece, seconds: float) -> None:
        """Count a piece, and remember how fast it went; what only its doer knows the amount of is entered there."""
        work = self._works.get(piece.key)
        if work is not None and not work.what.startswith(("embed ", "chat ", "train ")):
            self._rates.enter(work.what, work.units, seconds)
        self._left.pop(piece.key, None)
        self._counts["pieces_done"] += 1
        self._tell(stage=piece.stage)

    def finished(self, n_trials: int) -> None:
        """Count configurations."""
        self._counts["trials_done"] += n_trials
        self._tell()

    def _tell(self, **more: object) -> None:
        if not self._helps:
            self._heart.tell(**self._counts, eta_s=self._rest(), **more)

    def _rest(self) -> float | None:
        """Return the expected seconds left; None while nothing is known."""
        if self._whole <= 0:
            return None
        left, passed = sum(self._left.values()), time.monotonic() - self._began
        done = self._whole - left
        pace = passed / done if done > 0.1 * self._whole and passed > 2 else 1.0
        return left * pace
