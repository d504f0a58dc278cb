"""Filter: which chunks a search may return at all, by their metadata, before it searches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from pipelines.component import Component
from pipelines.records import Candidates, Column, MetadataValue


@dataclass(frozen=True)
class Asked:
    """What a filter may know of a question: its text, and the values that it was labelled with."""

    text: str
    known: Mapping[str, MetadataValue]


@dataclass(frozen=True)
class Filtered:
    """What is filtered: metadata columns with one row a chunk, and the chunks' texts for a filter that needs them."""

    columns: Mapping[str, Column]
    n_chunks: int
    texts: Sequence[str] = ()


class Sieve(Protocol):
    """A filter that has read what it filters."""

    def candidates(self, asked: Sequence[Asked]) -> Candidates:
        """Return what may be searched for each question. A question's own never depend on the others asked."""
        ...


class Filter(Component, stage="filter"):
    """Leaves out chunks by their metadata."""

    needs_texts: ClassVar[bool] = False

    @abstractmethod
    def open(self, filtered: Filtered) -> Sieve:
        """Read the metadata once; the sieve then answers any number of batches.

        Raises:
            ConfigurationError: for a field that no document has.
        """

    def candidates(
        self, asked: Sequence[Asked], columns: Mapping[str, Column], n_chunks: int, texts: Sequence[str] = ()
    ) -> Candidates:
        """Return what may be searched for each question: read and asked once."""
        return self.open(Filtered(columns, n_chunks, texts)).candidates(asked)
