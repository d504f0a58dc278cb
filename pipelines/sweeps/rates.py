"""How fast this machine does each kind of work: measured whenever it is done, kept in the run store, updated."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update

from pipelines.models.devices import machine
from pipelines.runs.database import Database
from pipelines.runs.schema import rate

_MEMORY = 0.8
"""Share of the weight that earlier work keeps each time: a machine that was busy once is believed again soon."""


class Rates:
    """Seconds a unit of each kind of work ("embed minilm": characters), on this machine."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._new: dict[str, tuple[float, float]] = {}

    def enter(self, what: str, units: float, seconds: float) -> None:
        """Take note of work that was done; it is kept by `flush`."""
        before = self._new.get(what, (0.0, 0.0))
        self._new[what] = (before[0] + units, before[1] + seconds)

    def flush(self) -> None:
        """Keep what was entered since the last time."""
        new, self._new = self._new, {}
        with self._db.writing() as connection:
            for what, (units, seconds) in new.items():
                mine = (rate.c.machine == machine()[:200]) & (rate.c.what == what)
                held = connection.execute(select(rate.c.units, rate.c.seconds).where(mine)).first()
                if held is None:
                    values = {"machine": machine()[:200], "what": what, "units": units, "seconds": seconds}
                    connection.execute(rate.insert().values(**values))
                else:
                    values = {"units": _MEMORY * held.units + units, "seconds": _MEMORY * held.seconds + seconds}
                    connection.execute(update(rate).where(mine).values(**values))

    def seconds_a_unit(self) -> Mapping[str, float]:
        """Return what is known of this machine."""
        query = select(rate.c.what, rate.c.units, rate.c.seconds).where(rate.c.machine == machine()[:200])
        with self._db.reading() as connection:
            return {what: seconds / units for what, units, seconds in connection.execute(query) if units > 0}
