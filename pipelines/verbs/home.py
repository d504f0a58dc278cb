"""What the home folder holds: the run store, the job table, the cache."""

from __future__ import annotations

from pipelines.cache import Cache
from pipelines.runs.database import Database
from pipelines.runs.jobs import Jobs
from pipelines.runs.store import RunStore
from pipelines.settings import cache_folder, database_url, runs_folder


def database() -> Database:
    """Return the database of this home folder."""
    return Database(database_url())


def store() -> RunStore:
    """Return the run store of this home folder."""
    return RunStore(database(), runs_folder())


def jobs() -> Jobs:
    """Return the job table of this home folder."""
    return Jobs(database())


def cache() -> Cache:
    """Return the artefact store of this home folder."""
    return Cache(cache_folder())
