"""What a training takes is reckoned from files alone, and one that cannot fit is refused before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import ConfigurationError
from pipelines.models.weights import minilm_folder
from pipelines.training import encoder
from pipelines.training.encoder import train_encoder
from pipelines.training.memory import Memory, free_memory, refuse_too_much, shape_of, training_memory
from pipelines.training.methods import Base

from .lessons import Bench, lesson_of, pairs_of, tiny_encoder, training


def test_the_shape_of_a_model_is_read_from_its_files() -> None:
    found = shape_of(minilm_folder())
    assert (found.layers, found.width, found.inner, found.tokens) == (6, 384, 1536, 256)
    assert found.n_weights == pytest.approx(22_713_216, rel=1e-3)
    tiny = shape_of(tiny_encoder())
    assert (tiny.layers, tiny.width, tiny.inner, tiny.tokens) == (2, 32, 64, 32)


def test_weights_gradients_and_moments_are_those_of_what_is_trained() -> None:
    base = Base(minilm_folder(), "cpu", "float32")
    full = training_memory(training(base=base))
    lora = training_memory(training(base=base, method="lora", lora_rank=16))
    assert full.gradients == full.weights
    assert full.optimizer == 2 * full.weights
    # Rank 16 beside the six matrices of each of six layers: four of 384 x 384, two of 384 x 1536.
    assert lora.gradients == 4 * 16 * 6 * (4 * (384 + 384) + 2 * (384 + 1536))
    assert lora.activations == full.activations


def test_the_default_training_takes_less_than_four_gib() -> None:
    for precision in ("float32", "bfloat16"):
        how = training(base=Base(minilm_folder(), "cpu", precision), batch=32)
        assert training_memory(how, passages=2).total < 4 << 30
    assert str(training_memory(how)).startswith(f"{training_memory(how).total / 2**30:.1f} GiB (libraries 0.")


def test_bounded_memory_does_not_grow_with_the_batch() -> None:
    base = Base(minilm_folder(), "cpu", "bfloat16")
    small, large = (training_memory(training(base=base, loss="cached-mnrl", batch=n)) for n in (64, 4096))
    assert small == large
    assert training_memory(training(base=base, batch=4096)).total > 50 * large.activations


def test_a_training_that_cannot_fit_is_refused_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "free_memory", lambda device: 100 << 20)
    bench = Bench(tmp_path / "work")
    with pytest.raises(
        ConfigurationError, match=r"needs about 0\.7 GiB of memory, but 0\.1 GiB are free; set a smaller"
    ):
        train_encoder(training(), lesson_of(pairs_of()), tmp_path, bench.workshop())
    assert bench.points == []


def test_what_to_do_is_what_is_left_to_do() -> None:
    needed = Memory(0, 10 << 30, 0, 0, 0)
    with pytest.raises(
        ConfigurationError, match="train_batch than 8, choose the loss cached-mnrl, choose the method lora"
    ):
        refuse_too_much(needed, 1 << 30, training())
    with pytest.raises(ConfigurationError, match="train_batch than 8, or close other programs"):
        refuse_too_much(needed, 1 << 30, training(method="lora", loss="cached-mnrl"))
    refuse_too_much(needed, 11 << 30, training())


def test_free_memory_is_some() -> None:
    assert free_memory("cpu") > 1 << 20
