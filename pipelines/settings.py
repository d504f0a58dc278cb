"""Where things lie on this machine, and how its stores are reached: environment variables, read at each use."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def home() -> Path:
    """Return the folder of everything the workbench writes: RAG_WORKBENCH_HOME, by default `var/` in the checkout."""
    named = os.environ.get("RAG_WORKBENCH_HOME")
    return Path(named).expanduser().resolve() if named else REPOSITORY / "var"


def cache_folder() -> Path:
    """Return the folder of the artefact store; it may be deleted at any time."""
    return home() / "cache"


def runs_folder() -> Path:
    """Return the folder of per-question scores and rankings, one folder a run."""
    return home() / "runs"


def logs_folder() -> Path:
    """Return the folder of the workers' logs."""
    return home() / "logs"


def database_url() -> str:
    """Return the run store's SQLAlchemy URL: RAG_WORKBENCH_DB, by default SQLite at `runs.db` in the home folder."""
    return os.environ.get("RAG_WORKBENCH_DB") or f"sqlite:///{home() / 'runs.db'}"


def dataset_folders() -> list[Path]:
    """Return where datasets are looked up by name: the user's own first, then the bundled ones."""
    return [home() / "datasets", REPOSITORY / "datasets"]
