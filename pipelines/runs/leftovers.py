"""What killed processes left behind: half-written outputs, and per-question results without a run."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from pipelines.aside import age_s, remove_left
from pipelines.errors import WorkbenchError
from pipelines.runs.store import RunStore

_ORPHAN_AGE_S = 3600.0
"""A run's file is written before its row, which waits half a minute at most: an hour later there will be none."""

_log = logging.getLogger("rag_workbench.worker")


def clear_leftovers(cache: Path, runs: Path, store: RunStore) -> int:
    """Remove them; return how many there were. What a living process is at stays, and every run that has a row.

    What cannot be removed or looked at is left for the next time.
    """
    try:
        removed = remove_left(cache / "incoming") + remove_left(runs, ".*")
        orphans = _orphans(runs, store)
        for path in orphans:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    except (OSError, WorkbenchError) as error:
        _log.warning("leftovers could not be removed: %s", error)
        return 0
    if removed or orphans:
        _log.info("removed %d half-written outputs and %d results without a run", removed, len(orphans))
    return removed + len(orphans)


def _orphans(runs: Path, store: RunStore) -> list[Path]:
    """Return the files and folders of runs that have no row."""
    old = [path for path in runs.glob("[!.]*") if age_s(path) > _ORPHAN_AGE_S]
    known = store.known([path.stem for path in old])
    return [path for path in old if path.stem not in known]
