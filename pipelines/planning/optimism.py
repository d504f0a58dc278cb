"""What flatters a run: questions under evaluation that something in its pipeline has learnt from, or was chosen by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.errors import shorten
from pipelines.golden.dataset import Dataset
from pipelines.near_duplicates import alike_between, alike_on_one_span
from pipelines.pipeline import Pipeline
from pipelines.records import Question
from pipelines.stages.embed import TrainedEmbedder
from pipelines.stages.rerank import TrainedReranker


def flattering(pipeline: Pipeline, dataset: Dataset, questions: Sequence[Question]) -> tuple[str, ...]:
    """Return a note for each way in which a trained embedder or reranker has seen `questions` before.

    Train questions that a reranker learnt from are told where it ranks them. What learnt from another dataset has seen
    those that nearly repeat one of its train questions, or one of dev that decided.
    """
    return tuple(_notes(pipeline, dataset, questions))


def _notes(pipeline: Pipeline, dataset: Dataset, questions: Sequence[Question]) -> Iterator[str]:
    embed, rerank = pipeline.embed, pipeline.rerank
    uses_vectors = pipeline.retrieve.needs_vectors or rerank.needs_vectors
    if isinstance(embed, TrainedEmbedder) and uses_vectors:
        yield from _of_learner(dataset, questions, embed, f"embedder '{embed.name}'")
    if isinstance(rerank, TrainedReranker):
        yield from _of_learner(dataset, questions, rerank, f"reranker '{rerank.name}'")


def _of_learner(
    dataset: Dataset, questions: Sequence[Question], learner: TrainedEmbedder | TrainedReranker, what: str
) -> Iterator[str]:
    if learner.learn_from:
        yield from _of_another(Dataset.open(learner.learn_from), questions, what, learner.chosen_by())
        return
    if isinstance(learner, TrainedEmbedder):
        yield from _of_train(dataset, questions, what)
    yield from _of_dev(dataset, questions, what, learner.chosen_by())


def _of_another(learnt: Dataset, questions: Sequence[Question], what: str, metric: str) -> Iterator[str]:
    seen = [one for one in learnt.questions if one.split in ("train", "dev" if metric else "train") and one.answerable]
    repeated = {j for _, j in (*alike_between(seen, questions), *alike_on_one_span(seen, questions))}
    if repeated:
        yield (
            f"OPTIMISTIC: {len(repeated)} of the {len(questions)} questions nearly repeat one of the dataset "
            f"'{shorten(learnt.name)}', from which the {what} learnt; believe its figures on the others only."
        )


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
