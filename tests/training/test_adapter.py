"""A linear map: what it learns, what decides which one is taken, and that it comes out the same twice."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.errors import Cancelled, DatasetError, StorageError
from pipelines.records import FloatArray
from pipelines.records.pairs import TrainingPairs
from pipelines.training.adapter import adapted, train_adapter
from pipelines.training.adapter_closed import solved
from pipelines.training.adapter_gradient import path
from pipelines.training.adapter_maps import ADAPTER_FILE, Maps, mapped, unit
from pipelines.training.adapter_vectors import vectors_of
from pipelines.training.lesson import Lesson, Workshop
from pipelines.training.methods import AdapterTraining
from tests.training.lessons import Bench, lesson_of, pairs_of

WAYS = [(side, fit) for side in ("query", "both") for fit in ("closed", "gradient")]


def how(side: Any = "query", fit: Any = "gradient", stay: float | None = 0.3, patience: int = 3) -> AdapterTraining:
    return AdapterTraining(side, fit, stay, patience, seed=0)


def found(lesson: Lesson, folder: Path) -> float:
    """The share of questions whose own text is the first."""
    pairs = lesson.pairs.pairs
    corpus = adapted(lesson.encode(lesson.corpus, queries=False), folder, queries=False, blend=1.0)
    asked = adapted(lesson.encode([one.question for one in pairs], queries=True), folder, queries=True, blend=1.0)
    wanted = [lesson.corpus.index(one.positive.text) for one in pairs]
    return float(np.mean(np.argmax(asked @ corpus.T, axis=1) == wanted))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "checkpoints")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.mark.parametrize(("side", "fit"), WAYS)
def test_it_finds_more_than_the_base(side: str, fit: str, folder: Path, bench: Bench) -> None:
    lesson = lesson_of(pairs_of())
    train_adapter(how(side, fit), lesson, folder, bench.workshop())
    assert bench.points[0].step == 0
    before, after = bench.dev[0], max(bench.dev)
    assert after > before + 0.1
    assert found(lesson, folder) == pytest.approx(after)
    assert bench.notes == [one for one in bench.notes if f"from {before:.3f} to {after:.3f}" in one]
    maps = Maps.read(folder)
    assert (maps.query is not None, maps.document is not None) == (True, side == "both")
    assert {path.name for path in folder.iterdir()} == {ADAPTER_FILE, "training.json"}


@pytest.mark.parametrize(("side", "fit"), WAYS)
def test_it_learns_the_same_twice(side: str, fit: str, tmp_path: Path, bench: Bench) -> None:
    made = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        train_adapter(how(side, fit, None), lesson_of(pairs_of()), tmp_path / name, bench.workshop())
        made.append((tmp_path / name / ADAPTER_FILE).read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize(("side", "fit"), WAYS)
def test_held_strongly_enough_it_is_the_base(side: str, fit: str, folder: Path, bench: Bench) -> None:
    lesson = lesson_of(pairs_of(), dev=False)
    train_adapter(how(side, fit, 1e6), lesson, folder, bench.workshop())
    maps = Maps.read(folder)
    for one in (maps.query, maps.document):
        assert one is None or np.abs(one - np.eye(32)).max() < 0.02


def test_the_strength_and_the_step_are_those_of_the_best_dev_metric(folder: Path, bench: Bench) -> None:
    values = [0.2, 0.3, 0.4, 0.35, 0.9, *[0.1] * 99]
    train_adapter(how(stay=None, patience=99), lesson_of(pairs_of(), values=values), folder, bench.workshop())
    record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    assert record["dev"] == {"metric": "ndcg@10", "why": "", "n": 24, "before": 0.2, "after": 0.9}
    best = next(point for point in bench.points if point.dev == 0.9)
    assert record["step_kept"] == best.step
    assert [point["dev"] for point in record["curve"]] == bench.dev


def test_it_stops_when_nothing_better_came(folder: Path, bench: Bench) -> None:
    values = [0.2, 0.3, *[0.1] * 99]
    train_adapter(how(patience=2), lesson_of(pairs_of(), values=values), folder, bench.workshop())
    assert len(bench.dev) == 4
    assert bench.points[-1].step < bench.points[-1].steps


@pytest.mark.parametrize("fit", ["closed", "gradient"])
def test_one_that_is_worse_than_the_base_is_not_taken_and_that_is_said(fit: str, folder: Path, bench: Bench) -> None:
    lesson = lesson_of(pairs_of(), values=[0.9, *[0.1] * 99])
    train_adapter(how(fit=fit, stay=None), lesson, folder, bench.workshop())
    assert (
        "nothing that was tried did better on dev than the base (ndcg@10 of 24 dev questions: 0.900)" in bench.notes[0]
    )
    base = lesson.encode(lesson.corpus, queries=True)
    assert np.allclose(adapted(base, folder, queries=True, blend=1.0), base, atol=1e-6)


@pytest.mark.parametrize("fit", ["closed", "gradient"])
def test_without_dev_questions_that_is_said(fit: str, folder: Path, bench: Bench) -> None:
    lesson = lesson_of(pairs_of(), dev=False)
    train_adapter(how(fit=fit, stay=None), lesson, folder, bench.workshop())
    assert bench.dev == []
    assert "no dev question decided (no dev questions were given)" in bench.notes[0]
    assert bench.done[-1][0] == bench.done[-1][1]


def test_it_can_be_stopped(folder: Path, bench: Bench) -> None:
    def stop(done: int) -> None:
        raise Cancelled("Stopped.")

    bench.stop = stop
    with pytest.raises(Cancelled):
        train_adapter(how(), lesson_of(pairs_of()), folder, bench.workshop())
    assert len(bench.done) == 1


def test_fewer_than_eight_pairs_are_refused(folder: Path, bench: Bench, sentence: Callable[[object], str]) -> None:
    few = TrainingPairs(pairs_of().pairs[:7])
    with pytest.raises(DatasetError, match="There are 7 training pairs") as refused:
        train_adapter(how(), lesson_of(few), folder, bench.workshop())
    sentence(refused.value)


def test_a_full_disk_is_told(
    folder: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str]
) -> None:
    def no_space(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("safetensors.numpy.save_file", no_space)
    with pytest.raises(StorageError, match="is full, so the workbench could not keep the learnt map") as refused:
        train_adapter(how(), lesson_of(pairs_of()), folder, bench.workshop())
    sentence(refused.value)


def test_a_map_that_is_damaged_is_told(folder: Path, sentence: Callable[[object], str]) -> None:
    with pytest.raises(StorageError, match="is missing"):
        adapted(np.eye(4, dtype=np.float32), folder, queries=True, blend=1.0)
    (folder / ADAPTER_FILE).write_bytes(b"\x80\x04 a pickle")
    with pytest.raises(StorageError, match="cannot be read") as refused:
        adapted(np.eye(4, dtype=np.float32), folder, queries=True, blend=1.0)
    sentence(refused.value)


def test_no_chunk_that_answers_is_a_negative() -> None:
    lesson = lesson_of(pairs_of())
    nearly = (*lesson.corpus, lesson.corpus[0])
    vectors = vectors_of(replace(lesson, corpus=nearly))
    assert {tuple(row) for row in vectors.answers.tolist()} >= {(0, 0), (0, len(nearly) - 1), (1, 1)}
    marked = vectors.answered(np.asarray([0, 2]), np.asarray([0, 1, 2, len(nearly) - 1]))
    assert marked[0].tolist()[0::3] == [True, True]
    assert marked[1].tolist()[2] is True


def test_a_correlation_of_equal_sides_moves_neither_from_the_other() -> None:
    """Questions that are their own answers: both maps are one symmetrical one."""
    lesson = lesson_of(pairs_of())
    vectors = vectors_of(lesson)
    maps = solved(replace(vectors, questions=vectors.positives, question=np.arange(24)), 1.0, both=True)
    assert maps.query is not None
    assert maps.document is not None
    assert np.allclose(maps.query, maps.document, atol=1e-5)
    assert np.allclose(maps.query, maps.query.T, atol=1e-5)


def test_the_query_side_alone_gives_the_inner_products_of_both() -> None:
    vectors = vectors_of(lesson_of(pairs_of()))
    both, alone = (solved(vectors, 1.0, both=yes) for yes in (True, False))
    assert both.query is not None
    assert both.document is not None
    assert alone.query is not None
    assert np.allclose(both.query @ both.document.T, alone.query, atol=1e-4)


def test_a_row_does_not_depend_on_those_beside_it() -> None:
    random = np.random.default_rng(0)
    vectors = unit(random.standard_normal((70, 48)).astype(np.float32))
    by: FloatArray = random.standard_normal((48, 48)).astype(np.float32)
    whole = unit(mapped(vectors, by))
    assert np.allclose(whole, unit(vectors @ by), atol=1e-6)
    for rows in ([0], [69], [3, 60, 5], list(range(33))):
        assert np.array_equal(unit(mapped(vectors[rows], by)), whole[rows])


def test_a_blend_lies_between_the_identity_and_the_map() -> None:
    learnt: FloatArray = np.full((2, 2), 3.0, dtype=np.float32)
    assert Maps(learnt).blended(0.0) == Maps()
    assert Maps(learnt).blended(1.0).query is learnt
    half = Maps(learnt).blended(0.5).query
    assert half is not None
    assert half.tolist() == [[2.0, 1.5], [1.5, 2.0]]  # half of 3, and half of the identity's 1 or 0


def test_the_steps_go_on_from_one_strength_to_the_next() -> None:
    steps = path((3.0, 1.0))
    assert steps == sorted(steps, reverse=True)
    assert set(steps) == {3.0, 1.0}


def test_an_empty_workshop_is_enough(folder: Path) -> None:
    train_adapter(how(fit="closed"), lesson_of(pairs_of()), folder, Workshop(folder))
    assert (folder / ADAPTER_FILE).is_file()
