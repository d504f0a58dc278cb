"""Training an encoder's weights, in full or through matrices beside them, by the trainer of sentence-transformers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import Cancelled, ConfigurationError, counted
from pipelines.models.devices import resolve_device, threads
from pipelines.models.loading import load_model
from pipelines.training import dev_metric
from pipelines.training.card import write_card, write_record
from pipelines.training.checkpoints import WEIGHTS, Checkpoints, written
from pipelines.training.collation import Collator
from pipelines.training.course import Course
from pipelines.training.distil import vectors_of_base, vectors_of_teacher
from pipelines.training.examples import Examples, examples_of
from pipelines.training.lesson import Lesson, Workshop
from pipelines.training.lora import LEARNING_RATES, attach, merge
from pipelines.training.memory import GROUP_TOKENS, free_memory, refuse_too_much, training_memory
from pipelines.training.methods import TRAINING_VERSION, EncoderTraining
from pipelines.training.record import record_of
from pipelines.training.sampling import Batches

if TYPE_CHECKING:
    from pipelines.training.objective import Aims
    from pipelines.training.trainer import WeightsTrainer

CHECKPOINT_EVERY_S = 45.0


def train_encoder(how: EncoderTraining, lesson: Lesson, folder: Path, workshop: Workshop) -> None:
    """Write the trained model into `folder`: plain sentence-transformers, with a card and a record of the training.

    The weights of the epoch with the best dev metric are written, those of the last where there is no dev metric. They
    are written also where even the best is worse than the base, since a finetuned model was asked for; a note says so,
    and so do the card and the record.

    Raises:
        Cancelled: when `workshop.progress` does; what was learnt up to there is kept for the next start.
        ConfigurationError: for a base or teacher that cannot be loaded, lengths beyond the model's width, too little
            memory, or a training that diverges.
        DatasetError: when there are too few pairs.
        StorageError: when the disk is full; what was learnt up to the last checkpoint is kept.
    """
    examples = examples_of(lesson.pairs, how.loss)
    _memory_stated(how, examples, workshop)
    with _as_before(how):
        training = _Training(how, lesson, workshop, examples)
        training.run()
        training.write(folder)
    training.checkpoints.clear()


@dataclass
class _Training:
    """One training from its start, or from where it was interrupted, to the model's folder."""

    how: EncoderTraining
    lesson: Lesson
    workshop: Workshop
    examples: Examples

    def __post_init__(self) -> None:
        self.model = _model(self.how)
        self.lengths = _lengths(self.model, self.how)
        self.batches = Batches(self.examples.rows, self.how.batch, self.how.seed)
        self.checkpoints = Checkpoints(self.workshop.checkpoints, _identity(self.how, self.examples))
        self.course = self._fresh_course()
        self._kept_at = time.perf_counter()

    def run(self) -> None:
        """Train until the last epoch, or until no better one comes."""
        found = self.checkpoints.newest()
        if found is not None:
            self._go_on(*found)
        elif self.lesson.dev is not None:
            value = dev_metric.of_base(self.lesson, self.lesson.dev)
            self.workshop.tell(self.course.started(self.lesson.dev.metric, value))
        if not self.course.ended:
            self.trainer.train(resume_from_checkpoint=str(found[0]) if found else None)

    def write(self, folder: Path) -> None:
        """Write the best weights as a model."""
        from pipelines.training.trainer import load_weights

        best = self.course.best
        if best is not None and best["step"] != self.course.step:
            load_weights(self.model, self.checkpoints.folder(best["step"]) / WEIGHTS)
        merge(self.model)
        self._say_how_it_went()
        record = record_of(self.how, self.lesson, self.workshop, self.examples, self.course)
        with written(folder, "write the trained model"):
            self.model.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
            write_record(folder, record)
            write_card(folder, record)
        self.workshop.worked(f"train {self.how.method}", self.course.step * self.how.batch, self.course.elapsed())

    # Steps and epochs ---------------------------------------------------------------------------------------------

    def after_step(self, step: int, loss: float, learning_rate: float) -> None:
        """Tell of a step; keep a checkpoint when one is due, or when the work is to stop here."""
        point = self.course.learnt(step, loss, learning_rate)
        if point is not None:
            self.workshop.tell(point)
        try:
            self.workshop.progress(step, self.course.steps)
        except Cancelled:
            self._keep()
            raise
        if time.perf_counter() - self._kept_at >= CHECKPOINT_EVERY_S:
            self._keep()

    def after_epoch(self) -> bool:
        """Keep a checkpoint, then measure on dev; return whether to stop."""
        self.course.n_ended += 1
        self._keep()
        self._measure()
        return self.course.ended

    def _measure(self) -> None:
        """Measure the weights on dev, unless that was done before an interruption."""
        dev = self.lesson.dev
        if dev is None or len(self.course.dev) >= self.course.n_ended:
            return

        def progress(done: int, total: int) -> None:
            self.workshop.progress(self.course.step, self.course.steps)

        bfloat16 = self.how.base.precision == "bfloat16"
        value = dev_metric.of_weights(self.model, self.lesson, dev, bfloat16=bfloat16, progress=progress)
        self.workshop.tell(self.course.measured(value))
        self.checkpoints.amend(self.course.step, {"course": self.course.state()})
        self._prune()

    # Checkpoints --------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        self.trainer.keep(self.checkpoints, self.course.state())
        self._prune()
        self._kept_at = time.perf_counter()

    def _prune(self) -> None:
        best = self.course.best
        self.checkpoints.prune(() if best is None else (best["step"],))

    def _go_on(self, folder: Path, state: dict[str, Any]) -> None:
        from pipelines.training.trainer import load_weights

        self.course = Course.of(state["course"])
        load_weights(self.model, folder / WEIGHTS)
        self._measure()

    # What the trainer is made of ----------------------------------------------------------------------------------

    @cached_property
    def trainer(self) -> WeightsTrainer:
        """The trainer of sentence-transformers, with our batches and losses."""
        from datasets import Dataset
        from sentence_transformers import SentenceTransformerTrainingArguments

        from pipelines.training.objective import Objective
        from pipelines.training.trainer import Watch, WeightsTrainer

        how, on_cpu = self.how, self.how.base.device == "cpu"
        arguments = SentenceTransformerTrainingArguments(
            output_dir=str(self.workshop.checkpoints),
            num_train_epochs=how.epochs,
            per_device_train_batch_size=how.batch,
            learning_rate=how.learning_rate or LEARNING_RATES[how.method],
            warmup_steps=round(how.warmup * self.course.steps),
            seed=how.seed,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=on_cpu,
            dataloader_pin_memory=not on_cpu,
        )
        arguments._n_gpu = min(arguments.n_gpu, 1)
        return WeightsTrainer(
            self.batches,
            Watch(self.after_step, self.after_epoch),
            model=self.model,
            args=arguments,
            train_dataset=Dataset.from_dict({"pair": list(range(len(self.examples.rows)))}),
            data_collator=Collator(self.model, self.examples, GROUP_TOKENS),
            loss=Objective(self.model, self._aims()),
        )

    def _aims(self) -> Aims:
        import torch

        from pipelines.training.objective import Aims

        def seen(vectors: Any) -> Any:
            return torch.from_numpy(vectors).to(self.model.device)

        def progress(done: int, total: int) -> None:
            self.workshop.progress(self.course.step, self.course.steps)

        teacher = seen(vectors_of_teacher(self.examples, self.how, progress)) if self.how.teacher else None
        guide = None
        if self.how.loss == "gist":
            guide = seen(vectors_of_base(self.examples, self.lesson)) if teacher is None else teacher
        bounded = self.how.loss == "cached-mnrl"
        return Aims(self.how.loss, self.lengths, self.how.base.precision == "bfloat16", bounded, guide, teacher)

    def _fresh_course(self) -> Course:
        return Course(self.batches.n_batches * self.how.epochs, self.how.epochs, self.how.patience)

    def _say_how_it_went(self) -> None:
        course = self.course
        if self.examples.n_skipped:
            self.workshop.note(
                f"{counted(self.examples.n_skipped, 'pair')} without a hard negative: the loss triplet has no use for "
                "them, and skipped them."
            )
        best = course.best
        if best is None or course.before is None or best["value"] >= course.before:
            return
        self.workshop.note(
            f"The trained model is worse than its base on dev: {course.metric} {course.before:.4f} before, "
            f"{best['value']:.4f} after its best epoch; lower learning_rate or blend, or keep the base."
        )


