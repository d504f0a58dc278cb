"""Claims in the run store: of several workers, the one that holds a key's claim computes its output."""

from __future__ import annotations

import time

from sqlalchemy import Connection, delete, select, update

from pipelines.runs.database import Database
from pipelines.runs.jobs import LEASE_S, is_dead
from pipelines.runs.schema import claim


class StoredClaims:
    """The claims of one worker: each with a lease that its heartbeat renews, so that a dead worker's are free again.

    Only who computes is settled here. What was computed is found by its address, so a claim that is lost, or two
    workers that believe they hold it, cost time and never a wrong number.
    """

    def __init__(self, database: Database, worker: str) -> None:
        self._db, self._worker = database, worker
        self._held: set[str] = set()

    def take(self, key: str) -> bool:
        """Claim a key; return False while another living worker holds it."""
        if key in self._held:
            return True
        with self._db.writing() as connection:
            taken = self._taken(connection, key)
        if taken:
            self._held.add(key)
        return taken

    def _taken(self, connection: Connection, key: str) -> bool:
        values = {"worker": self._worker, "lease_until": time.time() + LEASE_S}
        held = connection.execute(select(claim.c.worker, claim.c.lease_until).where(claim.c.key == key)).first()
        if held is None:
            connection.execute(claim.insert().values(key=key, **values))
            return True
        if held.worker != self._worker and held.lease_until >= time.time() and not is_dead(held.worker):
            return False
        connection.execute(update(claim).where(claim.c.key == key).values(**values))
        return True

    def give_back(self, key: str) -> None:
        """End a claim."""
        if key not in self._held:
            return
        self._held.discard(key)
        with self._db.writing() as connection:
            connection.execute(delete(claim).where(claim.c.key == key, claim.c.worker == self._worker))

    def clear(self) -> None:
        """End all claims of this worker."""
        self._held.clear()
        with self._db.writing() as connection:
            connection.execute(delete(claim).where(claim.c.worker == self._worker))
