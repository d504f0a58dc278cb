"""What each configuration of a sweep cost: a shared output counts where it was needed first, and is free after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.cache import Cache, Entry
from pipelines.execution import Node, StageReport, upstream
from pipelines.runs.measure import Account, Evaluation


@dataclass(frozen=True)
class Executions:
    """Distinct stage executions: how many were needed, and how many of them were computed, the rest looked up."""

    distinct: int = 0
    computed: int = 0

    def and_(self, other: Executions) -> Executions:
        """Return the sum."""
        return Executions(self.distinct + other.distinct, self.computed + other.computed)


@dataclass
class Accounts:
    """The accounts of a batch, whose evaluations stand in the order of their numbers.

    What was in the store before the batch was `proposed` (seconds since 1970) is free for all. All follows from the
    store, so a sweep that was interrupted reads the same afterwards.
    """

    cache: Cache
    proposed: float
    evaluations: Sequence[tuple[int, Evaluation]]
    _first: dict[str, int] = field(default_factory=dict)
    _entries: dict[str, Entry | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find out who needs each output first."""
        seen: set[str] = set()
        for number, evaluation in self.evaluations:
            self._first.update({node.key: number for node in upstream(evaluation.needs, seen)})

    def of(self, number: int, evaluation: Evaluation) -> Account:
        """Return the account of one evaluation, whose outputs are all in the store."""
        reports: dict[str, StageReport] = {}
        notes: dict[str, None] = {}
        for node in _stored(evaluation):
            report = reports.setdefault(node.stage, StageReport())
            entry = self._entry(node)
            if entry is None:
                continue
            report.seconds_computed += entry.seconds
            notes |= dict.fromkeys(entry.notes)
            if entry.made >= self.proposed and self._first.get(node.key) == number:
                report.seconds += entry.seconds
                report.found = "miss"
        return Account(sum(report.seconds for report in reports.values()), reports, list(notes))

    def executions(self) -> Executions:
        """Return how many distinct outputs the batch needed, and how many of them were computed for it."""
        seen: set[str] = set()
        kept = [node for _, one in self.evaluations for node in upstream(one.needs, seen) if node.codec is not None]
        made = [entry.made for entry in map(self._entry, kept) if entry is not None]
        return Executions(len(kept), sum(at >= self.proposed for at in made))

    def _entry(self, node: Node[Any]) -> Entry | None:
        if node.key not in self._entries:
            self._entries[node.key] = self.cache.entry(node.stage, node.key)
        return self._entries[node.key]


def _stored(evaluation: Evaluation) -> Iterable[Node[Any]]:
    return (node for node in upstream(evaluation.needs) if node.codec is not None)