def _model(how: EncoderTraining) -> Any:
    """Return the base model, ready to be trained; what is put before texts becomes a part of it."""
    model = load_model(str(how.base.model), str(resolve_device(how.base.device)))
    given = {"query": how.base.query_prompt, "document": how.base.document_prompt}
    model.prompts |= {name: prompt for name, prompt in given.items() if prompt is not None}
    if how.method == "lora":
        attach(model, how)
    return model


def _lengths(model: Any, how: EncoderTraining) -> tuple[int, ...]:
    """Return the lengths of vectors that are trained, the full one first."""
    width = int(model.get_embedding_dimension() or 0)
    longer = [length for length in how.matryoshka if length > width]
    if longer:
        raise ConfigurationError(
            f"The knob 'matryoshka' asks for vectors of length {max(longer):,}, but the base model's have {width:,}; "
            "name lengths up to that, or none."
        )
    return tuple(sorted({width, *how.matryoshka}, reverse=True))


def _identity(how: EncoderTraining, examples: Examples) -> str:
    """Return a digest of all that a checkpoint must have in common with the training that goes on from it."""
    rows = [[one.question, one.positive, one.negatives, one.grade] for one in examples.rows]
    told = json.dumps([TRAINING_VERSION, asdict(how), examples.texts, rows], default=str)
    return sha256(told.encode()).hexdigest()


def _memory_stated(how: EncoderTraining, examples: Examples, workshop: Workshop) -> None:
    passages = 1 + max(len(one.negatives) for one in examples.rows)
    needed = training_memory(how, passages)
    workshop.note(f"Training was reckoned to take {needed} of memory.")
    refuse_too_much(needed, free_memory(how.base.device), how)


@contextmanager
def _as_before(how: EncoderTraining) -> Iterator[None]:
    """Draw by the seed and compute with our number of threads, and leave both as they were found."""
    import random

    import numpy as np
    import torch
    from transformers import set_seed

    n_threads, python, numpy = torch.get_num_threads(), random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[torch.cuda.current_device()] if how.base.device == "cuda" else []):
            torch.set_num_threads(threads())
            set_seed(how.seed)
            yield
    finally:
        torch.set_num_threads(n_threads)
        random.setstate(python)
        np.random.set_state(numpy)
