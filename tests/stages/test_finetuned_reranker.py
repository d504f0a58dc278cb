"""The finetuned reranker: what decides its training and its scores, and how its score and the former one are mixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipelines.errors import ConfigurationError
from pipelines.pipeline import Pipeline
from pipelines.records import PADDING, Rankings
from pipelines.stages.rerank import Retrieved, ordered, pairs_of
from pipelines.stages.rerank.cross_encoder import CrossEncoderReranker
from pipelines.stages.rerank.finetuned import FinetunedReranker
from tests.contracts.tiny import cross_encoder_folder

TEXTS = ("one", "two", "three", "four")


def given(*rows: list[int], scores: tuple[float, ...] = (1.0, 0.5, 0.0)) -> Retrieved:
    chunk = np.full((len(rows), len(scores)), PADDING, dtype=np.int32)
    score = np.zeros(chunk.shape, dtype=np.float32)
    for q, row in enumerate(rows):
        chunk[q, : len(row)], score[q, : len(row)] = row, scores[: len(row)]
    return Retrieved(Rankings(chunk, score), ["asked"] * len(rows), TEXTS)


def column(*values: float) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)[:, None]


# Order --------------------------------------------------------------------------------------------------------------


def test_scores_are_mixed_from_0_to_1_each() -> None:
    found = FinetunedReranker(weight=0.6).ranked(given([0, 1, 2]), column(-3.0, 1.0, 5.0))
    # Former scores 1, 0.5, 0; the model's become 0, 0.5, 1: 0.4 x 1 = 0.4, 0.2 + 0.3 = 0.5, 0.6.
    assert found.chunk.tolist() == [[2, 1, 0]]
    assert np.allclose(found.score, [[0.6, 0.5, 0.4]])


def test_all_the_weight_leaves_the_model_its_own_scores() -> None:
    retrieved, scores = given([0, 1, 2], [3]), column(-3.0, 1.0, 5.0, 2.0)
    found = FinetunedReranker(weight=1.0).ranked(retrieved, scores)
    assert found.score.tolist() == ordered(retrieved, 20, scores).score.tolist() == [[5, 1, -3], [2, 0, 0]]


def test_no_weight_leaves_the_order_as_it_was_and_what_lies_below_depth_is_dropped() -> None:
    found = FinetunedReranker(weight=0.0, depth=2).ranked(given([0, 1, 2], []), column(-3.0, 1.0))
    assert found.chunk.tolist() == [[0, 1], [PADDING, PADDING]]


def test_it_scores_as_a_cross_encoder_of_the_same_folder_does() -> None:
    folder = cross_encoder_folder()
    pairs = pairs_of(given([0, 1, 2], [3, 0]), 20)
    ours = FinetunedReranker(device="cpu", max_tokens=64).opened(folder).score_pairs(pairs)
    theirs = CrossEncoderReranker(model=str(folder), device="cpu", max_tokens=64).score_pairs(pairs)
    assert ours.tobytes() == theirs.tobytes()


# What decides -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("knobs", [{"depth": 7}, {"weight": 0.1}, {"batch_size": 3}])
def test_what_is_done_with_the_model_costs_no_training(knobs: dict[str, Any]) -> None:
    base, other = FinetunedReranker(device="cpu"), FinetunedReranker(device="cpu", **knobs)
    assert other.training_identity() == base.training_identity()
    folder = cross_encoder_folder()
    assert other.opened(folder).pair_identity() == base.opened(folder).pair_identity()
    assert (other.fingerprint() == base.fingerprint()) == (knobs == {})


@pytest.mark.parametrize(
    "knobs",
    [{"epochs": 9}, {"loss": "bce"}, {"learning_rate": 1e-5}, {"random_negatives": 0}, {"seed": 4}, {"max_tokens": 99}],
)
def test_what_decides_the_weights_makes_another_training(knobs: dict[str, Any]) -> None:
    assert (
        FinetunedReranker(device="cpu", **knobs).training_identity()
        != FinetunedReranker(device="cpu").training_identity()
    )


def test_pair_scores_are_kept_under_what_was_learnt() -> None:
    one, other = cross_encoder_folder(1), cross_encoder_folder(2)
    reranker = FinetunedReranker(device="cpu")
    assert reranker.opened(one).pair_identity() != reranker.opened(other).pair_identity()


def test_a_base_is_named_by_its_path_or_as_the_packaged_model() -> None:
    packaged, own = FinetunedReranker(device="cpu"), FinetunedReranker(device="cpu", model=str(cross_encoder_folder()))
    assert packaged.training_identity()["weights"] != own.training_identity()["weights"]
    assert "model" not in own.training_identity(), "the same weights elsewhere make the same training"


def test_dev_decides_unless_all_epochs_are_wanted() -> None:
    assert FinetunedReranker(select_by="mrr@10").chosen_by() == "mrr@10"
    assert FinetunedReranker(patience=0).chosen_by() == ""


def test_a_gpu_that_is_not_there_is_refused_in_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="this machine has none"):
        FinetunedReranker(device="mps").training_identity()


def test_a_pipeline_file_may_name_it() -> None:
    settings = {"rerank": {"use": "finetuned", "negatives": "none", "negatives_each": 9}}
    rerank = Pipeline.parse(settings, "a file").rerank
    assert isinstance(rerank, FinetunedReranker)
    assert rerank.negatives_each == 6, "a knob that does not apply stands at its default"
