"""The heartbeat of a worker: keeps its leases, tells its progress, learns that it should stop."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from pipelines.errors import Cancelled, Paused, StorageError
from pipelines.runs.jobs import Job, Jobs, Order

_BEAT_S = 0.5
_GRACE_S = 3.0
_log = logging.getLogger("rag_workbench.worker")


class Heart:
    """Beats for one job on a thread of its own; learns there that the user wants it to stop.

    Work that does not look up within the grace period (a long call into a library) is ended with the process:
    outputs are published by rename, so nothing half-written stays. A worker that `helps` has claims of its own, and
    leaves the job's progress and its end to the one that leads.
    """

    def __init__(self, jobs: Jobs, job: Job, worker: str, *, helps: bool = False) -> None:
        self._jobs, self._job, self._worker, self._helps = jobs, job, worker, helps
        self._progress: dict[str, Any] = {}
        self._advanced = False
        self._order: Order = "go on"
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=_GRACE_S)

    def watch(self, stage: str, done: int, total: int) -> None:
        """Take note of progress.

        Raises:
            Cancelled: when the user asked to stop; `Paused` when to stand still.
        """
        self.tell(stage=stage, done=done, total=total)

    def tell(self, **progress: Any) -> None:
        """Take note of progress, whatever it is called; what is not named stays as it was.

        Raises:
            Cancelled: when the user asked to stop; `Paused` when to stand still.
        """
        self._progress = {**self._progress, **progress}
        self._advanced = self._advanced or bool(progress.get("done"))
        self.look_up()

    def advanced(self) -> None:
        """Take note that something was finished and kept: the work would go on from there."""
        self._advanced = True

    def look_up(self) -> None:
        """Stop here when that was asked for.

        Raises:
            Cancelled: when the user asked to stop; `Paused` when to stand still.
        """
        if self._order == "pause":
            raise Paused("The work was paused; finished stages are kept.")
        if self._order != "go on":
            raise Cancelled("The work was cancelled; finished stages are kept.")

    def _run(self) -> None:
        while not self._end.wait(_BEAT_S):
            try:
                self._order = self._beat()
            except StorageError as error:
                _log.warning("could not renew the lease: %s", error)
                continue
            if self._order != "go on":
                self._give_grace()
                return

    def _beat(self) -> Order:
        if self._helps:
            return self._jobs.help(self._job.id, self._worker)
        advanced, self._advanced = self._advanced, False
        return self._jobs.beat(self._job.id, self._worker, self._progress, advanced)

    def _give_grace(self) -> None:
        if not self._end.wait(_GRACE_S):
            _log.info("job %s did not stop by itself; the process ends", self._job.id)
            if self._order == "pause":
                self._jobs.paused(self._job.id, self._worker)
            else:
                self._jobs.cancelled(self._job.id, self._worker)
            os._exit(0)
