"""Training an encoder's weights, through the trainer of sentence-transformers."""

from __future__ import annotations

from pathlib import Path

from pipelines.training.lesson import Lesson, Workshop
from pipelines.training.methods import EncoderTraining


def train_encoder(how: EncoderTraining, lesson: Lesson, folder: Path, workshop: Workshop) -> None:
    """Write the trained model into `folder`, in the format of sentence-transformers."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.losses import MultipleNegativesRankingLoss

    from pipelines.models.loading import load_model

    model = load_model(str(how.base.model), str(how.base.device))
    model.train()
    pairs = lesson.pairs.pairs
    columns = {"anchor": [one.question for one in pairs], "positive": [one.positive.text for one in pairs]}
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(workshop.checkpoints),
        num_train_epochs=how.epochs,
        per_device_train_batch_size=how.batch,
        learning_rate=how.learning_rate or 5e-5,
        seed=how.seed,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=how.base.device == "cpu",
    )
    trainer = SentenceTransformerTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_dict(columns), loss=MultipleNegativesRankingLoss(model)
    )
    trainer.train()
    model.save_pretrained(str(folder), safe_serialization=True)
