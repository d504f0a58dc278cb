"""Carries out pieces of work in one worker process; others, with the same pieces, share them through their claims.

This is the whole of the seam to an engine for clusters: pieces with keys and needs, and an execution to do them in.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Container, Sequence

from pipelines.errors import Cancelled, StorageError, WorkbenchError
from pipelines.execution import Execution
from pipelines.settings import logs_folder
from pipelines.sweeps.pieces import Piece
from pipelines.sweeps.turns import Turns

_WAIT_S = 0.05
_log = logging.getLogger("rag_workbench.worker")
Told = Callable[[Piece, float], None]


def untold(piece: Piece, seconds: float) -> None:
    """Tell nobody."""


class Engine:
    """Does pieces, those of one chunking together, and lets go of what a finished chunking held in memory.

    A second worker goes `backwards`: it begins at the other end, so that the two seldom want the same. Where several
    share the work, all cut first (`cut_first`).
    """

    def __init__(
        self, execution: Execution, *, backwards: bool = False, cut_first: bool = False, told: Told = untold
    ) -> None:
        self._run, self._backwards, self._cut_first, self._told = execution, backwards, cut_first, told
        self._group: str | None = None
        self._kinds: set[str] = set()

    def carry_out(
        self, pieces: Sequence[Piece], shared: Container[str], look_up: Callable[[], None] = lambda: None
    ) -> dict[str, str]:
        """Do all pieces, or wait for others to have done them; return why, by key, for those that failed.

        A piece that fails fails what needs it, and nothing else. `shared` are the nodes that no chunking owns.

        Raises:
            StorageError: when the disk or the store refuses.
            Cancelled: when `look_up` or the execution's watch says so.
        """
        turns = Turns(pieces, self._run.claims, self._kinds, backwards=self._backwards, cut_first=self._cut_first)
        failed: dict[str, str] = {}
        try:
            while turns:
                look_up()
                piece = turns.next()
                if piece is not None:
                    self._turn_to(piece.group, shared)
                    self._do(piece, failed)
                    continue
                turns.drop_done()
                if turns:
                    time.sleep(_WAIT_S)
        finally:
            turns.end()
        return failed

    def _turn_to(self, group: str | None, shared: Container[str]) -> None:
        if group not in (None, self._group):
            self._run.forget(but=shared)
            self._group = group

    def _do(self, piece: Piece, failed: dict[str, str]) -> None:
        bad = frozenset(need for need in piece.needs if need in failed)
        try:
            if bad and not piece.copes:
                failed[piece.key] = failed[next(iter(sorted(bad)))]
                return
            started = time.perf_counter()
            self._kinds.add(piece.kind)
            piece.do(self._run, bad)
            self._told(piece, time.perf_counter() - started)
        except (Cancelled, StorageError):
            raise
        except WorkbenchError as error:
            failed[piece.key] = str(error)
        except Exception:
            number = uuid.uuid4().hex[:8]
            _log.exception("error %s in the %s stage of a sweep", number, piece.stage)
            failed[piece.key] = (
                f"Something went wrong inside the workbench (error {number}); {logs_folder()} says what."
            )
        finally:
            self._run.claims.give_back(piece.key)
