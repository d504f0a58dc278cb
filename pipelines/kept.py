"""A kept run with what it was evaluated on: its dataset, questions, documents and chunks, stored or made again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.cache import Cache
from pipelines.errors import NotFoundError, shorten
from pipelines.execution import Execution
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import Plan, plan
from pipelines.records import PADDING, BoolArray, Chunks, Documents, Gold, Question
from pipelines.runs.depth import dataset_of
from pipelines.runs.record import ALL_QUESTIONS, Details, Run


@dataclass(frozen=True, eq=False)
class KeptRun:
    """A run as the store holds it, opened together with its dataset; row q of the details is `questions[q]`."""

    run: Run
    details: Details
    dataset: Dataset
    plan: Plan
    execution: Execution

    @classmethod
    def open(cls, run: Run, details: Details, cache: Cache) -> KeptRun:
        """Open a run's dataset; nothing is parsed or cut before it is asked for.

        Raises:
            NotFoundError: when the dataset is gone or was changed since, or lacks a question of the run.
            ConfigurationError: when the run's pipeline is none any more.
        """
        dataset = dataset_of(run)
        split = None if run.split == ALL_QUESTIONS else run.split
        by_id = {question.id: question for question in dataset.select(split)}
        lost = next((name for name in details.question_ids if name not in by_id), None)
        if lost is not None:
            raise NotFoundError(
                f"The question '{shorten(lost, 60)}' of run '{shorten(run.name)}' is not in its dataset any more; "
                "evaluate the run again."
            )
        pipeline = Pipeline.parse(run.settings, f"the pipeline of run '{shorten(run.name)}'")
        made = plan(pipeline, dataset, [by_id[name] for name in details.question_ids])
        return cls(run, details, dataset, made, Execution(cache))

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions of the run, in the order of its details."""
        return self.plan.questions

    @cached_property
    def documents(self) -> Documents:
        """The documents as the run parsed them."""
        return self.execution.get(self.plan.documents)

    @cached_property
    def located(self) -> tuple[Question, ...]:
        """The questions with their evidence located in the documents as the run parsed them."""
        split = None if self.run.split == ALL_QUESTIONS else self.run.split
        found = self.dataset.resolved(split, self.plan.pipeline.load)
        by_id = {question.id: question for question in found}
        return tuple(by_id[question.id] for question in self.questions)

    @cached_property
    def gold(self) -> Gold:
        """The relevant evidence of the questions in these documents."""
        return self.execution.get(self.plan.gold)

    @cached_property
    def chunks(self) -> Chunks:
        """The chunks that the rankings count.

        Raises:
            NotFoundError: when they are cut otherwise by now than when the run was made.
        """
        chunks = self.execution.get(self.plan.chunks)
        if not _same(self.details, chunks, self.documents).all():
            raise NotFoundError(
                f"The chunks of run '{shorten(self.run.name)}' are cut otherwise by this version of the workbench; "
                "evaluate the run again."
            )
        return chunks


def _same(details: Details, chunks: Chunks, documents: Documents) -> BoolArray:
    """Return for every ranked chunk whether it lies where the run found it, bool [n_ranked]."""
    rankings, spans = details.rankings, details.spans
    at = rankings.chunk != PADDING
    ranked = rankings.chunk[at]
    if len(ranked) and int(ranked.max()) >= len(chunks):
        return np.zeros(1, dtype=np.bool_)
    names = np.asarray([documents.position.get(name, PADDING) for name in spans.ids], dtype=np.int32)
    document = names[spans.document[at]] if len(names) else np.zeros(0, dtype=np.int32)
    same: BoolArray = (chunks.document[ranked] == document) & (chunks.start[ranked] == spans.start[at])
    return np.asarray(same & (chunks.end[ranked] == spans.end[at]), dtype=np.bool_)
