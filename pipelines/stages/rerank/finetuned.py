"""A cross-encoder that is trained on the golden set's train split: one more choice in the same grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr, field_validator

from pipelines.models.devices import Device, multiplies_bfloat16, resolve_device
from pipelines.models.pair_scorer import PairScorerSpec, load_pair_scorer
from pipelines.models.weights import minilm_folder, model_folder, weights_identity
from pipelines.progress import Keep, Progress, nothing, silent
from pipelines.records import PADDING, FloatArray, Rankings
from pipelines.stages.rerank import Pair, Retrieved, TrainedReranker, ordered
from pipelines.stages.rerank.lexical import from_0_to_1
from pipelines.training.knobs import PairKnobs
from pipelines.training.lesson import PairLesson, Workshop
from pipelines.training.pair_encoder import train_pair_encoder
from pipelines.training.pair_methods import PAIR_TRAINING_VERSION, PairLoss, PairTraining

MINILM = "all-MiniLM-L6-v2"
_SCORING = ("device", "batch_size", "header", "depth", "weight", "precision")
"""Knobs that change what is done with the trained model, or that are resolved first: the rest decides the weights."""


class FinetunedReranker(TrainedReranker, name="finetuned", version=1):
    """Train a cross-encoder on the golden set's train split, and rerank with it. It wants hundreds of questions.

    A model that reads question and chunk together learns from the questions' evidence, and from chunks that only look
    as if they answered. The training is a stage like any other: done once for a train split, a chunking and its knobs,
    and looked up ever after; `depth` and `weight` cost none. Dev questions decide where it stops, and no test question
    is looked at. Any encoder will do to begin with, or a cross-encoder.

    Choose it where there are questions enough, and time: it trains for minutes to hours, and scores some tens of pairs
    a second on a processor core, each pair once for ever.
    """

    model: str = Field(
        MINILM, min_length=1, description="Model to begin with, an encoder or a cross-encoder: a folder, or a hub name"
    )
    device: Device = Field("auto", description="Where to compute; auto takes a GPU where there is one")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Number format of training; auto takes bfloat16 where the hardware has it. Scores are float32",
    )
    batch_size: int = Field(32, ge=1, le=1024, description="Pairs scored together", json_schema_extra={"unit": "pairs"})
    max_tokens: int = Field(
        512,
        ge=16,
        le=8192,
        description="Length at which a pair is cut, or what the model reads if that is less",
        json_schema_extra={"unit": "tokens"},
    )
    weight: float = Field(
        0.3,
        ge=0.0,
        le=1.0,
        description="Weight of the model's score; the former score has the rest, both from 0 to 1 in each list",
    )
    negatives_each: int = Field(
        6,
        ge=1,
        le=32,
        description="Hard negatives a pair",
        json_schema_extra={"unit": "chunks", "when": {"negatives": ["model", "bm25", "both"]}},
    )
    negatives_margin: float = Field(
        -0.25,
        ge=-1.0,
        le=0.95,
        description="Share by which a negative must be less similar to the question than the positive is. Below 0 it "
        "may be more similar by that share: what stands above the answer is what a reranker should learn to put down",
        json_schema_extra={"when": {"negatives": ["model", "bm25", "both"]}},
    )
    random_negatives: int = Field(
        2,
        ge=0,
        le=32,
        description="Chunks a question, drawn from those of the other questions, lest only hard cases be known",
        json_schema_extra={"unit": "chunks"},
    )
    loss: PairLoss = Field(
        "listwise",
        description="What is made small: the cross-entropy of each question's list, or of each pair alone (bce)",
    )
    epochs: int = Field(8, ge=1, le=100, description="How often every question is seen")
    train_batch: int = Field(
        4,
        ge=1,
        le=1024,
        description="Questions a step, each with all its chunks",
        json_schema_extra={"unit": "questions"},
    )
    learning_rate: float = Field(1e-4, gt=0.0, le=1.0, description="Size of the steps")
    warmup: float = Field(0.1, ge=0.0, le=1.0, description="Share of the steps over which the learning rate rises")
    select_by: str = Field(
        "ndcg@10",
        pattern=r"^[a-z_]+@\d+(tok)?$",
        examples=["ndcg@10", "recall@5"],
        description="Metric of the dev questions, 20 chunks of a hybrid search reranked for each, that decides where "
        "training stops",
    )
    patience: int = Field(
        3,
        ge=0,
        le=100,
        description="Epochs without a better dev metric after which training stops; 0 trains all, and takes the last",
        json_schema_extra={"unit": "epochs"},
    )
    _folder: Path | None = PrivateAttr(None)

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        """Name a folder by its full path: the work is done by another process, in another folder."""
        folder = Path(model).expanduser()
        return str(folder.resolve()) if folder.is_dir() else model

    def resolved(self) -> Self:
        """Return the reranker with device and precision as they are on this machine."""
        device = resolve_device(self.device)
        return self.model_copy(update={"device": device, "precision": self._precision(device)})

    def _precision(self, device: Device) -> Literal["float32", "bfloat16"]:
        if self.precision == "auto":
            return "bfloat16" if multiplies_bfloat16(device) else "float32"
        return self.precision

    def extra_identity(self) -> Mapping[str, str]:
        """Return the digests of the base's weights, and of what was struck out."""
        return {**self._weights(), **self.struck_identity()}

    def _weights(self) -> Mapping[str, str]:
        return {"weights": weights_identity(self._base())}

    def _base(self) -> str:
        return str(minilm_folder()) if self.model == MINILM else self.model

    # Training -----------------------------------------------------------------------------------------------------

    def chosen_by(self) -> str:
        """Return the metric of the dev questions that decides where training stops; "" where none does."""
        return self.select_by if self.patience else ""

    def training_identity(self) -> Mapping[str, object]:
        """Return what decides the weights besides the data: the base's weights, and the knobs of training."""
        left_out = {*_SCORING, *PairKnobs.model_fields, "model", "select_by"}
        knobs = {name: value for name, value in self.model_dump(mode="json").items() if name not in left_out}
        actual = self.resolved()
        own = {"version": PAIR_TRAINING_VERSION, "seed": self.seed, "on": [actual.device, actual.precision]}
        return {**knobs, **self._weights(), **own}

    def train(self, lesson: PairLesson, folder: Path, workshop: Workshop) -> None:
        """Write the trained cross-encoder into the empty `folder`."""
        device = resolve_device(self.device)
        how = PairTraining(
            model=model_folder(self._base()),
            device=device,
            precision=self._precision(device),
            loss=self.loss,
            epochs=self.epochs,
            batch=self.train_batch,
            learning_rate=self.learning_rate,
            warmup=self.warmup,
            patience=self.patience,
            max_tokens=self.max_tokens,
            random_negatives=self.random_negatives,
            header=self.header,
            seed=self.seed,
        )
        train_pair_encoder(how, lesson, folder, workshop)

    # Reranking ----------------------------------------------------------------------------------------------------

    def opened(self, trained: Path) -> Self:
        """Return the reranker as it can rerank, with the model of the folder `trained`, whose name is its key."""
        own = self.model_copy()
        own._folder = trained
        return own

    def _trained(self) -> Path:
        if self._folder is None:
            raise TypeError("the finetuned reranker must learn before it reranks")
        return self._folder

    def pair_identity(self) -> Mapping[str, object]:
        """Return what decides a score: what was learnt, device, and where a pair is cut."""
        return {
            "use": self.name,
            "version": self.version,
            "trained": self._trained().name,
            "device": resolve_device(self.device),
            "max_tokens": self.max_tokens,
        }

    def score_pairs(self, pairs: Sequence[Pair], progress: Progress = silent, *, keep: Keep = nothing) -> FloatArray:
        """Return the cross-encoder's score of every pair, computed in batches of similar length."""
        trained = self._trained()
        spec = PairScorerSpec(str(trained), trained.name, resolve_device(self.device))
        return load_pair_scorer(spec).score(pairs, self.max_tokens, self.batch_size, progress, keep)

    def ranked(self, retrieved: Retrieved, scores: FloatArray) -> Rankings:
        """Return the first `depth` chunks by weight x model's score + (1 - weight) x former score, from 0 to 1 each."""
        if self.weight == 1.0:
            return ordered(retrieved, self.depth, scores)
        former = retrieved.rankings.cut(self.depth)
        hit = former.chunk != PADDING
        read = np.zeros(former.chunk.shape, dtype=np.float32)
        read[hit] = scores.reshape(-1)
        learnt = from_0_to_1(Rankings(former.chunk, read))
        mixed = self.weight * learnt + (1 - self.weight) * from_0_to_1(former)
        return ordered(retrieved, self.depth, mixed[hit].astype(np.float32))
