"""A tiny encoder and lessons for it, made anew where a test needs them; its weights are drawn, so it knows nothing."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.models.backends import Way
from pipelines.models.encoder import Encoding
from pipelines.models.loading import EncoderSpec, load_encoder
from pipelines.models.weights import minilm_folder
from pipelines.progress import nothing, silent
from pipelines.records import FloatArray
from pipelines.records.pairs import Passage, TrainingPair, TrainingPairs
from pipelines.training.lesson import Dev, Lesson, Point, Workshop
from pipelines.training.methods import Base, EncoderTraining

SUBJECTS = (
    "ships",
    "apples",
    "money",
    "stars",
    "rivers",
    "horses",
    "music",
    "bread",
    "winter",
    "glass",
    "roads",
    "fire",
)
WORDS = ("harbour", "orchard", "bank", "sky", "water", "stable", "violin", "oven", "snow", "window", "wheel", "smoke")


@cache
def tiny_encoder(seed: int = 3) -> Path:
    """The folder of a BERT of two small layers with MiniLM's tokenizer, mean pooling and scaling to length 1."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import AutoTokenizer, BertConfig, BertModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = Path(tempfile.mkdtemp(prefix="tiny-encoder-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(folder / "plain")
        tokenizer.save_pretrained(folder / "plain")
        modules = [Transformer(str(folder / "plain"), max_seq_length=32), Pooling(32), Normalize()]
        SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder / "model"))
    return folder / "model"


def pairs_of(n: int = 24, negatives: Callable[[int], int] = lambda i: 1) -> TrainingPairs:
    """Pairs that can be told apart by one word each; pair i has `negatives(i)` hard negatives."""
    made = []
    for i in range(n):
        subject, word = SUBJECTS[i % 12], WORDS[i % 12]
        hard = tuple(passage(WORDS[(i + j + 1) % 12], SUBJECTS[(i + 1) % 12], i) for j in range(negatives(i)))
        made.append(TrainingPair(f"q{i}", f"what of {subject} {i}?", passage(word, subject, i), hard))
    return TrainingPairs(tuple(made))


def passage(word: str, subject: str, i: int) -> Passage:
    text = f"the {word} is where one finds {subject}, {'and so on ' * (i % 3)}number {i}"
    return Passage(f"d{i % 4}", i * 100, i * 100 + len(text), text)


def lesson_of(pairs: TrainingPairs, dev: bool = True, values: Sequence[float] = ()) -> Lesson:
    """A lesson on the tiny encoder; its dev metric is the share of questions that find theirs, or `values` in turn."""
    corpus = tuple(dict.fromkeys(one.positive.text for one in pairs.pairs))
    asked = tuple(one.question for one in pairs.pairs)
    wanted = np.asarray([corpus.index(one.positive.text) for one in pairs.pairs])
    left = list(values)

    def by_vectors(chunks: FloatArray, questions: FloatArray) -> float:
        assert chunks.shape == (len(corpus), 32)
        assert questions.shape == (len(asked), 32)
        return left.pop(0) if left else float(np.mean(np.argmax(questions @ chunks.T, axis=1) == wanted))

    def encode(texts: Sequence[str], *, queries: bool) -> FloatArray:
        spec = EncoderSpec(str(tiny_encoder()), "tiny", Way("cpu", "torch", "float32"))
        return load_encoder(spec).encode(texts, Encoding(queries=queries), silent, nothing)[0]

    found = Dev("ndcg@10", asked, by_vectors) if dev else None
    return Lesson(pairs, corpus, encode, found, "" if dev else "no dev questions were given")


def training(**knobs: Any) -> EncoderTraining:
    """How the tiny encoder is trained: fast, in float32."""
    base = EncoderTraining(
        base=Base(tiny_encoder(), "cpu", "float32"),
        method="full",
        loss="mnrl",
        epochs=2,
        batch=8,
        learning_rate=3e-3,
        warmup=0.1,
        patience=0,
        matryoshka=(),
        teacher="",
        lora_rank=4,
        lora_alpha=8,
        lora_dropout=0.0,
        seed=0,
    )
    return replace(base, **knobs)


@dataclass
class Bench:
    """A workshop that remembers what it was told, and stops the work after `stop_after` calls of its progress."""

    place: Path
    points: list[Point] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    done: list[tuple[int, int]] = field(default_factory=list)
    stop: Callable[[int], None] = lambda done: None

    def workshop(self) -> Workshop:
        return Workshop(
            checkpoints=self.place,
            progress=self._progress,
            tell=self.points.append,
            note=self.notes.append,
            about={"dataset": "tiny", "dataset_version": "1"},
        )

    def _progress(self, done: int, total: int) -> None:
        self.done.append((done, total))
        self.stop(done)

    @property
    def losses(self) -> list[float]:
        return [one.loss for one in self.points if one.loss is not None]

    @property
    def dev(self) -> list[float]:
        return [one.dev for one in self.points if one.dev is not None]


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(str(folder / "model.safetensors"))
