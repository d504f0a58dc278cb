"""A row of the table of base models, while it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.finetune.base_columns import columns


@dataclass
class ModelRow:
    """A row that is being made: what is not set is None."""

    label: str
    metrics: Sequence[str]
    values: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def set(self, column: str, value: Any, reason: str | None = None) -> None:
        """Enter a figure, or why there is none."""
        self.values[column] = value
        if value is None and reason:
            self.reasons[column] = reason

    def done(self, error: str | None = None) -> dict[str, Any]:
        """Return the row."""
        names = [column.name for column in columns(self.metrics)]
        own = {**self.values, "model": self.label, "notes": " ".join(self.notes) or None, "error": error}
        return {**{name: own.get(name) for name in names}, "reasons": dict(self.reasons)}

    def refused(self, error: str) -> dict[str, Any]:
        """Return the row of a model that could not be compared."""
        return self.done(error)
