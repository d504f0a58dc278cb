"""Base models side by side: how they are named, what a folder tells, what is measured, and the table."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import api
from pipelines.errors import Cancelled, ConfigurationError, DatasetError, NotFoundError, WorkbenchError
from pipelines.finetune import base_doing
from pipelines.finetune.base_facts import facts, licence_of
from pipelines.finetune.base_models import write_rows
from pipelines.finetune.base_names import named
from pipelines.finetune.base_probe import Probed, measure, probed
from pipelines.models.weights import minilm_folder
from pipelines.runs.database import Database
from pipelines.settings import database_url
from pipelines.stages.embed.sentence_transformer import SentenceTransformerEmbedder
from pipelines.worker import Worker
from tests.chat_server import serving
from tests.embedding_server import FakeEmbeddings
from tests.training.lessons import tiny_encoder

STAGES = {"chunk": {"use": "fixed", "size": 16}}
CPU = {"device": "cpu", "backend": "torch", "precision": "float32"}
Sentence = Callable[[object], str]


def tiny(**knobs: Any) -> dict[str, Any]:
    return {"use": "sentence-transformer", "model": str(tiny_encoder()), **CPU, **knobs}


def work() -> None:
    Worker(Database(database_url()), idle_s=0.01).run()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was measured, in this process and without a stopwatch: a process of its own takes seconds to start."""
    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: 0)
    seen: list[Any] = []

    def here(settings: Any, fitted: Any, texts: Any, look_up: Any) -> Probed:
        seen.append((settings["use"], len(texts)))
        look_up()
        return Probed(len(texts), 2.0, 500_000_000, None, 32, 1)

    monkeypatch.setattr(base_doing, "probed", here)
    return seen


# Names --------------------------------------------------------------------------------------------------------------


def test_models_as_they_are_named(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text("embed: {use: minilm, precision: float32}\n")
    found = named(
        [
            "minilm",
            "static",
            f"static:{tiny_encoder()}",
            str(tiny_encoder()),
            "maker/model",
            "endpoint:http://127.0.0.1:9/v1 big",
            "{use: static, dimensions: 64}",
            str(file),
            {"use": "minilm"},
        ]
    )
    assert [one.label for one in found] == [
        "minilm",
        "static",
        "static:model",
        "model",
        "maker/model",
        "big at 127.0.0.1:9",
        "static dimensions=64",
        "minilm precision=float32",
    ], "the same model is one row"
    assert [one.settings["use"] for one in found if one.settings][3:6] == [
        "sentence-transformer",
        "sentence-transformer",
        "endpoint",
    ]
    assert not any(one.error for one in found)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("endpoint:http://127.0.0.1:9/v1", "named by its address and its model"),
        ("{use: nope}", "there is no embed component 'nope'"),
        ("{chunk: fixed}", "holds no embed component"),
        ("{", "not well-formed"),
        ("none.yaml", "There is no file"),
        ({"use": "minilm", "sise": 3}, "sise"),
        ({"use": "finetuned"}, "is trained first"),
    ],
)
def test_what_names_no_model_is_a_row_that_says_why(reference: Any, says: str, sentence: Sentence) -> None:
    (one,) = named([reference])
    assert one.settings is None
    assert says in sentence(one.error)


def test_a_password_in_an_address_is_not_shown() -> None:
    (one,) = named(["endpoint:https://me:secret@example.org/v1 m"])
    assert "secret" not in f"{one.label} {one.error}"


def test_no_models_and_too_many(sentence: Sentence) -> None:
    for references in ([], ["minilm"] * 51):
        with pytest.raises(ConfigurationError, match="1 to 50 models") as refused:
            named(references)
        sentence(refused.value)


# Facts and measurement ----------------------------------------------------------------------------------------------


def test_what_a_folder_tells(tmp_path: Path) -> None:
    found = facts(minilm_folder(), minilm_folder())
    assert 22_700_000 < found.parameters < 22_800_000
    assert 90_000_000 < found.disk_bytes < 95_000_000
    card = tmp_path / "README.md"
    for head, licence in (
        ("---\nlicense: apache-2.0\n---\n", "apache-2.0"),
        ("---\nlicense: [mit, other]\n---\n", "mit, other"),
        ("---\nlicense: {\n---\n", None),
        ("# no head\n", None),
    ):
        card.write_text(head + "text")
        assert licence_of(tmp_path) == licence
    card.unlink()
    assert licence_of(tmp_path) is None


