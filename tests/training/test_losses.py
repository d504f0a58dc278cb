"""The losses: equal to the library's where both are defined, and right where pairs are uneven or texts repeated."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.errors import DatasetError
from pipelines.records.pairs import TrainingPair, TrainingPairs
from pipelines.training.encoder import train_encoder
from pipelines.training.examples import Example, Examples, examples_of
from pipelines.training.layout import groups, laid_out
from pipelines.training.losses import at_lengths, distillation, graded, guided, ranking, triplets
from pipelines.training.sampling import Batches

from .lessons import Bench, lesson_of, pairs_of, passage, training

N, WIDTH = 6, 8


@pytest.fixture
def even() -> tuple[Any, dict[str, Any], list[Any]]:
    """Embeddings of six pairs with one negative each, their layout, and the same in the library's columns."""
    import torch

    rows = [Example(i, N + i, (2 * N + i,), frozenset({N + i}), grade=float(1 + i % 3)) for i in range(N)]
    layout = laid_out(rows, np.arange(3 * N), N)
    tensors = {field.name: torch.from_numpy(getattr(layout, field.name)) for field in fields(layout)}
    vectors = torch.randn(3 * N, WIDTH, generator=torch.Generator().manual_seed(0))
    columns = [vectors[part * N : (part + 1) * N] for part in range(3)]
    return vectors[tensors["texts"]], tensors, columns


def test_ranking_is_the_library_s(even: tuple[Any, dict[str, Any], list[Any]]) -> None:
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    embeddings, layout, columns = even
    expected = MultipleNegativesRankingLoss(None).compute_loss_from_embeddings(columns, None)
    assert float(ranking(embeddings, layout)) == pytest.approx(float(expected), rel=1e-6)


def test_triplets_and_grades_are_the_library_s(even: tuple[Any, dict[str, Any], list[Any]]) -> None:
    import torch
    from sentence_transformers.sentence_transformer.losses import CoSENTLoss

    embeddings, layout, columns = even
    unit = [torch.nn.functional.normalize(column, dim=1) for column in columns]
    apart = (unit[0] * unit[2]).sum(1) - (unit[0] * unit[1]).sum(1) + 0.3
    assert float(triplets(embeddings, layout)) == pytest.approx(float(apart.clamp(min=0).mean()), rel=1e-6)
    grades = torch.tensor([1.0 + i % 3 for i in range(N)] + [0.0] * N)
    sides = [torch.cat([columns[0], columns[0]]), torch.cat([columns[1], columns[2]])]
    expected = CoSENTLoss(None).compute_loss_from_embeddings(sides, grades)
    assert float(graded(embeddings, layout)) == pytest.approx(float(expected), rel=1e-6)


def test_distillation_is_nothing_where_the_teacher_agrees(even: tuple[Any, dict[str, Any], list[Any]]) -> None:
    embeddings, layout, _ = even
    assert float(distillation(embeddings, layout, embeddings)) == pytest.approx(0.0, abs=1e-6)
    assert float(distillation(embeddings, layout, embeddings.flip(0))) > 0.1


def test_a_guide_takes_out_what_it_finds_nearer_than_the_positive(
    even: tuple[Any, dict[str, Any], list[Any]],
) -> None:
    import torch

    embeddings, layout, columns = even
    guide = torch.nn.functional.normalize(torch.randn(len(embeddings), 4, generator=torch.Generator().manual_seed(1)))
    seen = guide[layout["questions"]] @ guide[layout["candidates"]].T
    own = seen.gather(1, layout["target"][:, None])
    assert (seen > own).any()
    scores = 20 * torch.nn.functional.normalize(columns[0]) @ torch.nn.functional.normalize(torch.cat(columns[1:])).T
    order = [
        layout["candidates"].tolist().index(int(np.flatnonzero(layout["texts"] == N + i)[0])) for i in range(2 * N)
    ]
    expected = -torch.log_softmax(scores.masked_fill(seen[:, order] > own, -torch.inf), dim=1).diagonal().mean()
    assert float(guided(embeddings, layout, guide)) == pytest.approx(float(expected), rel=1e-5)


def test_cut_lengths_are_summed_as_the_library_sums_them(even: tuple[Any, dict[str, Any], list[Any]]) -> None:
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    embeddings, layout, columns = even
    loss = MultipleNegativesRankingLoss(None)
    expected = sum(loss.compute_loss_from_embeddings([one[:, :cut] for one in columns], None) for cut in (8, 4))
    found = at_lengths(lambda cut: ranking(cut, layout), embeddings, (8, 4))
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


def test_a_repeated_text_counts_once_and_no_answer_is_a_negative() -> None:
    """Questions 0 and 1 are both answered by text 3, and text 4 answers 0 too: two candidates, one of them hidden."""
    import torch

    rows = [
        Example(0, 3, (5,), frozenset({3, 4})),
        Example(0, 4, (5, 6), frozenset({3, 4})),
        Example(1, 3, (), frozenset({3})),
    ]
    layout = laid_out(rows, np.ones(7, dtype=np.int64), 2)
    candidates = layout.texts[layout.candidates].tolist()
    assert candidates == [3, 4, 5, 6]
    assert layout.target.tolist() == [0, 1, 0]
    assert layout.hidden.tolist() == [[False, True, False, False], [True, False, False, False], [False] * 4]
    assert sorted(layout.texts.tolist()) == [0, 1, 3, 4, 5, 6]
    tensors = {field.name: torch.from_numpy(getattr(layout, field.name)) for field in fields(layout)}
    same = torch.ones(6, 4)
    assert float(ranking(same, tensors)) == pytest.approx((2 * np.log(3) + np.log(4)) / 3)  # 3, 3 and 4 candidates
    assert layout.triplets.shape == (3, 3)
    assert layout.score.tolist() == [1, 0, 1, 0, 0, 1]


