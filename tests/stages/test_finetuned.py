"""A trained embedder in a pipeline: trained once for all that does not change the training, and honest about itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines import api
from pipelines.cache import Cache
from pipelines.errors import ConfigurationError, DatasetError
from pipelines.execution import Execution
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import Plan, plan
from pipelines.settings import cache_folder
from pipelines.stages.embed import TrainedEmbedder
from pipelines.sweeps.batch import On
from pipelines.sweeps.space import Space
from pipelines.training.strikes import Strike, write_strikes
from tests.conftest import MakeSet, town_documents
from tests.contracts.tiny import cross_encoder_folder
from tests.runs.test_learned import questions
from tests.training.lessons import tiny_encoder

ADAPTER = {"use": "finetuned", "device": "cpu", "precision": "float32", "backend": "torch", "adapter_fit": "closed"}


@pytest.fixture
def towns(write_set: MakeSet) -> Dataset:
    """Thirty-six questions: eighteen to train on, nine of dev, nine of test."""
    return api.open_dataset(write_set(town_documents(), questions()))


def pipeline(**embed: Any) -> Pipeline:
    knobs = {"model": str(tiny_encoder()), **ADAPTER, **embed}
    return Pipeline.parse({"chunk": {"use": "fixed", "size": 16}, "embed": knobs, "retrieve": {"use": "dense"}})


def planned(dataset: Dataset, split: str | None = "test", **embed: Any) -> Plan:
    return plan(pipeline(**embed), dataset, dataset.select(split))


def trained_key(dataset: Dataset, **embed: Any) -> str:
    found = planned(dataset, **embed).trained
    assert found is not None
    return found.key


FREE = [
    {"blend": 0.5},
    {"blend": 0.0},
    {"dimensions": 16},
    {"normalize": False},
    {"batch_size": 1},
]
RETRAINED = [{"header": "title"}, {"query_prompt": "find: "}, {"seed": 1}, {"share": 0.5}, {"patience": 0}]


@pytest.mark.parametrize("method", ["adapter", "lora", "full"])
def test_what_is_done_with_a_model_costs_no_training(towns: Dataset, method: str) -> None:
    before = trained_key(towns, method=method)
    for knobs in FREE:
        assert trained_key(towns, method=method, **knobs) == before, knobs
    for knobs in RETRAINED:
        assert trained_key(towns, method=method, **knobs) != before, knobs


def test_weights_are_trained_alike_for_all_that_compute_them() -> None:
    known = [pipeline(method="full", backend=backend).embed for backend in ("torch", "openvino")]
    known.append(pipeline(method="full", precision="bfloat16").embed)
    one, other, half = (found.training_identity() for found in known if isinstance(found, TrainedEmbedder))
    assert one == other
    assert one != half


@pytest.mark.parametrize("stage", ["embed", "rerank"])
def test_a_run_is_known_by_what_was_struck_out_and_not_by_the_name_of_the_file(
    towns: Dataset, tmp_path: Path, stage: str
) -> None:
    file = tmp_path / "strikes.jsonl"
    settings = {"embed": {"use": "finetuned"}, "rerank": {"use": "finetuned"}}[stage]
    made = Pipeline.parse({stage: {**settings, "device": "cpu", "strikes": str(file)}})
    found = []
    for start in (0, 20):
        write_strikes(file, [Strike("", "arden", start, start + 20, "negative")])
        found.append(On(towns, "test").identity(made))
    assert found[0] != found[1]


def test_an_adapter_of_queries_shares_the_documents_vectors_with_the_base(towns: Dataset) -> None:
    own = {**ADAPTER, "use": "sentence-transformer", "model": str(tiny_encoder())}
    del own["adapter_fit"]
    stages = {"chunk": {"use": "fixed", "size": 16}, "embed": own, "retrieve": {"use": "dense"}}
    base = plan(Pipeline.parse(stages), towns, towns.select("test"))
    assert planned(towns).vectors.key == base.vectors.key
    assert planned(towns, blend=0.5).vectors.key == base.vectors.key
    assert planned(towns, adapter_side="both").vectors.key != base.vectors.key
    assert planned(towns, dimensions=8).vectors.key != base.vectors.key


@pytest.mark.parametrize("knobs", [{}, {"adapter_side": "both"}, {"adapter_fit": "gradient", "patience": 0}])
def test_a_blend_of_nothing_is_the_base_to_the_bit(towns: Dataset, knobs: dict[str, Any]) -> None:
    run = Execution(Cache(cache_folder()))
    nothing, whole = planned(towns, blend=0.0, **knobs), planned(towns, **knobs)
    base = whole.plainly(whole.questions, whole.pipeline.embed.base())  # type: ignore[attr-defined]
    for name in ("vectors", "question_vectors"):
        assert np.array_equal(run.get(getattr(nothing, name)), run.get(getattr(base, name)))
    assert not np.array_equal(run.get(whole.question_vectors), run.get(base.question_vectors))


def test_a_sweep_over_blends_and_cuts_trains_once_and_embeds_no_text_twice(
    towns: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Any] = []
    import pipelines.stages.embed.finetuned as module

    real = module.train_adapter
    monkeypatch.setattr(module, "train_adapter", lambda *given: (trained.append(given), real(*given))[1])
    first = api.evaluate(pipeline(adapter_side="both"), towns, split="test").run
    computed: list[int] = []
    from pipelines.models.encoder import Encoder

    encode = Encoder.encode

    def spy(self: Encoder, texts: Any, *rest: Any) -> Any:
        computed.append(len(texts))
        return encode(self, texts, *rest)

    monkeypatch.setattr(Encoder, "encode", spy)
    for knobs in ({"blend": 0.5}, {"dimensions": 16}, {"dimensions": 8, "blend": 0.25}):
        api.evaluate(pipeline(adapter_side="both", **knobs), towns, split="test")
    assert len(trained) == 1
    assert max(computed) == 1, "single questions, to time them"
    assert any("ndcg@10 of 9 dev questions" in note for note in first.notes)


@pytest.mark.parametrize(("split", "train", "dev"), [("train", 18, 0), ("dev", 0, 9), (None, 18, 9), ("test", 0, 0)])
def test_questions_that_it_has_seen_are_said_to_be_optimistic(
    towns: Dataset, split: str | None, train: int, dev: int
) -> None:
    notes = api.evaluate(pipeline(), towns, split=split).run.notes
    of_train = [one for one in notes if one.startswith(f"OPTIMISTIC: {train} of the")]
    of_dev = [one for one in notes if one.startswith(f"OPTIMISTIC: {dev} of the") and "ndcg@10 decided" in one]
    assert bool(of_train) == bool(train)
    assert bool(of_dev) == bool(dev)
    assert sum(one.startswith("OPTIMISTIC") for one in notes) == bool(train) + bool(dev)


def test_dev_questions_that_decided_nothing_are_not_optimistic(towns: Dataset) -> None:
    notes = api.evaluate(pipeline(patience=0), towns, split="dev").run.notes
    assert not any("OPTIMISTIC" in one for one in notes)


@pytest.mark.parametrize(("patience", "why"), [(0, "patience is 0"), (2, "")])
def test_what_was_trained_says_of_what_data_and_what_decided(towns: Dataset, patience: int, why: str) -> None:
    node = planned(towns, patience=patience).trained
    assert node is not None
    record = json.loads((Execution(Cache(cache_folder())).get(node) / "training.json").read_text())
    assert record["about"]["splits"] == "train 18, dev 9, test 9 questions with evidence"
    assert record["dev"]["why"].startswith(why)
    assert bool(record["dev"]["why"]) == bool(why)


@pytest.mark.parametrize("metric", ["ndcg@0", "recall@0tok", "recall@99999", "bleu@5"])
def test_a_metric_that_there_is_not_decides_nothing(
    towns: Dataset, metric: str, sentence: Callable[[object], str]
) -> None:
    node = planned(towns, select_by=metric).trained
    assert node is not None
    with pytest.raises(ConfigurationError) as refused:
        Execution(Cache(cache_folder())).get(node)
    assert f"no metric '{metric}' to choose by" in sentence(refused.value)


def test_fewer_than_eight_pairs_are_refused(write_set: MakeSet, sentence: Callable[[object], str]) -> None:
    few = api.open_dataset(write_set(town_documents(), questions(3)))
    with pytest.raises(DatasetError, match="3 training pairs") as refused:
        api.evaluate(pipeline(), few, split="test")
    sentence(refused.value)


@pytest.mark.parametrize("stage", ["embed", "rerank"])
def test_every_file_and_folder_is_named_by_its_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    shutil.copytree(tiny_encoder(), tmp_path / "base")
    monkeypatch.chdir(tmp_path)
    named = {"model": "./base", "strikes": "struck.jsonl", "learn_from": "./other"}
    written = Space.parse({stage: {"use": "finetuned", **named}}, "sweep").settings()
    for knob, path in named.items():
        assert written[stage][0][knob] == str(tmp_path / path), "a worker stands in another folder"


# What cannot be a base -----------------------------------------------------------------------------------------------


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def pickled_layer(folder: Path) -> None:
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"\x80\x04")
    layer = {"idx": 3, "name": "3", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    (folder / "modules.json").write_text(json.dumps([*modules, layer]), encoding="utf-8")


def remote_model(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}, "model_type": "own"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "own.py").write_text("raise SystemExit('code of a model was run')", encoding="utf-8")


def remote_model_of_a_known_kind(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"auto_map": {"AutoConfig": "someone/bert--own.Config", "AutoModel": "someone/bert--own.Model"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def remote_module(folder: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    modules[0]["type"] = "own.Module"
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (folder / "own.py").write_text("raise SystemExit('code of a model was run')", encoding="utf-8")


def truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def no_tokenizer(folder: Path) -> None:
    for path in [*folder.glob("token*"), *folder.glob("vocab*")]:
        path.unlink()


def cross_encoder(folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(cross_encoder_folder(), folder)


BAD = [
    (without_weights, "holds no weights; save the model as safetensors"),
    (pickled, "holds only pytorch_model.bin, a format that can run code"),
    (pickled_layer, "holds 2_Dense/pytorch_model.bin, a format that can run code"),
    (remote_model, "comes with code of its own, which the workbench never runs"),
    (remote_model_of_a_known_kind, "comes with code of its own, which the workbench never runs"),
    (remote_module, "comes with code of its own, which the workbench never runs"),
    (truncated, "cannot be loaded as a sentence-transformers model"),
    (no_tokenizer, "holds no tokenizer"),
    (cross_encoder, "scores or classifies texts and gives no vectors"),
]


@pytest.mark.parametrize(("spoil", "told"), BAD, ids=lambda one: getattr(one, "__name__", ""))
def test_a_folder_that_can_be_no_base_is_refused_before_anything_is_trained(
    towns: Dataset, tmp_path: Path, spoil: Callable[[Path], None], told: str, sentence: Callable[[object], str]
) -> None:
    folder = tmp_path / "base"
    shutil.copytree(tiny_encoder(), folder)
    spoil(folder)
    for method in ("adapter", "full"):
        with pytest.raises(ConfigurationError, match=told) as refused:
            api.evaluate(pipeline(model=str(folder), method=method), towns, split="test")
        sentence(refused.value)
    assert not (cache_folder() / "training").exists()


def test_a_plain_transformer_is_pooled_by_the_mean(towns: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    shutil.copytree(tiny_encoder(), folder)
    shutil.rmtree(folder / "1_Pooling")
    for name in ("modules.json", "config_sentence_transformers.json"):
        (folder / name).unlink()
    assert api.evaluate(pipeline(model=str(folder)), towns, split="test").run.n_questions == 9


def test_a_gpu_that_is_not_there_is_told(
    towns: Dataset, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str]
) -> None:
    from pipelines.models import devices

    monkeypatch.setattr(devices, "_has", lambda device: False)
    devices.resolve_device.cache_clear()
    with pytest.raises(
        ConfigurationError, match="The device 'cuda' was asked for, but this machine has none"
    ) as refused:
        api.evaluate(pipeline(device="cuda"), towns, split="test")
    sentence(refused.value)


def test_more_dimensions_than_there_are_is_told(towns: Dataset, sentence: Callable[[object], str]) -> None:
    with pytest.raises(
        ConfigurationError, match="asks for vectors of length 33, but those of model have 32"
    ) as refused:
        api.evaluate(pipeline(dimensions=33), towns, split="test")
    sentence(refused.value)
