"""How fast texts become vectors, in every way there is, beside `SentenceTransformer.encode`; and what a way costs.

Texts a second are taken on the same passages of 800 characters in one run, one way after the other, over and over, the
best of each. A way's cost is its change of recall@5 against torch in float32, by question, with its 95 % interval. The
share of the processor's peak is that of the operations on real tokens, padding not counted, in what a large matrix
product reaches here. The corpora are those of Chroma's chunking report where they lie in shared/data, else Meridian.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from pipelines import api
from pipelines.cache import Cache
from pipelines.compare.comparison import RunScores, compare
from pipelines.golden.dataset import Dataset
from pipelines.models.backends import Way
from pipelines.models.devices import threads
from pipelines.models.encoder import Encoder, Encoding
from pipelines.models.loading import EncoderSpec, load_encoder, load_model
from pipelines.models.weights import MINILM_SHA256, minilm_folder
from pipelines.pipeline import Pipeline
from pipelines.progress import nothing, silent
from pipelines.runs.evaluate import evaluate
from pipelines.runs.measure import Evaluated
from pipelines.settings import REPOSITORY
from pipelines.stages.embed.minilm import MiniLMEmbedder

SOURCE = REPOSITORY.parent / "shared" / "data" / "chunking_evaluation"
N_TEXTS, TEXT_CHARS, ROUNDS, MATRIX = 96, 800, 3, 2048
WAYS = (
    ("torch", "float32"),
    ("torch", "bfloat16"),
    ("onnx", "float32"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
    ("openvino", "int8"),
)
RECALLED = (("torch", "bfloat16"), ("openvino", "bfloat16"), ("openvino", "int8"))
Figures = dict[str, float]


def main(chunkings: Sequence[str] = ("recursive",)) -> dict[str, Any]:
    """Measure speed with one thread and with all, then recall; print and return the figures."""
    with TemporaryDirectory() as folder:
        dataset = _dataset(Path(folder))
        figures: dict[str, Any] = {"dataset": dataset.name}
        figures["calibration_s"] = _seconds(lambda: _calibrate(dataset, Path(folder) / "int8"))
        texts = _passages(dataset)
        every = sorted({1, threads()})
        for n_threads in every:
            figures |= {f"{k}_{n_threads}_threads": v for k, v in _speed(texts, Path(folder), n_threads).items()}
        for name in ("bfloat16", "int8"):
            best = f"encode_default_over_{name}"
            figures[best] = figures[f"{best}_{every[-1]}_threads"]
        for chunking in chunkings:
            figures |= _recall(dataset, chunking, Path(folder))
    print(json.dumps(figures, indent=1))
    return figures


def _dataset(folder: Path) -> Dataset:
    if not SOURCE.is_dir():
        return api.open_dataset("meridian")
    api.import_golden("chroma-chunking", SOURCE, folder / "chunking-evaluation")
    return api.open_dataset(folder / "chunking-evaluation")


def _calibrate(dataset: Dataset, folder: Path) -> None:
    folder.mkdir()
    MiniLMEmbedder(device="cpu", precision="int8").fit(dataset.documents(), folder)


def _passages(dataset: Dataset) -> list[str]:
    """Return passages spread evenly over all the text."""
    texts = dataset.documents().texts
    every = [text[at : at + TEXT_CHARS] for text in texts for at in range(0, len(text) - TEXT_CHARS, TEXT_CHARS)]
    return [every[i] for i in np.linspace(0, len(every) - 1, N_TEXTS).astype(int)]


def _speed(texts: list[str], folder: Path, n_threads: int) -> Figures:
    """Return texts a second in every way, ratios to `encode` with its defaults, and shares of the measured peak."""
    import torch

    plain = load_model(str(minilm_folder()), "cpu")
    ours = {f"{b}_{p}": _encoder(b, p, folder, n_threads) for b, p in WAYS}
    works: dict[str, Callable[[], Any]] = {"encode_default": lambda: plain.encode(texts, show_progress_bar=False)}
    works |= {name: _work(encoder, texts) for name, encoder in ours.items()}
    peaks = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    works |= {f"peak_{name}": _matmul(dtype) for name, dtype in peaks.items()}
    torch.set_num_threads(n_threads)
    taken = _interleaved(works)
    flops = _flops(plain, texts)
    found = {f"{name}_texts_per_s": len(texts) / taken[name] for name in ("encode_default", *ours)}
    found |= {f"encode_default_over_{name}": taken["encode_default"] / taken[name] for name in ours}
    found |= {f"peak_{name}_gflops": 2e-9 * MATRIX**3 / taken[f"peak_{name}"] for name in peaks}
    for backend, precision in WAYS:
        if precision in peaks:
            reached = 1e-9 * flops / taken[f"{backend}_{precision}"]
            found[f"share_of_peak_{backend}_{precision}"] = reached / found[f"peak_{precision}_gflops"]
    for name in ("bfloat16", "int8"):
        found[f"encode_default_over_{name}"] = found[f"encode_default_over_openvino_{name}"]
    return {name: round(value, 3) for name, value in found.items()}


def _encoder(backend: Any, precision: Any, folder: Path, n_threads: int) -> Encoder:
    fitted = folder / "int8" if precision == "int8" else None
    way = Way("cpu", backend, precision)
    return load_encoder.__wrapped__(EncoderSpec(str(minilm_folder()), MINILM_SHA256, way, fitted, n_threads))


def _work(encoder: Encoder, texts: list[str]) -> Callable[[], Any]:
    return lambda: encoder.encode(texts, Encoding(), silent, nothing)


def _matmul(dtype: Any) -> Callable[[], Any]:
    import torch

    one, other = (torch.randn(MATRIX, MATRIX).to(dtype) for _ in range(2))
    return lambda: one @ other


def _interleaved(works: Mapping[str, Callable[[], Any]]) -> Figures:
    """Return the least seconds of each, all of them done in turn, after a round that does not count."""
    taken = {name: math.inf for name in works}
    for turn in range(ROUNDS + 1):
        for name, work in works.items():
            seconds = _seconds(work)
            if turn:
                taken[name] = min(taken[name], seconds)
    return taken


def _flops(model: Any, texts: list[str]) -> float:
    """Return the operations that the texts' own tokens take: 24 h² a token and layer, and 4 n h in attention."""
    config = model[0].auto_model.config
    hidden, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    n = np.array([len(ids) for ids in model.tokenizer(texts, truncation=True)["input_ids"]], dtype=float)
    a_token = 2 * (4 * hidden * hidden + 2 * hidden * inner)
    return float(layers * (n * a_token + 4 * n * n * hidden).sum())


