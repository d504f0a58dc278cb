"""The model card: what the model is of, and nothing of users' text that a renderer would act on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipelines.training.card import plain, read_record
from pipelines.training.encoder import train_encoder

from .lessons import Bench, lesson_of, pairs_of, training


def test_names_are_no_markup() -> None:
    name = '<img src=x> [a](https://evil.example) `b` **c** | d\n# e ![f](g) "h": &amp;'
    found = plain(name)
    assert "\n" not in found
    for active in ("<img", "](", "://", "**", " | ", " # ", "&amp; "):
        assert active not in found
    assert plain("meridian-2.1") == "meridian-2.1"


def test_the_card_says_what_it_was_trained_on_and_what_came_of_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "work")
    made = tmp_path / "made"
    made.mkdir()
    about = {"dataset": "<b>mine</b>", "dataset_version": "abc", "splits": "by document"}
    workshop = replace(bench.workshop(), about=about)
    lesson = lesson_of(pairs_of(), values=(0.25, 0.5, 0.75))
    train_encoder(training(), lesson, made, workshop)
    card = (made / "README.md").read_text()
    for line in (
        "| data: dataset | &lt;b&gt;mine&lt;/b&gt; |",
        "| data: dataset version | abc |",
        "| data: splits | by document |",
        "| method | full, loss mnrl |",
        "| trained on | 24 pairs of the train split, 24 hard negatives |",
        "| epochs trained | 2 of 2; kept: epoch 2 |",
        "ndcg@10 on 24 dev questions: 0.2500 before, 0.7500 after.",
        'SentenceTransformer("path/to/this/folder")',
    ):
        assert line in card
    assert str(tmp_path) not in card


def test_the_record_holds_what_reproduces_the_training(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    train_encoder(training(seed=4), lesson_of(pairs_of()), made, Bench(tmp_path / "work").workshop())
    record = read_record(made)
    assert record["knobs"]["seed"] == 4
    assert record["knobs"]["learning_rate"] == 3e-3
    assert record["pairs"] | {"left_out": 0} == {
        "n": 24, "n_questions": 24, "n_negatives": 24, "n_skipped": 0, "n_left_out": 0, "left_out": 0,
    }  # fmt: skip
    assert set(record["versions"]) == {"sentence-transformers", "transformers", "torch", "peft"}
    assert record["memory_peak_bytes"] > 1 << 20
    assert (record["device"], record["precision"], record["steps"]) == ("cpu", "float32", 6)
