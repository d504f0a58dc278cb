"""Each question's labelled values as its filter: the ceiling of what a filter can do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from pipelines.errors import counted, shorten
from pipelines.records import Candidates, Column, MetadataValue
from pipelines.stages.filter import Asked, Filter, Filtered
from pipelines.stages.filter.guess import Guess, among
from pipelines.stages.filter.widening import Widening, hard


class KnownFilter(Filter, name="known", version=1):
    """Search only chunks with the values that the question is labelled with: an interface that asks for them.

    Choose it to learn what a perfect filter would gain; `inferred` shows how much of that can be had without asking.
    A value that no chunk has is left out of the condition, and the run says so; a question without labels searches all.

    Costs next to nothing.
    """

    least: int = Field(
        1,
        ge=0,
        le=10_000,
        description="Where fewer chunks meet all values, the one that the fewest have is dropped; 0 never does",
        json_schema_extra={"unit": "chunks"},
    )

    def open(self, filtered: Filtered) -> _Labels:
        """Return the sieve; nothing is read beforehand."""
        return _Labels(filtered.columns, Widening(filtered.columns, filtered.n_chunks, self.least))


@dataclass(frozen=True)
class _Labels:
    columns: Mapping[str, Column]
    widening: Widening

    def candidates(self, asked: Sequence[Asked]) -> Candidates:
        labels = [label_guesses(one.known, self.columns) for one in asked]
        met = [self.widening.of(own) for own in labels]
        notes = [*unknown_labels(asked, self.columns), *_widened(sum(one.widened for one in met), len(asked))]
        return hard(met, self.widening.n_chunks, None, notes)


def label_guesses(known: Mapping[str, MetadataValue], columns: Mapping[str, Column]) -> list[Guess]:
    """Return the labelled values that some chunk has, as conditions."""
    return [among(name, (value,), 1.0, "label") for name, value in known.items() if has_value(columns, name, value)]


def has_value(columns: Mapping[str, Column], name: str, value: MetadataValue) -> bool:
    """Return whether some chunk has the value, of this very type, in this field."""
    if name not in columns:
        return False
    alike = [
        i for i, v in enumerate(columns[name].values) if v == value and isinstance(v, bool) == isinstance(value, bool)
    ]
    return any(bool(np.any(columns[name].codes == i)) for i in alike)


def unknown_labels(asked: Sequence[Asked], columns: Mapping[str, Column]) -> list[str]:
    """Say, in one sentence, which labels no chunk could meet."""
    unknown = [(n, v) for one in asked for n, v in one.known.items() if not has_value(columns, n, v)]
    if not unknown:
        return []
    n = sum(any(not has_value(columns, n, v) for n, v in one.known.items()) for one in asked)
    (name, value), _ = Counter(unknown).most_common(1)[0]
    why = "a field that no chunk has" if name not in columns else "a value that no chunk has"
    return [
        f"{counted(n, 'question')} of {len(asked):,} carry labels that no chunk has, most often {shorten(name)}: "
        f"{shorten(repr(value))} ({why}); such labels are left out of the filter."
    ]


def _widened(n: int, of: int) -> list[str]:
    return (
        [f"For {n:,} of {of:,} questions too few chunks meet all labelled values: the rarest were dropped."]
        if n
        else []
    )
