"""Which pairs are learnt from together: batches of nearly equal size in which nothing is repeated where that can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.training.examples import Example


@dataclass
class _Open:
    """A batch that is being filled: room for how many, whose pairs, and which texts it holds as question or answer."""

    room: int
    rows: list[int] = field(default_factory=list)
    held: set[int] = field(default_factory=set)

    def put(self, row: int, one: Example) -> None:
        self.rows.append(row)
        self.held |= {one.question, one.positive}

    def has(self, one: Example) -> bool:
        return one.question in self.held or one.positive in self.held


class Batches:
    """The batches of any epoch: they follow from the seed and the number of the epoch alone, so they can be replayed.

    No batch holds one question or one positive twice, unless there is no other place left (those that are repeated most
    are placed first): a repeated text is then counted once, and no answer of a question is ever its negative. All
    epochs have equally many batches, and all batches nearly equally many pairs: a small rest would have next to no
    negatives. Texts of like length are not put together, since the other texts of a batch are its negatives; they are
    computed together within their batch.
    """

    def __init__(self, rows: Sequence[Example], size: int, seed: int) -> None:
        self._rows, self._seed = rows, seed
        self.n_batches = -(-len(rows) // size)
        asked, found = Counter(one.question for one in rows), Counter(one.positive for one in rows)
        self._repeated = [max(asked[one.question], found[one.positive]) for one in rows]

    def of(self, epoch: int) -> list[list[int]]:
        """Return the positions of each batch's pairs, in the epoch numbered from 0."""
        random = np.random.default_rng((self._seed, epoch))
        order = sorted(random.permutation(len(self._rows)).tolist(), key=lambda row: -self._repeated[row])
        batches = [_Open(len(part)) for part in np.array_split(np.arange(len(order)), self.n_batches)]
        free, late = list(batches), []
        for n, row in enumerate(order):
            places = (free[(n + i) % len(free)] for i in range(len(free)))
            place = next((one for one in places if not one.has(self._rows[row])), None)
            if place is None:
                late.append(row)
                continue
            place.put(row, self._rows[row])
            if len(place.rows) == place.room:
                free.remove(place)
        for row in late:
            place = next(one for one in free if len(one.rows) < one.room)
            place.put(row, self._rows[row])
        return [batches[i].rows for i in random.permutation(len(batches))]
