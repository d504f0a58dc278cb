"""Filter: which chunks a search may return at all, by their metadata, before it searches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.component import Component
from pipelines.records import Candidates, Column, MetadataValue


@dataclass(frozen=True)
class Asked:
    """What a filter may know of a question: its text, and the values that it was labelled with."""

    text: str
    known: Mapping[str, MetadataValue]


class Filter(Component, stage="filter"):
    """Leaves out chunks by their metadata."""

    @abstractmethod
    def candidates(self, asked: Sequence[Asked], columns: Mapping[str, Column], n_chunks: int) -> Candidates:
        """Return what may be searched for each question; `columns` hold one row a chunk."""
