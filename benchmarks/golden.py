"""What a golden set costs to open and to check, beside reading its bytes and comparing questions one by one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from rapidfuzz import fuzz

from pipelines.golden.check import check
from pipelines.golden.dataset import Dataset
from pipelines.golden.write import write_dataset
from pipelines.records import SPLITS, Document, Question

N_QUESTIONS = 5_000
N_MEGABYTES = 100
_PAIRS = 200_000


def main() -> dict[str, float]:
    """Time both; the pairwise loop is timed on a part and extrapolated."""
    with TemporaryDirectory() as folder:
        large, many = _large(Path(folder)), _many(Path(folder))
        figures = {
            f"open_{N_MEGABYTES}_mb_s": _seconds(lambda: Dataset.open(large)),
            f"read_{N_MEGABYTES}_mb_s": _seconds(lambda: [p.read_bytes() for p in large.rglob("*") if p.is_file()]),
            f"check_{N_QUESTIONS}_questions_s": _seconds(lambda: check(many)),
        }
        texts = [question.text for question in Dataset.open(many).questions]
    figures["pairs_one_by_one_s"] = _one_by_one(texts)
    for name, value in figures.items():
        print(f"{name:32} {value:10.2f}")
    return figures


def _large(root: Path) -> Path:
    documents = [Document(str(i), "x" * 1_000_000) for i in range(N_MEGABYTES)]
    return write_dataset(root / "large", documents, [], name="large")


def _many(root: Path) -> Path:
    draw = random.Random(7)  # noqa: S311
    words = [f"{chr(97 + i % 26)}{'aeiou'[i % 5]}{chr(97 + i % 23)}{'aeiou'[i % 3]}n" for i in range(600)]
    texts = [" ".join(draw.choices(words, k=12)) + "?" for _ in range(N_QUESTIONS)]
    questions = [Question(f"q{i}", text, split=SPLITS[i % 3]) for i, text in enumerate(texts)]
    return write_dataset(root / "many", [Document("a", "A text.")], questions, name="many")


def _one_by_one(texts: list[str]) -> float:
    pairs = [(texts[i % len(texts)], texts[(7 * i + 1) % len(texts)]) for i in range(_PAIRS)]
    part = _seconds(lambda: [fuzz.token_sort_ratio(a, b) for a, b in pairs])
    return part * (len(texts) * (len(texts) - 1) / 2) / _PAIRS


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
