"""Training an encoder's weights, in full or through matrices beside them, by the trainer of sentence-transformers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import ConfigurationError, counted
from pipelines.models.devices import resolve_device
from pipelines.models.loading import load_model
from pipelines.records import FloatArray
from pipelines.training import dev_metric
from pipelines.training.attention import plain_attention
from pipelines.training.card import write_card, write_record
from pipelines.training.checkpoints import Checkpoints, written
from pipelines.training.collation import Collator, Prompts
from pipelines.training.course import Course
from pipelines.training.distil import vectors_of_base, vectors_of_teacher
from pipelines.training.examples import Examples, examples_of
from pipelines.training.lesson import Lesson, Workshop
from pipelines.training.lora import LEARNING_RATES, attach, merge
from pipelines.training.memory import free_memory, group_tokens, refuse_too_much, training_memory
from pipelines.training.methods import TRAINING_VERSION, EncoderTraining
from pipelines.training.record import record_of
from pipelines.training.running import Running, reproducibly
from pipelines.training.sampling import Batches

if TYPE_CHECKING:
    from pipelines.training.objective import Aims
    from pipelines.training.trainer import Resumable, Watch


def train_encoder(how: EncoderTraining, lesson: Lesson, folder: Path, workshop: Workshop) -> None:
    """Write the trained model into `folder`: plain sentence-transformers, with a card and a record of the training.

    The weights of the epoch with the best dev metric are written, those of the last where there is no dev metric. They
    are written also where even the best is worse than the base, since a finetuned model was asked for; a note says so,
    and so do the card and the record.

    Raises:
        Cancelled: when `workshop.progress` does; what was learnt up to there is kept for the next start.
        ConfigurationError: for a device that there is not, a base or teacher that cannot be loaded, lengths beyond the
            model's width, too little memory, or a training that diverges.
        DatasetError: when there are too few pairs.
        StorageError: when the disk is full; what was learnt up to the last checkpoint is kept.
    """
    resolve_device(how.base.device)
    examples = examples_of(lesson.pairs, how.loss)
    _memory_stated(how, examples, workshop)
    with reproducibly(how.seed, how.base.device):
        training = _Training(how, lesson, workshop, examples)
        training.run()
        training.write(folder)
    training.running.checkpoints.clear()


@dataclass
class _Training:
    """One training from its start, or from where it was interrupted, to the model's folder."""

    how: EncoderTraining
    lesson: Lesson
    workshop: Workshop
    examples: Examples

    def __post_init__(self) -> None:
        how = self.how
        self.model = _model(how)
        self.lengths = _lengths(self.model, how)
        self.batches = Batches(self.examples.rows, how.batch, how.seed)
        self.running = Running(
            self.model,
            Course(self.batches.n_batches * how.epochs, how.epochs, how.patience),
            Checkpoints(self.workshop.checkpoints, _identity(how, self.examples)),
            self.workshop,
            self._trainer,
            self._measured if self.lesson.dev is not None else None,
        )

    def run(self) -> None:
        """Train until the last epoch, or until no better one comes."""
        dev = self.lesson.dev
        self.running.checkpoints.prepare()
        with plain_attention(getattr(self.model[0], "auto_model", None), self.how.base.device):
            if dev is None or self.running.checkpoints.newest() is not None:
                self.running.run()
            else:
                self.running.run(dev.metric, dev_metric.of_base(self.lesson, dev))

    def write(self, folder: Path) -> None:
        """Write the best weights as a model."""
        self.running.take_best()
        merge(self.model)
        self._say_how_it_went()
        course = self.running.course
        record = record_of(self.how, self.lesson, self.workshop, self.examples, course)
        with written(folder, "write the trained model"):
            self.model.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
            write_record(folder, record)
            write_card(folder, record)
        self.workshop.worked(f"train {self.how.method}", course.step * self.how.batch, course.elapsed())

    def _measured(self) -> float:
        """Return the dev metric of the weights as they are."""
        if self.lesson.dev is None:
            raise ValueError("There is no dev question to measure by.")
        plain = dev_metric.encoder_of(self.model, bfloat16=self.how.base.precision == "bfloat16")
        return dev_metric.of_encoder(plain, self.lesson, self.lesson.dev, self._prompts, self.running.still)

    @property
    def _prompts(self) -> Prompts:
        return self.how.base.query_prompt, self.how.base.document_prompt

    # What the trainer is made of ----------------------------------------------------------------------------------

    def _trainer(self, watch: Watch) -> Resumable:
        """Return the trainer of sentence-transformers, with our batches and losses."""
        from datasets import Dataset

        from pipelines.training.objective import Objective
        from pipelines.training.trainer import WeightsTrainer

        return WeightsTrainer(
            self.batches,
            watch,
            model=self.model,
            args=self._arguments(),
            train_dataset=Dataset.from_dict({"pair": list(range(len(self.examples.rows)))}),
            data_collator=Collator(self.model, self.examples, group_tokens(self.how.base.device), self._prompts),
            loss=Objective(self.model, self._aims()),
        )

    def _arguments(self) -> Any:
        from sentence_transformers import SentenceTransformerTrainingArguments

        from pipelines.training.trainer import arguments

        how = self.how
        return arguments(
            SentenceTransformerTrainingArguments,
            self.workshop.checkpoints,
            how.base.device,
            num_train_epochs=how.epochs,
            per_device_train_batch_size=how.batch,
            learning_rate=how.learning_rate or LEARNING_RATES[how.method],
            warmup_steps=round(how.warmup * self.running.course.steps),
            seed=how.seed,
        )

    def _aims(self) -> Aims:
        import torch

        from pipelines.training.objective import Aims

        def seen(vectors: FloatArray) -> Any:
            return torch.from_numpy(vectors).to(self.model.device)

        how, teacher, guide = self.how, None, None
        if how.teacher:
            teacher = seen(vectors_of_teacher(self.examples, how, self.running.still))
        if how.loss == "gist":
            guide = seen(vectors_of_base(self.examples, self.lesson)) if teacher is None else teacher
        bounded = how.loss == "cached-mnrl"
        return Aims(how.loss, self.lengths, how.base.precision == "bfloat16", bounded, guide, teacher)

    def _say_how_it_went(self) -> None:
        course = self.running.course
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
    model = load_model(str(how.base.model), how.base.device)
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
    """Return a digest of what a checkpoint must have in common with the training that goes on from it.

    The place of the checkpoints is that of one training's key, which holds the weights of the base; so where the base
    lies does not count.
    """
    knobs = asdict(replace(how, base=replace(how.base, model=Path(), name=""), teacher=""))
    rows = [[one.question, one.positive, one.negatives, one.grade] for one in examples.rows]
    told = json.dumps([TRAINING_VERSION, knobs, examples.texts, rows], default=str)
    return sha256(told.encode()).hexdigest()


def _memory_stated(how: EncoderTraining, examples: Examples, workshop: Workshop) -> None:
    passages = 1 + max(len(one.negatives) for one in examples.rows)
    needed = training_memory(how, passages)
    workshop.note(f"Training was reckoned to take {needed} of memory.")
    refuse_too_much(needed, free_memory(how.base.device), how)
