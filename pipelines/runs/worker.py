"""The worker process: claims jobs one at a time, keeps its lease alive, stops when asked, ends when idle.

Run as `python -m pipelines.runs.worker`. One worker a home folder: a second one finds the lock held and ends at once.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

from pipelines.cache import Cache
from pipelines.errors import Cancelled, StorageError, WorkbenchError
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.runs.database import Database
from pipelines.runs.evaluate import evaluate
from pipelines.runs.jobs import Job, Jobs, this_worker
from pipelines.runs.lock import WorkerLock
from pipelines.runs.store import RunStore
from pipelines.runs.versions import source_digest
from pipelines.settings import cache_folder, database_url, home, logs_folder, runs_folder

_BEAT_S = 0.5
_GRACE_S = 3.0
_POLL_S = 0.2
_log = logging.getLogger("rag_workbench.worker")


class Heart:
    """Beats for one job on a thread of its own; learns there that the user wants it to stop.

    Work that does not look up within the grace period (a long call into a library) is ended with the process:
    outputs are published by rename, so nothing half-written stays.
    """

    def __init__(self, jobs: Jobs, job: Job, worker: str) -> None:
        self._jobs, self._job, self._worker = jobs, job, worker
        self._progress: dict[str, Any] = {}
        self._stop, self._end = threading.Event(), threading.Event()
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
            Cancelled: when the user asked to stop.
        """
        self._progress = {"stage": stage, "done": done, "total": total}
        if self._stop.is_set():
            raise Cancelled("The work was cancelled; finished stages are kept.")

    def _run(self) -> None:
        while not self._end.wait(_BEAT_S):
            try:
                goes_on = self._jobs.beat(self._job.id, self._worker, self._progress)
            except StorageError as error:
                _log.warning("could not renew the lease: %s", error)
                continue
            if not goes_on:
                self._stop.set()
                self._give_grace()
                return

    def _give_grace(self) -> None:
        if not self._end.wait(_GRACE_S):
            _log.info("job %s did not stop by itself; the process ends", self._job.id)
            self._jobs.cancelled(self._job.id, self._worker)
            os._exit(0)


class Worker:
    """Does jobs until there have been none for `idle_s` seconds."""

    def __init__(self, database: Database, idle_s: float) -> None:
        self._jobs = Jobs(database)
        self._store = RunStore(database, runs_folder())
        self._idle_s = idle_s
        self._name = this_worker()
        self._code = source_digest()

    def run(self) -> None:
        """Claim and do jobs; once the code on the disk is another than what runs here, leave them to a new worker."""
        last = time.monotonic()
        while time.monotonic() - last < self._idle_s:
            job = self._jobs.claim(self._name)
            if job is None:
                time.sleep(_POLL_S)
                continue
            if source_digest() != self._code:
                _log.info("the code has changed; a new worker takes over")
                self._jobs.give_back(job.id, self._name)
                return
            self._do(job)
            last = time.monotonic()

    def _do(self, job: Job) -> None:
        _log.info("job %s begins: %s", job.id, job.title)
        try:
            with Heart(self._jobs, job, self._name) as heart:
                run_id = self._evaluated(job.payload, heart)
            self._jobs.finish(job.id, self._name, run_id)
        except Cancelled:
            self._jobs.cancelled(job.id, self._name)
        except WorkbenchError as error:
            self._jobs.fail(job.id, self._name, str(error), error.exit_code)
        except Exception:
            number = uuid.uuid4().hex[:8]
            _log.exception("error %s in job %s", number, job.id)
            sentence = f"Something went wrong inside the workbench (error {number}); {logs_folder()} has the details."
            self._jobs.fail(job.id, self._name, sentence, 1)
        _log.info("job %s ends", job.id)

    def _evaluated(self, payload: Mapping[str, Any], heart: Heart) -> str:
        dataset = Dataset.open(payload["dataset"])
        if dataset.version != payload["version"]:
            raise WorkbenchError(
                f"The dataset '{dataset.name}' was changed after this run was asked for; run it again as it is now."
            )
        pipeline = Pipeline.parse(payload["pipeline"], "the submitted pipeline")
        options = {"split": payload["split"], "name": payload["name"], "seed": payload["seed"]}
        done = evaluate(pipeline, dataset, Cache(cache_folder()), **options, watch=heart.watch)
        self._store.add(done.run, done.details)
        return done.run.id


def main() -> None:
    """Work, unless another worker of this home folder is at it."""
    logs_folder().mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=logs_folder() / "worker.log",
        level=logging.INFO,
        format="%(asctime)s %(process)d %(levelname)s %(message)s",
    )
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    lock = WorkerLock(home())
    if not lock.acquire():
        sys.exit(0)
    try:
        Worker(Database(database_url()), float(os.environ.get("RAG_WORKBENCH_IDLE_S", "20"))).run()
    finally:
        lock.release()


if __name__ == "__main__":
    main()
