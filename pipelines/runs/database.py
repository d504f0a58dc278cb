"""The connection to the run store: SQLite by default, any SQLAlchemy URL by setting; migrated when it is opened."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from pipelines.errors import MissingExtraError, StorageError, WorkbenchError, shorten, storage_errors

HEAD = "0004"
_BUSY_TIMEOUT_MS = 30_000
_WAL_ATTEMPTS = 200
_WRITE_LOCK = 7211001
_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """Transactions on the run store. Every write takes the store's one write lock at its beginning."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _engine(url)
        self._migrate()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with _as_storage_errors(self.url), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes: committed at the end, rolled back on any error."""
        engine = self._engine.execution_options(writes=True)
        with _as_storage_errors(self.url), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"select pg_advisory_xact_lock({_WRITE_LOCK})"))
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _migrate(self) -> None:
        with _as_storage_errors(self.url):
            if self._revision() != HEAD:
                self._upgrade()

    def _revision(self) -> str | None:
        with self._engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("select version_num from alembic_version")).scalar()

    def _upgrade(self) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with self._engine.execution_options(writes=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"select pg_advisory_xact_lock({_WRITE_LOCK})"))
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD)


@lru_cache(maxsize=8)
def _engine(url: str) -> Engine:
    try:
        engine = create_engine(url)
    except ModuleNotFoundError as error:
        extra = "postgres" if url.startswith("postgresql") else "dev"
        raise MissingExtraError(str(error.name), extra) from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise WorkbenchError(
            "RAG_WORKBENCH_DB is not a database URL that SQLAlchemy knows; write one such as "
            "sqlite:////data/runs.db or postgresql+psycopg://user@host/name."
        ) from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    if engine.url.database:
        folder = Path(engine.url.database).parent
        with storage_errors(folder, "create the folder of the run store"):
            folder.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in (f"busy_timeout={_BUSY_TIMEOUT_MS}", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            _set_wal(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_wal(connection: Any) -> None:
    """Switch a new database to write-ahead logging. SQLite does not heed the busy timeout here, so try again."""
    for attempt in range(_WAL_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if attempt == _WAL_ATTEMPTS - 1:
                raise
            time.sleep(0.05)


@contextmanager
def _as_storage_errors(url: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        place = url.rsplit("@", 1)[-1]
        cause = shorten(error.orig if isinstance(error, DBAPIError) else error, 300).rstrip(".")
        todo = "see that it can be reached, or correct RAG_WORKBENCH_DB"
        if "full" in cause:
            todo = "free some space, or set RAG_WORKBENCH_HOME to a folder on another disk"
        raise StorageError(f"The run store at {place} refused ({cause}); {todo}. Finished runs are kept.") from error
