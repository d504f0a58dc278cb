"""Every metric of the design, for all questions at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field, field_validator

from pipelines.records import Metric, Scores
from pipelines.stages.score import Evaluation, Scorer, chunking, cost, documents, filtering, items, spans
from pipelines.stages.score.families import FAMILIES, Family
from pipelines.stages.score.measured import REASONS, Measured, Reason
from pipelines.stages.score.relevant import Relevant
from pipelines.stages.score.retrieved import Cuts, Matches, Retrieved


class StandardScorer(Scorer, name="standard", version=3):
    """Score on spans, documents, filter and cost. Compare chunk sizes at a token budget, everything else at k.

    There is no other choice, as all runs are to be scored alike; choose cut-offs and budgets by what your application
    hands on. Costs next to nothing: a hundred configurations of hundreds of questions take a second.
    """

    cutoffs: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(
        (1, 3, 5, 10, 20),
        min_length=1,
        description="Numbers of chunks (documents, for doc metrics) after which the list is cut",
        json_schema_extra={"unit": "chunks"},
    )
    budgets_tokens: tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...] = Field(
        (500, 1000, 2000, 4000),
        description="Lengths of context at which chunkings of different sizes are compared",
        json_schema_extra={"unit": "tokens"},
    )
    coverage: float = Field(
        0.5,
        gt=0.0,
        le=1.0,
        description="Share of a piece of evidence that must be handed on for it to count as found",
        json_schema_extra={"unit": "share"},
    )

    @field_validator("cutoffs", "budgets_tokens")
    @classmethod
    def _sorted_and_unique(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        # One spelling a set of cut-offs: equal settings then have equal keys.
        return tuple(sorted(set(values)))

    def metrics(self) -> tuple[Metric, ...]:
        """Declare every family at every cut-off and budget that it knows."""
        return tuple(metric for family in FAMILIES for metric in family.metrics(self.cutoffs, self.budgets_tokens))

    def score(self, evaluation: Evaluation) -> Scores:
        """Score every question on every metric, [n_questions, n_metrics]."""
        relevant = Relevant.of(evaluation.gold)
        measured = self._measure(evaluation, relevant)
        columns = [_with_gold(measured[family.name], family, relevant) for family in FAMILIES]
        values = np.concatenate([column.values for column in columns], axis=1)
        reason = np.concatenate([column.reason for column in columns], axis=1)
        return Scores(self.metrics(), values, reason, REASONS)

    def _measure(self, evaluation: Evaluation, relevant: Relevant) -> Mapping[str, Measured]:
        retrieved = Retrieved.of(evaluation.rankings, evaluation.chunks)
        matches = Matches.of(relevant, retrieved)
        cuts = Cuts.of(retrieved, self.cutoffs, self.budgets_tokens)
        return {
            **spans.measure(spans.Coverage.of(relevant, retrieved, matches, cuts), retrieved, cuts),
            **items.measure(items.gained_items(relevant, retrieved, matches, self.coverage), cuts),
            **documents.measure(documents.folded_items(relevant, retrieved, matches), self.cutoffs),
            **chunking.measure(relevant, evaluation.chunks, evaluation.candidates),
            **filtering.measure(evaluation.candidates),
            **cost.measure(retrieved, cuts),
        }


def _with_gold(measured: Measured, family: Family, relevant: Relevant) -> Measured:
    """Take the values from questions that lack the gold which the family cannot do without."""
    if family.gold == "none":
        return measured
    if family.gold == "characters":
        measured = measured.unless((relevant.chars == 0)[:, None], Reason.NO_CHARACTERS)
    return measured.unless(~relevant.answerable[:, None], Reason.UNANSWERABLE)
