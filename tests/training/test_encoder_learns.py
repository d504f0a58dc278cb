"""Training an encoder's weights: something is learnt, the same each time, and what is written stands alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import ConfigurationError, DatasetError
from pipelines.records.pairs import TrainingPairs
from pipelines.training.encoder import train_encoder
from pipelines.training.methods import Base

from .lessons import Bench, lesson_of, pairs_of, tiny_encoder, training, weights

TEXTS = ["the harbour is where one finds ships", "snow", "what of winter 3?"]


def test_the_loss_falls_and_dev_rises(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "work")
    train_encoder(training(epochs=4), lesson_of(pairs_of()), folder(tmp_path), bench.workshop())
    assert np.mean(bench.losses[-3:]) < 0.6 * np.mean(bench.losses[:3])
    assert bench.dev[-1] > bench.dev[0]
    assert len(bench.dev) == 1 + 4
    assert [one.step for one in bench.points if one.loss is not None] == list(
        range(1, 13)
    )  # 24 pairs, batch 8, 4 times
    assert bench.points[-2].learning_rate == pytest.approx(3e-3 * 1 / 11)  # the last of 11 steps after the warm-up
    assert bench.done[-1] == (12, 12)
    assert not (tmp_path / "work").exists()
    assert "Training was reckoned to take" in bench.notes[0]


def test_the_same_seed_gives_the_same_weights_to_the_bit(tmp_path: Path) -> None:
    found = [trained(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
    assert not all(np.array_equal(found[0][name], found[2][name]) for name in found[0])


def test_the_random_numbers_and_threads_of_the_caller_stay_as_they_were(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(5)
    before, n_threads = torch.random.get_rng_state(), torch.get_num_threads()
    numpy = np.random.get_state()[1].copy()
    trained(tmp_path / "a", epochs=1)
    assert torch.equal(before, torch.random.get_rng_state())
    assert np.array_equal(numpy, np.random.get_state()[1])
    assert torch.get_num_threads() == n_threads


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_folder_is_a_plain_model_of_safetensors(tmp_path: Path, method: str) -> None:
    from sentence_transformers import SentenceTransformer

    made = folder(tmp_path)
    train_encoder(training(method=method, epochs=1), lesson_of(pairs_of()), made, Bench(tmp_path / "w").workshop())
    names = {path.name for path in made.rglob("*") if path.is_file()}
    assert {"model.safetensors", "modules.json", "README.md", "training.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl")) or "adapter" in name]
    base = weights(tiny_encoder())
    assert weights(made).keys() == base.keys()
    assert any(not np.array_equal(weights(made)[name], base[name]) for name in base)
    assert json.loads((made / "config.json").read_text()) == json.loads((tiny_encoder() / "config.json").read_text())
    vectors = SentenceTransformer(str(made), device="cpu").encode(TEXTS)
    assert np.isfinite(vectors).all()
    assert vectors.shape == (3, 32)


def test_lora_moves_no_embedding_table(tmp_path: Path) -> None:
    made = trained(tmp_path / "a", method="lora", learning_rate=None)
    base = weights(tiny_encoder())
    moved = {name for name in base if not np.array_equal(made[name], base[name])}
    assert moved
    assert all(name.endswith("dense.weight") or "attention.self" in name for name in moved)


def test_lora_dropout_is_drawn_and_repeats_with_the_seed(tmp_path: Path) -> None:
    knobs = {"method": "lora", "lora_dropout": 0.3}
    found = [trained(tmp_path / name, **knobs) for name in "ab"]
    without = trained(tmp_path / "c", method="lora")
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
    assert not all(np.array_equal(found[0][name], without[name]) for name in without)


def test_vectors_that_are_cut_are_trained_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "w")
    how = training(matryoshka=(8, 16), epochs=1)
    train_encoder(how, lesson_of(pairs_of(), dev=False), folder(tmp_path), bench.workshop())
    plain = Bench(tmp_path / "v")
    (tmp_path / "n").mkdir()
    train_encoder(training(epochs=1), lesson_of(pairs_of(), dev=False), tmp_path / "n", plain.workshop())
    assert bench.losses[0] > 2 * plain.losses[0]  # summed over three lengths


def test_prompts_are_put_before_texts_and_kept_in_the_model(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    base = Base(tiny_encoder(), "cpu", "float32", query_prompt="question: ", document_prompt="text: ")
    bench, made = Bench(tmp_path / "w"), folder(tmp_path)
    train_encoder(training(base=base, epochs=1), lesson_of(pairs_of(), dev=False), made, bench.workshop())
    model = SentenceTransformer(str(made), device="cpu")
    assert np.allclose(model.encode_query(TEXTS), model.encode(["question: " + text for text in TEXTS]), atol=1e-6)
    assert np.allclose(model.encode_document(TEXTS), model.encode(["text: " + text for text in TEXTS]), atol=1e-6)


def test_bfloat16_is_near_float32(tmp_path: Path) -> None:
    found = []
    for precision in ("float32", "bfloat16"):
        bench = Bench(tmp_path / precision)
        (tmp_path / f"{precision}-made").mkdir()
        how = training(base=Base(tiny_encoder(), "cpu", precision), epochs=1)
        train_encoder(how, lesson_of(pairs_of()), tmp_path / f"{precision}-made", bench.workshop())
        found.append(bench.losses)
        assert {value.dtype for value in weights(tmp_path / f"{precision}-made").values()} == {np.dtype(np.float32)}
    assert found[0] != found[1]
    assert found[0] == pytest.approx(found[1], abs=0.15)


# What decides which weights are kept --------------------------------------------------------------------------------


def test_the_epoch_with_the_best_dev_metric_is_kept(tmp_path: Path) -> None:
    bench, made = Bench(tmp_path / "w"), folder(tmp_path)
    lesson = lesson_of(pairs_of(), values=(0.1, 0.5, 0.3, 0.2))
    train_encoder(training(epochs=3), lesson, made, bench.workshop())
    short = folder(tmp_path, "short")
    stopped = lesson_of(pairs_of(), values=(0.1, 0.5, 0.3, 0.2))
    train_encoder(training(epochs=3, patience=1), stopped, short, Bench(tmp_path / "v").workshop())
    record = json.loads((made / "training.json").read_text())
    assert record["epoch_kept"] == 1
    assert record["epochs_trained"] == 3
    assert json.loads((short / "training.json").read_text())["epochs_trained"] == 2
    assert all(np.array_equal(weights(made)[name], weights(short)[name]) for name in weights(made))
    assert not [note for note in bench.notes if "worse" in note]


def test_a_model_that_got_worse_is_said_to_have_got_worse(tmp_path: Path) -> None:
    bench, made = Bench(tmp_path / "w"), folder(tmp_path)
    train_encoder(training(epochs=2), lesson_of(pairs_of(), values=(0.9, 0.4, 0.5)), made, bench.workshop())
    said = "The trained model is worse than its base on dev: ndcg@10 0.9000 before, 0.5000 after its best epoch"
    assert any(note.startswith(said) for note in bench.notes)
    assert "worse than the base" in (made / "README.md").read_text()
    dev = json.loads((made / "training.json").read_text())["dev"]
    assert (dev["before"], dev["after"]) == (0.9, 0.5)


def test_without_dev_all_epochs_are_trained_and_it_is_said_why(tmp_path: Path) -> None:
    made = folder(tmp_path)
    lesson = lesson_of(pairs_of(), dev=False)
    train_encoder(training(epochs=2, patience=1), lesson, made, Bench(tmp_path / "w").workshop())
    assert json.loads((made / "training.json").read_text())["epochs_trained"] == 2
    assert "no dev questions were given" in (made / "README.md").read_text()


# What cannot be trained ---------------------------------------------------------------------------------------------


def test_too_few_pairs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"There are 7 training pairs, but 8 are the fewest .*; mark evidence"):
        train_encoder(training(), lesson_of(pairs_of(7)), folder(tmp_path), Bench(tmp_path / "w").workshop())
    with pytest.raises(DatasetError, match="There are 0 training pairs"):
        train_encoder(training(), empty(), folder(tmp_path, "b"), Bench(tmp_path / "w").workshop())


def test_lengths_beyond_the_width_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"vectors of length 64, but the base model's have 32"):
        trained(tmp_path, matryoshka=(64, 8))


def test_a_gpu_that_is_not_there_is_refused(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        return
    with pytest.raises(ConfigurationError, match="The device 'cuda' was asked for, but this machine has none"):
        trained(tmp_path, base=Base(tiny_encoder(), "cuda", "float32"))


def test_bases_that_are_no_safe_models_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="holds no weights"):
        trained(tmp_path, base=Base(tmp_path / "empty", "cpu", "float32"))
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match="a format that can run code"):
        trained(tmp_path, base=Base(tmp_path / "pickled", "cpu", "float32"))
    with pytest.raises(ConfigurationError, match="comes with code of its own, which the workbench never runs"):
        trained(tmp_path, base=Base(with_code(tmp_path / "code"), "cpu", "float32"))
    with pytest.raises(ConfigurationError, match="a format that can run code"):
        trained(tmp_path, teacher=str(tmp_path / "pickled"))


def test_a_training_that_diverges_is_said_to_have(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no finite number at step \d+ of \d+: the training has diverged"):
        trained(tmp_path, learning_rate=1e30, warmup=0.0)


def with_code(place: Path) -> Path:
    """A folder whose model is of a kind that only its own code computes."""
    import shutil

    shutil.copytree(tiny_encoder(), place)
    config = json.loads((place / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Model"}}
    (place / "config.json").write_text(json.dumps(config))
    (place / "code.py").write_text("raise SystemExit('run')\n")
    return place


def empty() -> object:
    lesson = lesson_of(pairs_of(8))
    from dataclasses import replace

    return replace(lesson, pairs=TrainingPairs(()))


def folder(place: Path, name: str = "made") -> Path:
    (place / name).mkdir()
    return place / name


def trained(place: Path, **knobs: object) -> dict[str, object]:
    made = place / "made"
    made.mkdir(parents=True, exist_ok=True)
    train_encoder(training(**knobs), lesson_of(pairs_of(), dev=False), made, Bench(place / "work").workshop())
    return weights(made)
