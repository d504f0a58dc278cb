"""Training a cross-encoder on the mined pairs, by the trainer of sentence-transformers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.training.card import write_record
from pipelines.training.checkpoints import Checkpoints, written
from pipelines.training.course import Course
from pipelines.training.lesson import PairDev, PairLesson, Workshop
from pipelines.training.pair_base import base_of
from pipelines.training.pair_card import pair_record, write_pair_card
from pipelines.training.pair_lists import TextList, lists_of
from pipelines.training.pair_memory import memory_stated
from pipelines.training.pair_methods import PAIR_TRAINING_VERSION, PairTraining
from pipelines.training.running import Running, reproducibly

if TYPE_CHECKING:
    from pipelines.training.trainer import PairTrainer, Watch


def train_pair_encoder(how: PairTraining, lesson: PairLesson, folder: Path, workshop: Workshop) -> None:
    """Write the trained cross-encoder into `folder`: plain sentence-transformers, with a card and a record.

    The weights of the epoch with the best dev metric are written, those of the last where there is no dev metric: also
    where even the best ranks worse than retrieval alone, for a reranker was asked for; a note says so, and so do the
    card and the record.

    Raises:
        Cancelled: when `workshop.progress` does; what was learnt up to there is kept for the next start.
        ConfigurationError: for a base that cannot be loaded, too little memory, or a training that diverges.
        DatasetError: when there are too few pairs.
        StorageError: when the disk is full; what was learnt up to the last checkpoint is kept.
    """
    lists = lists_of(lesson.pairs, how.random_negatives, how.seed)
    workshop.note(memory_stated(how, max(len(one.texts) for one in lists)))
    with reproducibly(how.seed, how.device):
        model = base_of(how)
        running = _running(how, lists, lesson.dev, workshop, model)
        running.run(*((lesson.dev.metric, lesson.dev.before) if lesson.dev else ()))
        running.take_best()
        _say_how_it_went(running.course, lesson.dev, workshop)
        record = pair_record(how, lists, lesson, running.course, workshop.about or {})
        with written(folder, "write the trained model"):
            model.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
            write_record(folder, record)
            write_pair_card(folder, record)
    running.checkpoints.clear()
    n_texts = sum(len(one.texts) for one in lists) * running.course.n_ended
    workshop.worked("train pairs", n_texts, running.course.elapsed())


class QuestionBatches:
    """The questions of each step, drawn anew for every epoch: by the seed and the epoch alone, to be replayed."""

    def __init__(self, n: int, size: int, seed: int) -> None:
        self._n, self._seed = n, seed
        self.n_batches = -(-n // size)

    def of(self, epoch: int) -> list[list[int]]:
        """Return the positions of each batch's questions: of nearly equal size, for a small rest would count more."""
        order = np.random.default_rng((self._seed, epoch)).permutation(self._n)
        return [part.tolist() for part in np.array_split(order, self.n_batches)]


def _running(
    how: PairTraining, lists: Sequence[TextList], dev: PairDev | None, workshop: Workshop, model: Any
) -> Running:
    batches = QuestionBatches(len(lists), how.batch, how.seed)
    course = Course(batches.n_batches * how.epochs, how.epochs, how.patience)
    checkpoints = Checkpoints(workshop.checkpoints, _identity(how, lists))
    running = Running(model, course, checkpoints, workshop, _trainer(how, lists, batches, model, workshop))
    if dev is not None:
        running.measured = lambda: _measured(how, model, dev, running)
    return running


def _measured(how: PairTraining, model: Any, dev: PairDev, running: Running) -> float:
    from pipelines.training.pair_objective import scores_of

    return dev.by_scores(scores_of(model, dev.pairs, running.still, bfloat16=how.precision == "bfloat16"))


def _trainer(
    how: PairTraining, lists: Sequence[TextList], batches: QuestionBatches, model: Any, workshop: Workshop
) -> Callable[[Watch], PairTrainer]:
    """Return what makes the library's trainer, with our batches and loss."""
    from datasets import Dataset
    from sentence_transformers import CrossEncoderTrainingArguments

    from pipelines.training.pair_objective import PairObjective
    from pipelines.training.trainer import PairTrainer, arguments

    own = arguments(
        CrossEncoderTrainingArguments,
        workshop.checkpoints,
        how.device,
        num_train_epochs=how.epochs,
        per_device_train_batch_size=how.batch,
        learning_rate=how.learning_rate,
        warmup_steps=round(how.warmup * batches.n_batches * how.epochs),
        seed=how.seed,
    )
    columns = {
        "question": [one.question for one in lists],
        "texts": [list(one.texts) for one in lists],
        "labels": [list(one.grades) for one in lists],
    }
    objective = PairObjective(model, how.loss, bfloat16=how.precision == "bfloat16")
    return lambda watch: PairTrainer(
        batches, watch, model=model, args=own, train_dataset=Dataset.from_dict(columns), loss=objective
    )


def _identity(how: PairTraining, lists: Sequence[TextList]) -> str:
    """Return a digest of all that a checkpoint must have in common with the training that goes on from it."""
    rows = [[one.question, one.texts, one.grades] for one in lists]
    return sha256(json.dumps([PAIR_TRAINING_VERSION, asdict(how), rows], default=str).encode()).hexdigest()


def _say_how_it_went(course: Course, dev: PairDev | None, workshop: Workshop) -> None:
    best = course.best
    if best is None or dev is None or course.before is None:
        return
    measured = f"{course.metric} {course.before:.4f} as retrieved, {best['value']:.4f} in the model's order alone"
    told = f"On {dev.n_questions:,} dev questions, 20 chunks of a hybrid search each: {measured}."
    if best["value"] < course.before:
        told += " The model ranks worse than retrieval alone: lower its weight, mark more questions, or do without."
    workshop.note(told)