def test_texts_are_computed_with_those_of_their_length() -> None:
    lengths = np.asarray([100, 90, 40, 40, 20, 3])
    found = groups(lengths, 120)
    assert [(part.start, part.stop) for part in found] == [(0, 1), (1, 2), (2, 5), (5, 6)]
    assert groups(np.asarray([], dtype=np.int64), 120) == []


def test_pairs_are_numbered_with_what_answers_each_question() -> None:
    both = passage("oven", "bread", 1)
    pairs = [
        *pairs_of(8).pairs,
        TrainingPair("q0", pairs_of(8).pairs[0].question, both, (pairs_of(8).pairs[0].positive,)),
    ]
    found = examples_of(TrainingPairs(tuple(pairs)), "mnrl")
    assert found.rows[0].answers == found.rows[8].answers
    assert len(found.rows[0].answers) == 2
    assert found.rows[8].negatives == ()  # its negative answers the same question
    assert found.questions == tuple(pair.question for pair in pairs_of(8).pairs)


# Batches ------------------------------------------------------------------------------------------------------------


def test_no_batch_repeats_a_question_or_a_positive() -> None:
    rows = [Example(i % 20, 100 + i % 23, (), frozenset({100 + i % 23})) for i in range(60)]
    batches = Batches(rows, 8, seed=0)
    found = batches.of(0)
    assert sorted(row for batch in found for row in batch) == list(range(60))
    assert sorted(len(batch) for batch in found) == [7, 7, 7, 7, 8, 8, 8, 8]  # 60 pairs in 8 batches
    for batch in found:
        assert len({rows[row].question for row in batch}) == len(batch)
        assert len({rows[row].positive for row in batch}) == len(batch)
    assert batches.of(0) == found
    assert batches.of(1) != found
    assert Batches(rows, 8, seed=1).of(0) != found


def test_what_cannot_be_kept_apart_is_trained_all_the_same() -> None:
    rows = [Example(0, 1, (), frozenset({1})) for _ in range(10)]
    assert sorted(row for batch in Batches(rows, 4, 0).of(3) for row in batch) == list(range(10))


# Through the trainer ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["mnrl", "gist", "triplet", "cosent"])
def test_every_loss_trains_on_uneven_negatives(tmp_path: Path, loss: Any) -> None:
    bench = Bench(tmp_path / "work")
    (tmp_path / "made").mkdir()
    how = training(loss=loss, epochs=4, learning_rate=1e-2)
    train_encoder(how, lesson_of(pairs_of(negatives=lambda i: i % 4), dev=False), tmp_path / "made", bench.workshop())
    assert np.mean(bench.losses[-3:]) < 0.8 * np.mean(bench.losses[:3])
    skipped = [note for note in bench.notes if "has no use for" in note]
    assert skipped == (
        ["6 pairs without a hard negative: the loss triplet has no use for them, and skipped them."]
        if loss == "triplet"
        else []
    )


def test_bounded_memory_gives_the_same_weights(tmp_path: Path) -> None:
    from .lessons import weights

    made = []
    for loss in ("mnrl", "cached-mnrl"):
        (tmp_path / loss).mkdir()
        bench = Bench(tmp_path / f"{loss}-work")
        train_encoder(training(loss=loss, epochs=1), lesson_of(pairs_of()), tmp_path / loss, bench.workshop())
        made.append(weights(tmp_path / loss))
    assert all(np.allclose(made[0][name], made[1][name], atol=1e-6) for name in made[0])


def test_a_teacher_pulls_the_student_towards_it(tmp_path: Path) -> None:
    """The student's shares of the candidates come nearer to the teacher's than they do without it."""
    from sentence_transformers import SentenceTransformer

    from .lessons import tiny_encoder

    lesson = lesson_of(pairs_of(), dev=False)
    teacher = SentenceTransformer(str(tiny_encoder(8)), device="cpu")
    asked, found = [one.question for one in lesson.pairs.pairs], list(lesson.corpus)
    wanted = teacher.encode(asked) @ teacher.encode(found).T
    gaps = []
    for name, folder in (("with", str(tiny_encoder(8))), ("without", "")):
        (tmp_path / name).mkdir()
        bench = Bench(tmp_path / f"{name}-work")
        train_encoder(training(teacher=folder, epochs=6), lesson, tmp_path / name, bench.workshop())
        student = SentenceTransformer(str(tmp_path / name), device="cpu")
        gaps.append(np.corrcoef((student.encode(asked) @ student.encode(found).T).ravel(), wanted.ravel())[0, 1])
    assert gaps[0] > gaps[1]


def test_losses_that_have_nothing_to_learn_from_are_refused() -> None:
    bare = pairs_of(12, negatives=lambda i: 0)
    with pytest.raises(DatasetError, match="needs a hard negative for each pair, but 0 pairs of 12 have one"):
        examples_of(bare, "triplet")
    with pytest.raises(DatasetError, match="learns from differences of grade, but all pairs have the same grade"):
        examples_of(bare, "cosent")
    assert isinstance(examples_of(bare, "mnrl"), Examples)
