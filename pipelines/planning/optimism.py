"""What flatters a run: questions under evaluation that something in its pipeline has learnt from, or was chosen by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.records import Question
from pipelines.stages.embed import TrainedEmbedder
from pipelines.stages.rerank import TrainedReranker


def flattering(pipeline: Pipeline, dataset: Dataset, questions: Sequence[Question]) -> tuple[str, ...]:
    """Return a note for each way in which a trained embedder or reranker has seen `questions` before.

    Train questions that a reranker learnt from are told where it ranks them. What learnt from another dataset has seen
    none of these.
    """
    return tuple(_notes(pipeline, dataset, questions))


def _notes(pipeline: Pipeline, dataset: Dataset, questions: Sequence[Question]) -> Iterator[str]:
    embed, rerank = pipeline.embed, pipeline.rerank
    uses_vectors = pipeline.retrieve.needs_vectors or rerank.needs_vectors
    if isinstance(embed, TrainedEmbedder) and uses_vectors and not embed.learn_from:
        yield from _of_train(dataset, questions, f"embedder '{embed.name}'")
        yield from _of_dev(dataset, questions, f"embedder '{embed.name}'", embed.chosen_by())
    if isinstance(rerank, TrainedReranker) and not rerank.learn_from:
        yield from _of_dev(dataset, questions, f"reranker '{rerank.name}'", rerank.chosen_by())


def _of_train(dataset: Dataset, questions: Sequence[Question], what: str) -> Iterator[str]:
    n = _shared(dataset, questions, "train")
    if n:
        yield (
            f"OPTIMISTIC: {n} of the {len(questions)} questions are of the train split, from which the {what} learnt; "
            "believe its figures on test only."
        )


def _of_dev(dataset: Dataset, questions: Sequence[Question], what: str, metric: str) -> Iterator[str]:
    n = _shared(dataset, questions, "dev") if metric else 0
    if n:
        yield (
            f"OPTIMISTIC: {n} of the {len(questions)} questions are of the dev split, whose {metric} decided where the "
            f"training of the {what} stopped; believe its figures on test only."
        )


def _shared(dataset: Dataset, questions: Sequence[Question], split: str) -> int:
    known = {one.id for one in dataset.questions if one.split == split and one.answerable}
    return len(known & {one.id for one in questions})