def _recall(dataset: Dataset, chunking: str, folder: Path) -> dict[str, Any]:
    """Return each way's change of recall@5 against torch in float32, with its interval."""
    cache = Cache(folder / "cache")
    before = _evaluated(dataset, chunking, "torch", "float32", cache)
    found: dict[str, Any] = {}
    for backend, precision in RECALLED:
        after = _evaluated(dataset, chunking, backend, precision, cache)
        row = compare(_scores(before), [_scores(after)], ["recall@5"]).rows[0]
        name = f"recall@5_change_{chunking}_{backend}_{precision}"
        found |= {name: row.difference, f"{name}_low": row.low, f"{name}_high": row.high, f"{name}_n": row.n}
    mean = before.run.measured("recall@5")
    return {f"recall@5_{chunking}_float32": mean.mean if mean else None, **found}


def _evaluated(dataset: Dataset, chunking: str, backend: str, precision: str, cache: Cache) -> Evaluated:
    settings = {
        "chunk": {"use": chunking, "size": 256},
        "embed": {"use": "minilm", "device": "cpu", "backend": backend, "precision": precision},
        "index": "exact",
        "retrieve": "dense",
    }
    return evaluate(Pipeline.parse(settings), dataset, cache, name=f"{backend} {precision}")


def _scores(done: Evaluated) -> RunScores:
    run = done.run
    name, version, kept = run.dataset_name, run.dataset_version, done.details
    return RunScores(run.id, run.name, name, version, None, kept.question_ids, kept.scores)


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