def test_damaged_weights_are_said_to_be(tmp_path: Path, sentence: Sentence) -> None:
    shutil.copytree(tiny_encoder(), tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(WorkbenchError) as refused:
        facts(tmp_path / "model", tmp_path / "model")
    sentence(refused.value)


def test_a_measurement_counts_texts_seconds_and_memory() -> None:
    found = measure(SentenceTransformerEmbedder(**{k: v for k, v in tiny().items() if k != "use"}), None, ["a b"] * 9)
    assert found.n_texts == 9
    assert found.texts_per_second == 9 * found.passes / found.seconds
    assert found.memory_bytes > 50_000_000
    assert found.max_tokens == 32


def test_a_process_of_its_own_measures(tmp_path: Path, sentence: Sentence) -> None:
    found = probed(tiny(), None, ["a ship", "the bank " * 20_000], lambda: None)  # more than a pipe holds
    assert (found.max_tokens, found.n_texts > 0, found.memory_bytes > 50_000_000) == (32, True, True)
    with pytest.raises(WorkbenchError) as refused:
        probed(tiny(model=str(tmp_path)), None, ["a"], lambda: None)
    assert "no weights" in sentence(refused.value)

    def stop() -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        probed(tiny(), None, ["a ship"], stop)


# The table ----------------------------------------------------------------------------------------------------------


def test_the_table(measured: list[Any], towns: Path, tmp_path: Path) -> None:
    static = {"use": "static", "model": str(tiny_encoder()), "dimensions": 16}
    asked: list[Any] = [tiny(), static, str(tmp_path), "endpoint:x", {**tiny(), "normalize": False}]
    job = api.compare_models(asked, api.open_dataset(towns), pipeline=STAGES)
    assert api.compare_models(asked, api.open_dataset(towns), pipeline=STAGES).id == job.id
    assert api.model_comparison(job.id).rows == ()
    work()
    view = api.model_comparison(job.id)
    assert (view.state, len(view.rows), len(view.labels)) == ("finished", 5, 5)
    first, second, *bad, third = view.rows
    assert all(set(row) == {*(column.name for column in view.columns), "reasons"} for row in view.rows)
    assert [row["dimensions"] for row in (first, second, third)] == [32, 16, 32]
    assert first["parameters"] > second["parameters"] == 30_522 * 16
    assert first["texts_per_second"] == measured[0][1] / 2.0
    assert "chunks of this dataset" in first["speed_from"]
    assert (first["max_tokens"], first["memory_bytes"], first["memory_from"]) == (32, 500_000_000, "measured")
    assert first["recall@5 n"] == first["ndcg@10 n"] == 6
    assert 0 <= first["recall@5 low"] <= first["recall@5"] <= first["recall@5 high"] <= 1
    assert first["recall@5 difference"] is None
    assert "held against it" in first["reasons"]["recall@5 difference"]
    expected = second["recall@5"] - first["recall@5"]
    assert second["recall@5 difference"] == pytest.approx(expected)
    assert second["recall@5 verdict"] == "no difference shown"
    assert "the model card names none" in first["not_told"]
    assert api.run(first["run"]).measured("recall@5").mean == first["recall@5"]  # type: ignore[union-attr]
    assert "no weights" in bad[0]["error"]
    assert "address and its model" in bad[1]["error"]
    assert bad[0]["recall@5"] is None
    assert "model" in view.notes[0]
    rows = list(csv.DictReader(io.StringIO(view.to_csv())))
    assert [row["model"] for row in rows] == [row["model"] for row in view.rows]
    assert json.loads(json.dumps(view.to_dict(), allow_nan=False))["rows"][0]["dimensions"] == 32
    assert api.model_comparisons()[0].job.id == job.id


def test_a_finished_table_counts_until_a_model_is_another_one(measured: list[Any], towns: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_encoder(), tmp_path / "mine")
    asked = ([tiny(model=str(tmp_path / "mine"))], api.open_dataset(towns))
    job = api.compare_models(*asked, pipeline=STAGES)
    work()
    assert api.compare_models(*asked, pipeline=STAGES, again=False).id == job.id
    shutil.copy(tiny_encoder(5) / "model.safetensors", tmp_path / "mine")
    assert api.compare_models(*asked, pipeline=STAGES, again=False).id != job.id


def test_what_was_done_before_a_crash_stands(measured: list[Any], towns: Path) -> None:
    job = api.compare_models([tiny(), tiny(normalize=False)], api.open_dataset(towns), pipeline=STAGES)
    work()
    rows = api.model_comparison(job.id).rows
    again = api.compare_models([tiny(), tiny(normalize=False)], api.open_dataset(towns), pipeline=STAGES)
    assert again.id != job.id
    write_rows(again.id, rows[:1], [])
    work()
    assert len(measured) == 3
    assert [row["run"] for row in api.model_comparison(again.id).rows] == [row["run"] for row in rows]


def test_a_model_whose_process_dies_is_not_loaded_here(
    measured: list[Any], towns: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> Probed:
        raise WorkbenchError("The process that tried the model was killed.")

    monkeypatch.setattr(base_doing, "probed", dies)
    job = api.compare_models([tiny()], api.open_dataset(towns), pipeline=STAGES)
    work()
    (row,) = api.model_comparison(job.id).rows
    assert "was killed" in row["error"]
    assert (row["run"], row["memory_from"]) == (None, "estimated from the size of its weights")


@pytest.fixture
def server() -> Iterator[FakeEmbeddings]:
    with serving(FakeEmbeddings()) as fake:
        assert isinstance(fake, FakeEmbeddings)
        yield fake


def test_an_endpoint_tells_less(measured: list[Any], towns: Path, server: FakeEmbeddings) -> None:
    priced = {"use": "endpoint", **server.settings(usd_per_million_tokens=0.5)}
    job = api.compare_models([priced], api.open_dataset(towns), pipeline=STAGES, split=None)
    work()
    (row,) = api.model_comparison(job.id).rows
    assert (row["error"], measured) == (None, [])
    assert (row["dimensions"], row["max_tokens"], row["usd_per_million_tokens"]) == (8, 8192, 0.5)
    assert [row[name] for name in ("parameters", "memory_bytes", "disk_bytes", "licence")] == [None] * 4
    assert row["reasons"]["parameters"] == "an endpoint does not tell"
    assert row["texts_per_second"] > 0
    assert "calls so far" in row["speed_from"]
    assert "USD" in row["notes"]


def test_what_is_refused_before_any_work(measured: list[Any], towns: Path, sentence: Sentence) -> None:
    dataset = api.open_dataset(towns)
    for options, says in (
        ({"pipeline": {"retrieve": "bm25"}}, "uses no vectors"),
        ({"pipeline": {"retreive": "bm25"}}, "no stage"),
        ({"split": "train"}, "train"),
    ):
        with pytest.raises((ConfigurationError, DatasetError), match=says) as refused:
            api.compare_models(["minilm"], dataset, **options)  # type: ignore[arg-type]
        sentence(refused.value)
    with pytest.raises(NotFoundError):
        api.model_comparison("nothing")
