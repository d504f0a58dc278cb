"""The curves of trainings in the run store: whoever trains tells each point, and the curve is there as it grows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select

from pipelines.runs.database import Database
from pipelines.runs.schema import training_point as table

_KEEP_EVERY_S = 1.0
_KEYS_AT_ONCE = 200


class Curves:
    """Points by the key of what is trained. A step that is told again, as after a crash, replaces what was told."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._new: dict[tuple[str, int], dict[str, object]] = {}
        self._kept = 0.0

    def enter(self, key: str, point: Mapping[str, object]) -> None:
        """Take note of a point; it is kept at once where a metric was measured, else within about a second."""
        step = int(str(point["step"]))
        self._new[key, step] = _over(self._new.get((key, step), {}), point)
        last = step >= int(str(point.get("steps", 0)))
        if last or point.get("dev") is not None or time.monotonic() - self._kept > _KEEP_EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Keep what was entered since the last time."""
        new, self._new, self._kept = self._new, {}, time.monotonic()
        if not new:
            return
        with self._db.writing() as connection:
            known = _taken(connection, list(new))
            rows = [
                {"training": key, "step": step, "body": _over(known.get((key, step), {}), body)}
                for (key, step), body in new.items()
            ]
            connection.execute(table.insert(), rows)

    def of(self, keys: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the points of these trainings in order of step, for those that have any."""
        found: dict[str, list[dict[str, Any]]] = {}
        with self._db.reading() as connection:
            for at in range(0, len(keys), _KEYS_AT_ONCE):
                query = select(table).where(table.c.training.in_(keys[at : at + _KEYS_AT_ONCE]))
                for key, _, body in connection.execute(query.order_by(table.c.training, table.c.step)):
                    found.setdefault(key, []).append(dict(body))
        return found


def _over(known: Mapping[str, object], told: Mapping[str, object]) -> dict[str, object]:
    """Return a point as it is told, and what it does not tell as it was known: its loss comes before its metric."""
    return {**told, **known, **{name: value for name, value in told.items() if value not in (None, "")}}


def _taken(connection: Connection, steps: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Mapping[str, object]]:
    """Return what was kept of these steps, and forget it."""
    found: dict[tuple[str, int], Mapping[str, object]] = {}
    for at in range(0, len(steps), _KEYS_AT_ONCE):
        part = steps[at : at + _KEYS_AT_ONCE]
        same = or_(*(and_(table.c.training == key, table.c.step == step) for key, step in part))
        found |= {(key, step): body for key, step, body in connection.execute(select(table).where(same))}
        connection.execute(delete(table).where(same))
    return found
