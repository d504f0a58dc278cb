"""Carries out pieces of work in one worker process; others, with the same pieces, share them through their claims.

This is the whole of the seam to an engine for clusters: pieces with keys and needs, and an execution to do them in.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Container, Sequence

from pipelines.errors import Cancelled, StorageError, WorkbenchError
from pipelines.execution import Execution
from pipelines.settings import logs_folder
from pipelines.sweeps.pieces import Piece

_WAIT_S = 0.05
_log = logging.getLogger("rag_workbench.worker")
Told = Callable[[Piece, float], None]


def untold(piece: Piece, seconds: float) -> None:
    """Tell nobody."""


class Engine:
    """Does pieces, those of one chunking together, and lets go of what a finished chunking held in memory.

    A second worker goes `backwards`: it begins at the other end, so that the two seldom want the same.
    """

    def __init__(self, execution: Execution, *, backwards: bool = False, told: Told = untold) -> None:
        self._run, self._backwards, self._told = execution, backwards, told
        self._group: str | None = None

    def carry_out(
        self, pieces: Sequence[Piece], shared: Container[str], look_up: Callable[[], None] = lambda: None
    ) -> dict[str, str]:
        """Do all pieces, or wait for others to have done them; return why, by key, for those that failed.

        A piece that fails fails what needs it, and nothing else. `shared` are the nodes that no chunking owns.

        Raises:
            StorageError: when the disk or the store refuses.
            Cancelled: when `look_up` or the execution's watch says so.
        """
        # An OrderedDict gives up its first entries at no cost; a dict would walk over all that were taken before.
        todo = OrderedDict((piece.key, piece) for piece in self._in_order(pieces))
        failed: dict[str, str] = {}
        while todo:
            look_up()
            piece = self._next(todo)
            if piece is None:
                self._drop_done(todo)
                if todo:
                    time.sleep(_WAIT_S)
                continue
            del todo[piece.key]
            if piece.group not in (None, self._group):
                self._run.forget(but=shared)
                self._group = piece.group
            self._do(piece, failed)
        return failed

    def _in_order(self, pieces: Sequence[Piece]) -> list[Piece]:
        """Group by group, in the order in which they first occur; what several groups share comes first."""
        place: dict[str | None, int] = {None: -1}
        for piece in pieces:
            place.setdefault(piece.group, -len(place) if self._backwards else len(place))
        place[None] = min(place.values()) - 1
        return sorted(pieces, key=lambda piece: place[piece.group])

    def _next(self, todo: dict[str, Piece]) -> Piece | None:
        """Return the first piece that waits for nothing and that nobody else is at: it is claimed."""
        found, gone = None, []
        for piece in todo.values():
            if any(need in todo for need in piece.needs) or not self._run.claims.take(piece.key):
                continue
            if not piece.done():
                found = piece
                break
            self._run.claims.give_back(piece.key)
            gone.append(piece.key)
        for key in gone:
            del todo[key]
        return found

    def _drop_done(self, todo: dict[str, Piece]) -> None:
        for piece in list(todo.values()):
            if piece.done():
                del todo[piece.key]

    def _do(self, piece: Piece, failed: dict[str, str]) -> None:
        bad = frozenset(need for need in piece.needs if need in failed)
        try:
            if bad and not piece.copes:
                failed[piece.key] = failed[next(iter(sorted(bad)))]
                return
            started = time.perf_counter()
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
