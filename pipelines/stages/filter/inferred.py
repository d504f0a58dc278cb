"""What a question says of the metadata, as its filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from pipelines.records import Candidates
from pipelines.stages.filter import Asked, Filtered
from pipelines.stages.filter.inferring import Inferring, told
from pipelines.stages.filter.reading import Reader
from pipelines.stages.filter.widening import Widening, agreement, hard


class InferredFilter(Inferring, name="inferred", version=5):
    """Search only chunks with the values that the question names: companies, document types, years, quarters, dates.

    Choose it when questions name what they are about, and read `gold_survival`: what a wrong condition removes, no
    retrieval finds again. The vocabulary is that of the corpus's own metadata, so there is nothing to train; names are
    known also by shorter forms, and by your own aliases. English. About 0.3 ms a question.
    """

    least: int = Field(
        1,
        ge=0,
        le=10_000,
        description="Where fewer chunks meet all conditions, the least sure is dropped; 0 never does",
        json_schema_extra={"unit": "chunks"},
    )
    keep_missing: bool = Field(False, description="Also search chunks that lack the field that a condition is on")

    def open(self, filtered: Filtered) -> InferredSieve:
        """Learn the vocabulary of the metadata.

        Raises:
            ConfigurationError: for a field that no document has.
        """
        widening = Widening(filtered.columns, filtered.n_chunks, self.least, self.keep_missing)
        return InferredSieve(self.reader(filtered), widening)


@dataclass(frozen=True)
class InferredSieve:
    """Reads questions by the vocabulary that it has learnt."""

    reader: Reader
    widening: Widening

    def candidates(self, asked: Sequence[Asked]) -> Candidates:
        """Return what may be searched for each question."""
        guesses = [self.reader.guesses(one.text) for one in asked]
        met = [self.widening.of(own) for own in guesses]
        counts = agreement(asked, [one.kept for one in met], self.widening.columns)
        notes = told(asked, guesses, sum(one.widened for one in met))
        return hard(met, self.widening.n_chunks, counts, notes)
