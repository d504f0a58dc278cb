"""Training a cross-encoder: something is learnt, the same each time, also after a stop; and what is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.errors import Cancelled, ConfigurationError, DatasetError, StorageError
from pipelines.models.pair_scorer import PairScorerSpec, load_pair_scorer
from pipelines.progress import nothing, silent
from pipelines.records import FloatArray
from pipelines.records.pairs import TrainingPairs
from pipelines.training import checkpoints
from pipelines.training.lesson import PairDev, PairLesson
from pipelines.training.pair_encoder import QuestionBatches, train_pair_encoder
from pipelines.training.pair_lists import lists_of
from pipelines.training.pair_methods import PairTraining
from tests.contracts.tiny import cross_encoder_folder

from .lessons import Bench, pairs_of, tiny_encoder, weights

HOW = PairTraining(
    model=tiny_encoder(),
    device="cpu",
    precision="float32",
    loss="listwise",
    epochs=3,
    batch=4,
    learning_rate=3e-3,
    warmup=0.1,
    patience=0,
    max_tokens=32,
    random_negatives=2,
    header="none",
    seed=0,
)


def how(**knobs: Any) -> PairTraining:
    return replace(HOW, **knobs)


def lesson(pairs: TrainingPairs | None = None, values: Sequence[float] = (), before: float = 0.5) -> PairLesson:
    """A lesson whose dev metric is the share of answers above their negatives, or `values` in turn; none without."""
    given = pairs or pairs_of(16)
    asked = tuple((one.question, p.text) for one in given.pairs for p in (one.positive, *one.negatives[:1]))
    left = list(values)

    def by_scores(scores: FloatArray) -> float:
        assert scores.shape == (len(asked),)
        assert scores.dtype == np.float32
        return left.pop(0) if left else float(np.mean(scores[0::2] > scores[1::2]))

    return PairLesson(given, PairDev("ndcg@10", asked, by_scores, len(given.pairs), before))


def trained(folder: Path, bench: Bench, given: PairLesson | None = None, **knobs: Any) -> Path:
    folder.mkdir(exist_ok=True)
    train_pair_encoder(how(**knobs), given or lesson(), folder, bench.workshop())
    return folder


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return found


def scores(folder: Path, pairs: Sequence[tuple[str, str]]) -> FloatArray:
    return load_pair_scorer(PairScorerSpec(str(folder), str(folder), "cpu")).score(pairs, 32, 8, silent, nothing)[:, 0]


# What is learnt -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["listwise", "bce"])
def test_answers_come_to_stand_above_what_does_not_answer(tmp_path: Path, loss: Any) -> None:
    bench, given = Bench(tmp_path / "work"), lesson()
    folder = trained(tmp_path / "model", bench, given, loss=loss, epochs=8, model=cross_encoder_folder())
    pairs = given.pairs.pairs
    above = scores(folder, [(one.question, one.positive.text) for one in pairs])
    below = scores(folder, [(one.question, one.negatives[0].text) for one in pairs])
    assert np.mean(above > below) > 0.9
    assert bench.losses[-1] < bench.losses[0]
    assert bench.done[-1][0] == bench.done[-1][1] == 8 * 4
    assert {point.metric for point in bench.points if point.dev is not None} == {"ndcg@10"}


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    found = [
        weights(trained(tmp_path / f"m{i}", Bench(tmp_path / f"w{i}"), seed=seed)) for i, seed in enumerate((1, 1, 2))
    ]
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
    assert any(not np.array_equal(found[0][name], found[2][name]) for name in found[0])


def test_many_texts_are_learnt_from_in_bounded_memory_with_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.training import pair_objective

    monkeypatch.setattr(pair_objective, "GROUP_TOKENS", 64)
    kept = weights(trained(tmp_path / "kept", Bench(tmp_path / "w1")))
    monkeypatch.setattr(pair_objective, "KEPT_GROUPS", 10_000)
    anew = weights(trained(tmp_path / "anew", Bench(tmp_path / "w2")))
    assert all(np.allclose(kept[name], anew[name], atol=1e-6) for name in kept)


def test_a_cross_encoder_keeps_its_head_to_begin_with(tmp_path: Path) -> None:
    base = cross_encoder_folder()
    folder = trained(tmp_path / "model", Bench(tmp_path / "w"), model=base, epochs=1, learning_rate=1e-7)
    assert np.allclose(weights(folder)["classifier.weight"], weights(base)["classifier.weight"], atol=1e-4)


# What is written ----------------------------------------------------------------------------------------------------


def test_what_is_written_is_a_plain_cross_encoder_with_a_card_and_a_record(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder
    from torch import nn

    folder = trained(tmp_path / "model", Bench(tmp_path / "work"))
    pairs = [("what of ships 0?", "the harbour is where one finds ships"), ("when?", "never")]
    theirs = CrossEncoder(str(folder), device="cpu").predict(pairs, activation_fn=nn.Identity())
    assert np.allclose(scores(folder, pairs), theirs, atol=1e-5)
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} <= {".safetensors", ".json", ".md", ".txt"}
    told = record(folder)
    assert told["dev"]["n"] == told["pairs"]["n_questions"] == 16
    assert told["dev"]["before"] == 0.5
    assert len(told["dev"]["by_epoch"]) == told["epochs_trained"] == 3
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "data: dataset | tiny" in card
    assert "16 dev questions: 0.5000 as retrieved" in card
    assert not (tmp_path / "work").exists(), "checkpoints are of no use any more"


def test_the_best_epoch_is_kept_and_training_stops_when_none_better_comes(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "work")
    folder = trained(tmp_path / "model", bench, lesson(values=[0.6, 0.9, 0.8, 0.7, 0.95]), epochs=5, patience=2)
    assert record(folder)["epoch_kept"] == 2
    assert record(folder)["epochs_trained"] == 4  # the third and the fourth were no better
    second = trained(
        tmp_path / "two", Bench(tmp_path / "w2"), lesson(values=[0.6, 0.9, 0.8, 0.7]), epochs=5, patience=1
    )
    assert record(second)["epochs_trained"] == 3
    assert all(np.array_equal(weights(folder)[name], weights(second)[name]) for name in weights(folder))


def test_a_model_that_ranks_worse_than_retrieval_is_said_to(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "work")
    folder = trained(tmp_path / "model", bench, lesson(values=[0.3, 0.4, 0.2], before=0.5))
    assert any("0.5000 as retrieved, 0.4000" in note and "worse than retrieval" in note for note in bench.notes)
    assert "worse than retrieval alone" in (folder / "README.md").read_text(encoding="utf-8")


def test_without_dev_questions_the_last_epoch_is_kept(tmp_path: Path) -> None:
    given = PairLesson(pairs_of(16), None, "the dataset has no dev question")
    folder = trained(tmp_path / "model", Bench(tmp_path / "work"), given, epochs=2)
    assert record(folder)["epoch_kept"] == 2
    assert "the dataset has no dev question" in (folder / "README.md").read_text(encoding="utf-8")


# Stopped and gone on ------------------------------------------------------------------------------------------------


def test_a_training_that_was_stopped_within_an_epoch_comes_to_the_same_weights(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", Bench(tmp_path / "w1"))

    def stop(done: int) -> None:
        if done == 6:  # of 12; an epoch has four steps
            raise Cancelled

    stopped = Bench(tmp_path / "w2", stop=stop)
    with pytest.raises(Cancelled):
        trained(tmp_path / "half", stopped)
    again = Bench(tmp_path / "w2")
    resumed = trained(tmp_path / "half", again)
    assert again.done[0][0] == 7
    assert all(np.array_equal(weights(whole)[name], weights(resumed)[name]) for name in weights(whole))
    assert record(whole)["dev"] == record(resumed)["dev"]


def test_a_checkpoint_of_another_training_is_not_gone_on_from(tmp_path: Path) -> None:
    def stop(done: int) -> None:
        if done == 6:
            raise Cancelled

    with pytest.raises(Cancelled):
        trained(tmp_path / "one", Bench(tmp_path / "w", stop=stop))
    other = Bench(tmp_path / "w")
    trained(tmp_path / "two", other, seed=5)
    assert other.done[0][0] == 1


def test_a_full_disk_at_the_checkpoint_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.Checkpoints, "_write_state", refuse)
    with pytest.raises(StorageError, match="is full"):
        trained(tmp_path / "model", Bench(tmp_path / "work"))


def test_a_place_where_no_checkpoint_can_lie_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("in the way")
    with pytest.raises(StorageError, match="lies where no folder can be made"):
        trained(tmp_path / "model", Bench(tmp_path / "work"))


# What it is made of -------------------------------------------------------------------------------------------------


def test_a_list_holds_all_answers_of_a_question_and_never_one_as_a_negative() -> None:
    first, second, *others = pairs_of(10).pairs
    twice = replace(second, question=first.question, negatives=(first.positive, *second.negatives))
    lists = lists_of(TrainingPairs((first, twice, *others)), 3, 0)
    assert lists[0].texts[:2] == (first.positive.text, second.positive.text)
    assert lists[0].grades == (1.0, 1.0) + (0.0,) * (len(lists[0].texts) - 2)
    for one in lists:
        assert len(set(one.texts)) == len(one.texts)
    assert len(lists[1].texts) == 1 + 1 + 3  # its answer, its hard negative, three drawn
    assert lists == lists_of(TrainingPairs((first, twice, *others)), 3, 0)


def test_every_epoch_holds_every_question_once_in_another_order() -> None:
    batches = QuestionBatches(11, 4, 0)
    assert sorted(i for batch in batches.of(0) for i in batch) == list(range(11))
    assert [len(batch) for batch in batches.of(0)] == [4, 4, 3]
    assert batches.of(0) != batches.of(1)
    assert batches.of(1) == QuestionBatches(11, 4, 0).of(1)


def test_too_few_pairs_and_nothing_to_tell_apart_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"There are 7 training pairs.*8 are the fewest"):
        trained(tmp_path / "model", Bench(tmp_path / "w"), lesson(pairs_of(7)))
    with pytest.raises(DatasetError, match="nothing to learn"):
        trained(tmp_path / "model", Bench(tmp_path / "w"), lesson(pairs_of(9, lambda i: 0)), random_negatives=0)


# A base that cannot be ----------------------------------------------------------------------------------------------


def refused(tmp_path: Path, base: Path) -> str:
    with pytest.raises(ConfigurationError) as error:
        trained(tmp_path / "model", Bench(tmp_path / "w"), model=base)
    return str(error.value)


def test_a_base_without_weights_or_with_pickled_ones_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(cross_encoder_folder(), base)
    (base / "model.safetensors").unlink()
    assert "holds no weights" in refused(tmp_path, base)
    (base / "pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    assert "a format that can run code" in refused(tmp_path, base)


def test_a_base_that_wants_code_of_its_own_run_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(cross_encoder_folder(), base)
    config = json.loads((base / "config.json").read_text())
    auto = {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.Model"}
    (base / "config.json").write_text(json.dumps({**config, "model_type": "own", "auto_map": auto}))
    (base / "own.py").write_text("raise SystemExit(7)")
    assert "comes with code of its own" in refused(tmp_path, base)


def test_a_base_without_a_tokenizer_or_with_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(cross_encoder_folder(), base)
    weights_file = base / "model.safetensors"
    weights_file.write_bytes(weights_file.read_bytes()[:1000])
    assert "cut short" in refused(tmp_path, base)
    weights_file.write_bytes((cross_encoder_folder() / weights_file.name).read_bytes()[:-1000])
    assert "cannot be loaded as an encoder to train" in refused(tmp_path, base)
    shutil.copy(cross_encoder_folder() / weights_file.name, weights_file)
    for name in ("tokenizer.json", "vocab.txt"):
        (base / name).unlink()
    assert "holds no tokenizer" in refused(tmp_path, base)


def test_a_base_that_gives_several_numbers_is_refused(tmp_path: Path) -> None:
    assert "gives 3 numbers a pair" in refused(tmp_path, cross_encoder_folder(n_labels=3))


def test_a_base_that_reads_no_pairs_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_encoder(), base)
    (base / "modules.json").write_text(
        json.dumps([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"}])
    )
    assert "cannot read question and text together" in refused(tmp_path, base)
