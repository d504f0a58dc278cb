"""How long finetuning takes: 500 pairs, 3 epochs, on the bundled dataset's own text, beside a plain trainer.

A pair is a passage of 800 characters, and as its question a sentence of it, which the passage then lacks. `full` is
our training with its dev metric after each epoch; the plain trainers are sentence-transformers' own with its loss and
its defaults, in bfloat16 (autocast) and in float32, without any dev metric. Each has a process of its own, for its
peak of memory; seconds are those of the training, with processor seconds beside them, for other work on the machine
disturbs those less. The adapter's are taken with all vectors kept. `python -m benchmarks.finetuning full 100` does one
of them alone, on so many pairs.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from pipelines import api
from pipelines.models.backends import Way
from pipelines.models.devices import multiplies_bfloat16, threads
from pipelines.models.encoder import Encoding
from pipelines.models.loading import EncoderSpec, load_encoder, load_model
from pipelines.models.weights import MINILM_SHA256, minilm_folder
from pipelines.progress import nothing, silent
from pipelines.records import FloatArray
from pipelines.records.pairs import Passage, TrainingPair, TrainingPairs
from pipelines.settings import REPOSITORY
from pipelines.training.adapter import train_adapter
from pipelines.training.encoder import train_encoder
from pipelines.training.lesson import Dev, Lesson, Workshop
from pipelines.training.methods import AdapterTraining, Base, EncoderTraining

N_PAIRS, N_DEV, EPOCHS, BATCH, CHARS, RATE = 500, 50, 3, 32, 800, 5e-5
WORKS = ("full", "full_negatives", "lora", "adapter", "plain_bfloat16", "plain_float32")


def main() -> dict[str, Any]:
    """Do each in a process of its own; print and return seconds, ratios and peaks of memory."""
    figures: dict[str, Any] = {"pairs": N_PAIRS, "epochs": EPOCHS, "threads": threads()}
    for name in WORKS:
        if name == "plain_bfloat16" and not multiplies_bfloat16("cpu"):
            continue
        command = [sys.executable, "-m", "benchmarks.finetuning", name]
        ended = run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
        figures |= {f"{name}_{key}": value for key, value in json.loads(ended.stdout.splitlines()[-1]).items()}
        print(ended.stdout.splitlines()[-1], flush=True)
    for name in ("bfloat16", "float32"):
        if f"plain_{name}_s" in figures:
            figures[f"plain_{name}_over_full"] = round(figures[f"plain_{name}_s"] / figures["full_s"], 3)
            figures[f"plain_{name}_over_full_cpu"] = round(figures[f"plain_{name}_cpu_s"] / figures["full_cpu_s"], 3)
    print(json.dumps(figures, indent=1))
    return figures


def alone(name: str, n_pairs: int = N_PAIRS) -> dict[str, Any]:
    """Do one of them in this process; return its seconds, processor seconds, and the process's peak of memory."""
    lesson = _lesson(n_pairs, negatives=name == "full_negatives")
    with TemporaryDirectory() as place:
        made = Path(place) / "model"
        made.mkdir()
        work = _works(lesson, made, Workshop(Path(place) / "checkpoints"))[name]
        started, computed = time.perf_counter(), time.process_time()
        work()
        found = {"s": time.perf_counter() - started, "cpu_s": time.process_time() - computed}
        if name.startswith("full"):
            dev = json.loads((made / "training.json").read_text(encoding="utf-8"))["dev"]
            found |= {"dev_before": dev["before"], "dev_after": dev["after"]}
    return {key: round(value, 3) for key, value in found.items()} | {"peak_gib": round(_peak_gib(), 2)}


