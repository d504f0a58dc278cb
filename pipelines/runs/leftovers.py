"""What was left behind: half-written outputs, results without a run, trainings that nobody went on with."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from pipelines.aside import age_s, remove_left
from pipelines.errors import WorkbenchError
from pipelines.runs.store import RunStore

_ORPHAN_AGE_S = 3600.0
"""A run's file is written before its row, which waits half a minute at most: an hour later there will be none."""

_UNFINISHED_AGE_S = 30 * 86_400.0
"""A training that was stopped goes on from its checkpoints; after so long without one, nobody is expected to."""

_log = logging.getLogger("rag_workbench.worker")


def clear_leftovers(cache: Path, runs: Path, store: RunStore) -> int:
    """Remove them; return how many there were. What a living process is at stays, and every run that has a row.

    What cannot be removed or looked at is left for the next time.
    """
    try:
        removed = remove_left(cache / "incoming") + remove_left(runs, ".*")
        orphans = _orphans(runs, store) + _unfinished(cache / "training")
        for path in orphans:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    except (OSError, WorkbenchError) as error:
        _log.warning("leftovers could not be removed: %s", error)
        return 0
    if removed or orphans:
        _log.info("removed %d half-written outputs, %d results without a run or old checkpoints", removed, len(orphans))
    return removed + len(orphans)


def _orphans(runs: Path, store: RunStore) -> list[Path]:
    """Return the files and folders of runs that have no row."""
    old = [path for path in runs.glob("[!.]*") if age_s(path) > _ORPHAN_AGE_S]
    known = store.known([path.stem for path in old])
    return [path for path in old if path.stem not in known]


def _unfinished(trainings: Path) -> list[Path]:
    """Return the folders of checkpoints of trainings that were given up."""
    return [path for path in trainings.glob("*") if age_s(path) > _UNFINISHED_AGE_S]
