"""The worker process: claims jobs one at a time, keeps its leases alive, stops when asked, ends when idle.

Run as `python -m pipelines.worker`. A home folder has one worker, or as many as a sweep asks for: one too many finds
all locks held and ends at once. A worker without a job helps with a sweep that another one leads.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import uuid

from pipelines.catalog import STAGE_NAMES
from pipelines.component import discover
from pipelines.errors import Cancelled, Paused, WorkbenchError
from pipelines.finetune.base_doing import MODELS, do_models
from pipelines.finetune.doing import FINETUNE, do_finetune
from pipelines.runs.claims import StoredClaims
from pipelines.runs.curves import Curves
from pipelines.runs.database import Database
from pipelines.runs.doing import do_evaluation
from pipelines.runs.heart import Heart
from pipelines.runs.jobs import Job, Jobs, this_worker
from pipelines.runs.leftovers import clear_leftovers
from pipelines.runs.lock import WorkerLock, first_free
from pipelines.runs.spawn import slots_given
from pipelines.runs.store import RunStore
from pipelines.runs.submit import EVALUATE
from pipelines.runs.versions import source_digest
from pipelines.settings import cache_folder, database_url, home, logs_folder, runs_folder
from pipelines.sweeps.doing import SWEEP, do_sweep, help_sweep

_POLL_S = 0.1
_LOOKS = 8
_log = logging.getLogger("rag_workbench.worker")


class Worker:
    """Does jobs until there have been none for `idle_s` seconds."""

    def __init__(self, database: Database, idle_s: float) -> None:
        self._database = database
        self._jobs = Jobs(database)
        self._store = RunStore(database, runs_folder())
        self._idle_s = idle_s
        self._name = this_worker()
        self._code = source_digest()
        for name in STAGE_NAMES:
            discover(name)  # now, while it waits, and of that code: every job needs them

    def run(self) -> None:
        """Claim and do jobs; once the code on the disk is another than what runs here, leave them to a new worker."""
        last = time.monotonic()
        while time.monotonic() - last < self._idle_s:
            job = self._jobs.claim(self._name)
            if job is None and not self._helped():
                time.sleep(_POLL_S)
                continue
            if job is not None and source_digest() != self._code:
                _log.info("the code has changed; a new worker takes over")
                self._jobs.give_back(job.id, self._name)
                return
            if job is not None:
                self._do(job)
            last = time.monotonic()

    def _helped(self) -> bool:
        """Help with the first sweep that others lead and that has a piece of work to spare; return whether any had."""
        for job in self._jobs.led(SWEEP):
            if job.worker == self._name or job.payload.get("workers", 1) < 2 or source_digest() != self._code:
                continue
            try:
                with Heart(self._jobs, job, self._name, helps=True) as heart:
                    if help_sweep(job, heart, self._database, self._name):
                        return True
            except Cancelled:
                return True
            except Exception:
                # The leader meets the same error and tells it; a helper leaves it at that.
                _log.exception("helping with job %s ended", job.id)
                time.sleep(_POLL_S)
            finally:
                StoredClaims(self._database, self._name).clear()
        return False

    def _do(self, job: Job) -> None:
        _log.info("job %s begins: %s", job.id, job.title)
        try:
            with Heart(self._jobs, job, self._name) as heart:
                run_id = self._done(job, heart)
            self._jobs.finish(job.id, self._name, run_id)
        except Paused:
            self._jobs.paused(job.id, self._name)
        except Cancelled:
            self._jobs.cancelled(job.id, self._name)
        except WorkbenchError as error:
            self._jobs.fail(job.id, self._name, str(error), error.exit_code)
        except Exception:
            number = uuid.uuid4().hex[:8]
            _log.exception("error %s in job %s", number, job.id)
            sentence = f"Something went wrong inside the workbench (error {number}); {logs_folder()} has the details."
            self._jobs.fail(job.id, self._name, sentence, 1)
        finally:
            StoredClaims(self._database, self._name).clear()
        _log.info("job %s ends", job.id)

    def _done(self, job: Job, heart: Heart) -> str:
        if job.kind == EVALUATE:
            return do_evaluation(job, heart, self._store, Curves(self._database))
        if job.kind == FINETUNE:
            return do_finetune(job, heart, self._database, self._name)
        if job.kind == MODELS:
            return do_models(job, heart, self._database, self._name)
        return do_sweep(job, heart, self._database, self._name)


def _slot() -> WorkerLock | None:
    """Take a free slot; look again for a moment, for whoever counts the free ones holds them while it does."""
    for _ in range(_LOOKS):
        lock = first_free(home(), slots_given())
        if lock is not None:
            return lock
        time.sleep(_POLL_S)
    return None


def main() -> None:
    """Work, unless as many workers of this home folder as there may be are at it."""
    logs_folder().mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=logs_folder() / "worker.log",
        level=logging.INFO,
        format="%(asctime)s %(process)d %(levelname)s %(message)s",
    )
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    lock = _slot()
    if lock is None:
        sys.exit(0)
    try:
        database = Database(database_url())
        clear_leftovers(cache_folder(), runs_folder(), RunStore(database, runs_folder()))
        Worker(database, float(os.environ.get("RAG_WORKBENCH_IDLE_S", "20"))).run()
    finally:
        lock.release()


if __name__ == "__main__":
    main()