def _works(lesson: Lesson, made: Path, workshop: Workshop) -> dict[str, Callable[[], None]]:
    def encoder(method: Any) -> None:
        precision = "bfloat16" if multiplies_bfloat16("cpu") else "float32"
        how = EncoderTraining(
            Base(minilm_folder(), "cpu", precision), method, "mnrl", EPOCHS, BATCH, None, 0.1, 0, (), "", 16, 32, 0.0, 0
        )
        train_encoder(how, lesson, made, workshop)

    return {
        "full": lambda: encoder("full"),
        "full_negatives": lambda: encoder("full"),
        "lora": lambda: encoder("lora"),
        "adapter": lambda: train_adapter(AdapterTraining("query", "gradient", None, 2, 0), lesson, made, workshop),
        "plain_bfloat16": lambda: _plain(lesson, made, bfloat16=True),
        "plain_float32": lambda: _plain(lesson, made, bfloat16=False),
    }


def _plain(lesson: Lesson, made: Path, *, bfloat16: bool) -> None:
    """Train as the library's own pages show it: its trainer, its loss, its defaults."""
    import torch
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    torch.set_num_threads(threads())
    model = load_model(str(minilm_folder()), "cpu").train()
    pairs = lesson.pairs.pairs
    columns = {"anchor": [one.question for one in pairs], "positive": [one.positive.text for one in pairs]}
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(made),
        num_train_epochs=EPOCHS,
        per_device_train_batch_size=BATCH,
        learning_rate=RATE,
        warmup_steps=0.1,
        bf16=bfloat16,
        use_cpu=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    loss = MultipleNegativesRankingLoss(model)
    trainer = SentenceTransformerTrainer(model, arguments, train_dataset=Dataset.from_dict(columns), loss=loss)
    trainer.train()
    model.save_pretrained(str(made), create_model_card=False)


def _lesson(n_pairs: int, *, negatives: bool) -> Lesson:
    """Return the lesson: pairs, the passages that are searched on dev, and the base's vectors, which are all kept."""
    corpus, asked = _passages(n_pairs + N_DEV)
    kept: dict[str, FloatArray] = {}
    spec = EncoderSpec(str(minilm_folder()), MINILM_SHA256, Way("cpu", "torch", "float32"))

    def encode(texts: Sequence[str], *, queries: bool) -> FloatArray:
        new = [text for text in dict.fromkeys(texts) if text not in kept]
        vectors = load_encoder(spec).encode(new, Encoding(queries=queries), silent, nothing)[0] if new else ()
        kept.update(zip(new, vectors, strict=True))
        return np.stack([kept[text] for text in texts])

    def by_vectors(chunks: FloatArray, questions: FloatArray) -> float:
        scores = questions @ chunks.T
        own = scores[np.arange(N_DEV), n_pairs + np.arange(N_DEV)]
        return float(np.mean(1 / (1 + (scores > own[:, None]).sum(axis=1))))

    encode(corpus, queries=False)
    encode(asked, queries=True)
    pairs = tuple(
        TrainingPair(str(i), asked[i], _passage(corpus, i), (_passage(corpus, (i + 1) % n_pairs),) if negatives else ())
        for i in range(n_pairs)
    )
    return Lesson(TrainingPairs(pairs), corpus, encode, Dev("mrr", tuple(asked[n_pairs:]), by_vectors))


def _passage(corpus: Sequence[str], i: int) -> Passage:
    return Passage(f"d{i}", 0, len(corpus[i]), corpus[i])


def _passages(n: int) -> tuple[list[str], list[str]]:
    """Return n passages of the bundled dataset, spread over all its text, and of each a sentence that it then lacks."""
    step, corpus, asked = CHARS, [], []
    texts = api.open_dataset("meridian").documents().texts
    while sum(max(0, len(text) - CHARS) // step for text in texts) < 2 * n:
        step //= 2
    every = [text[at : at + CHARS] for text in texts for at in range(0, len(text) - CHARS, step)]
    for passage in every:
        sentences = [one for one in re.split(r"(?<=[.!?])\s+", passage) if 40 <= len(one) <= 200]
        if sentences:
            asked.append(sentences[len(sentences) // 2])
            corpus.append(passage.replace(asked[-1], " "))
    chosen = np.linspace(0, len(corpus) - 1, n).astype(int)
    return [corpus[i] for i in chosen], [asked[i] for i in chosen]


def _peak_gib() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    print(json.dumps(alone(sys.argv[1], *map(int, sys.argv[2:3]))))
