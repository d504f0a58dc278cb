"""Finetuning from the command line: the plan, the work, the report, the learning curve, the export, and bad input."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import api
from tests.finetune.schools import school_documents, school_questions, written
from tests.training.lessons import tiny_encoder

from .conftest import Call

School = Callable[..., Path]
Write = Callable[..., Path]
Refused = Callable[..., str]


@pytest.fixture
def school(write_set: Callable[..., Path]) -> School:
    """Write a small golden set to learn from; `questions` are added to it, `splits` say how its places are divided."""
    return written(write_set)


@pytest.fixture
def spec(tmp_path: Path) -> Write:
    """Write a spec: an adapter on a tiny encoder over windows of 16 tokens; knobs of the embedder are added to it."""

    def write(name: str = "tuned.yaml", embed: list[dict[str, Any]] | None = None, **values: Any) -> Path:
        own = {"use": "finetuned", "model": str(tiny_encoder()), "backend": "torch", "method": "adapter"}
        embeds = [{**own, **one} for one in embed or [{}]]
        settings = {
            "chunk": {"use": "fixed", "size": 16},
            "embed": embeds if len(embeds) > 1 else embeds[0],
            "retrieve": {"use": "dense"},
            **values,
        }
        path = tmp_path / name
        path.write_text(yaml.safe_dump(settings))
        return path

    return write


def test_a_dry_run_says_what_is_learnt_from_and_trains_nothing(call: Call, spec: Write, school: School) -> None:
    result = call("finetune", spec(), "-d", school(), "--dry-run", "--json", "-")
    assert result.code == 0, result.err
    (training,) = result.json["trainings"]
    assert training["n_pairs"] >= 30
    assert (training["done"], training["seconds"], training["refused"]) == (False, None, None)
    assert "never measured" in training["reason"]
    assert (result.json["n_train"], result.json["n_dev"], result.json["n_reported"]) == (30, 18, 24)
    assert api.finetunings() == []
    assert api.runs().rows == ()
    told = call("finetune", spec(), "-d", school(), "--dry-run").out
    assert "Split by document" in told
    assert "No train question asks nearly what one of dev or test asks." in told


def test_memory_and_steps_are_stated_before_weights_are_trained(call: Call, spec: Write, school: School) -> None:
    found = call("finetune", spec(embed=[{"method": "full"}]), "-d", school(), "--dry-run", "--json", "-").json
    (training,) = found["trainings"]
    assert training["steps"] == 3 * -(-training["n_pairs"] // 32)
    assert training["memory_bytes"] > 100_000_000
    assert found["memory_free_bytes"] > 0


def test_it_trains_and_reports_before_and_after(
    call: Call, spec: Write, school: School, write_set: Callable[..., Path], tmp_path: Path
) -> None:
    outside = write_set(school_documents()[:3], school_questions()[:12], "elsewhere")
    path = spec(finetune={"outside": str(outside)})
    result = call("finetune", path, "-d", school(), "--json", tmp_path / "f.json", "--csv", tmp_path / "f.csv")
    assert result.code == 0, result.err
    assert "ndcg@10 on dev" in result.err
    assert "unseen documents" in result.out

    found = json.loads((tmp_path / "f.json").read_text())
    report = found["report"]
    (one,) = report["candidates"]
    assert {where: gains[0]["n"] for where, gains in one["gains"].items()} == {
        "all": 24, "seen": 0, "unseen": 24, "outside": 12, "dev": 18,
    }  # fmt: skip
    assert all(gain["reason"] for gain in one["gains"]["seen"])
    assert one["gains"]["all"][0]["sentence"] == one["sentence"]
    assert "test" in one["optimism"]["sentence"]
    assert any("nearly repeat a train question" in note for note in report["notes"])
    ((label, points),) = found["curves"].items()
    assert label == report["trainings"][0]["label"]
    assert any(point["dev"] is not None for point in points)
    assert report["trainings"][0]["n_pairs"] >= 30

    rows = list(csv.DictReader(io.StringIO((tmp_path / "f.csv").read_text())))
    assert {row["where"] for row in rows} == {"all", "seen", "unseen", "outside", "dev"}
    listed = {row["run"] for row in api.runs().rows}
    assert {run_id for both in one["runs"].values() for run_id in both} <= listed, "they are runs like any other"
    moved = [*one["rose"], *one["fell"]]
    assert all(question["text"] and question["before"] != question["after"] for question in moved)


def test_what_was_trained_and_evaluated_is_looked_up(call: Call, spec: Write, school: School) -> None:
    both = spec("both.yaml", embed=[{}, {"adapter_fit": "closed"}])
    assert call("finetune", spec(), "-d", school()).code == 0
    n_before = len(api.runs().rows)
    result = call("finetune", both, "-d", school(), "--json", "-")
    trainings = result.json["report"]["trainings"]
    assert [one["was_there"] for one in trainings] == [True, False]
    assert len(api.runs().rows) == n_before + 2, "one more pipeline, on test and on dev"
    assert result.json["report"]["chosen"] in {one["label"] for one in result.json["report"]["candidates"]}
    listed = call("finetunings").out
    assert "both" in listed
    assert "tuned" in listed
    again = call("finetune", both, "-d", school(), "--reuse", "--json", "-").json
    assert again["finetuning"] == result.json["finetuning"]
    assert call("finetunings", "both", "--json", "-").json == again


def test_a_planted_leak_is_named_everywhere(call: Call, spec: Write, school: School) -> None:
    copied = next(one for one in school_questions() if one["split"] == "test")
    leaky = school({**copied, "id": "planted", "split": "train"})
    named = f"'planted': {copied['text']}  =  '{copied['id']}' of test"
    assert named in call("finetune", spec(), "-d", leaky, "--dry-run").out
    result = call("finetune", spec(), "-d", leaky, "--name", "leaky")
    assert "LEAK: 1 train question was not trained on" in result.out
    assert named in result.out
    report = api.finetuning("leaky").report
    assert report is not None
    assert [(one["question_id"], one["twin"]) for one in report["leaks"]] == [("planted", copied["id"])]
    assert ["planted"] == [name for name, _ in report["trainings"][0]["left_out"]]


def test_all_evidence_in_one_document_leaves_nothing_unseen(
    call: Call, spec: Write, write_set: Callable[..., Path]
) -> None:
    (document,) = school_documents(("Arden",))
    words = "Lanterns kettles ribbons anvils saddles barrels candles mirrors needles ploughs violins chimneys".split()
    document["text"] = " ".join(f"{word} of Arden are sold by merchant number {i}." for i, word in enumerate(words))
    questions = [
        {"id": f"q{i}", "text": f"{word}?", "split": "test" if i > 9 else "train",
         "evidence": [{"document_id": "arden", "quote": f"{word} of Arden are sold by merchant number {i}."}]}
        for i, word in enumerate(words)
    ]  # fmt: skip
    result = call("finetune", spec(), "-d", write_set([document], questions, "one"), "--json", "-")
    assert result.code == 0, result.err
    (one,) = result.json["report"]["candidates"]
    assert one["gains"]["unseen"][0]["difference"] is None
    assert "every question has evidence in a document that was learnt from" in one["gains"]["unseen"][0]["reason"]
    assert one["gains"]["dev"][0]["reason"]
    assert one["optimism"] is None


def test_the_learning_curve_says_whether_to_label_more(call: Call, spec: Write, school: School, tmp_path: Path) -> None:
    result = call(
        "learning-curve", spec(), "-d", school(), "--shares", "0.1,0.5,1", "--seeds", 2, "--csv", tmp_path / "c.csv",
        "--json", tmp_path / "c.json",
    )  # fmt: skip
    assert result.code == 0, result.err
    report = json.loads((tmp_path / "c.json").read_text())["report"]
    few, half, whole = report["points"]
    assert "8" in few["error"]
    assert half["n_pairs"] < whole["n_pairs"]
    assert (whole["seeds"], len(whole["runs"]), whole["gains"][0]["n"]) == (2, 2, 24)
    assert report["verdict"] in ("likely to pay", "not likely to pay", "cannot tell")
    assert report["doubling"]["from_pairs"] == half["n_pairs"]
    assert report["sentence"] in result.out
    assert "10% could not be trained on" in result.out
    assert len((tmp_path / "c.csv").read_text().splitlines()) == 1 + 1 + 2 * 3


def test_a_model_is_exported_and_loads_by_itself(call: Call, spec: Write, school: School, tmp_path: Path) -> None:
    assert call("finetune", spec(), "-d", school(), "--name", "mine", "--export", tmp_path / "a").code == 0
    run_id = (api.finetuning("mine").report or {})["candidates"][0]["runs"]["reported"][1]
    assert call("export-model", run_id, "--to", tmp_path / "b").code == 0
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tmp_path / "a"), device="cpu")
    assert model.encode_query(["who?"]).shape == (1, 32)
    assert "ndcg@10" in (tmp_path / "a" / "README.md").read_text()
    assert not list((tmp_path / "b").rglob("*.bin"))


def test_what_is_struck_out_in_the_same_file_makes_other_runs_and_no_old_report_exports_it(
    call: Call, refused: Refused, spec: Write, school: School, tmp_path: Path
) -> None:
    dataset, reports = api.open_dataset(school()), []
    for n in (1, 2):
        pairs = api.training_pairs(yaml.safe_load(spec().read_text()), dataset).pairs[:n]
        places = [(one.question_id, one.positive.document_id, one.positive.start, one.positive.end) for one in pairs]
        file = api.save_strikes(dataset, [api.Strike(*place, "positive") for place in places])
        assert call("finetune", spec(embed=[{"strikes": str(file)}]), "-d", school(), "--name", f"n{n}").code == 0
        reports.append(api.finetuning(f"n{n}").report or {})
    before, after = (one["candidates"][0]["runs"]["reported"] for one in reports)
    assert before[0] == after[0]
    assert before[1] != after[1], "the run of what learnt from other pairs"
    assert "run it again" in refused("export-model", "n1", "--to", tmp_path / "old")
    assert call("export-model", "n2", "--to", tmp_path / "new").code == 0


def test_a_sweep_trains_too_and_its_dry_run_counts_it(call: Call, school: School, tmp_path: Path) -> None:
    base = {"model": str(tiny_encoder()), "backend": "torch"}
    settings = {
        "chunk": {"use": "fixed", "size": 16},
        "embed": [{"use": "sentence-transformer", **base}, {"use": "finetuned", "method": "adapter", **base}],
        "retrieve": {"use": "dense"},
    }
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(settings))
    plan = call("sweep", path, "-d", school(), "--dry-run", "--json", "-").json
    assert plan["n_configurations"] == 2
    assert any(what.startswith("train embed finetuned adapter") for what in plan["unknown"])
    result = call("sweep", path, "-d", school(), "--json", "-")
    assert result.json["counts"] == {"finished": 2}, result.err
    after = call("sweep", path, "-d", school(), "--split", "test", "--dry-run", "--json", "-").json
    assert not any(what.startswith("train ") for what in after["unknown"]), "its pace was measured"
    assert api.training_curves(_keys(school())), "its curve was kept"


def _keys(dataset: Path) -> list[str]:
    from sqlalchemy import select

    from pipelines.runs.schema import training_point
    from pipelines.verbs.home import database

    with database().reading() as connection:
        return list(connection.execute(select(training_point.c.training).distinct()).scalars())


@pytest.mark.parametrize(
    ("values", "arguments", "told"),
    [
        ({"finetune": {"train": "test"}}, (), "training is on the train split, always"),
        ({"finetune": {"outside": "no-such-set"}}, (), "no dataset 'no-such-set'"),
        ({}, ("--name", " "), "--name is empty"),
        ({}, ("--detach", "--export", "x"), "--export"),
        ({"embed": [{"device": "cuda"}]}, (), "cuda"),
        ({"embed": [{"model": "/no/such/folder"}]}, (), "no/such/folder"),
        ({"embed": [{"strikes": "/no/such/strikes.jsonl"}]}, (), "strikes"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(
    refused: Refused, spec: Write, school: School, values: dict[str, Any], arguments: tuple[str, ...], told: str
) -> None:
    assert told in refused("finetune", spec(**values), "-d", school(), *arguments)


def test_outside_must_be_another_dataset(refused: Refused, spec: Write, school: School) -> None:
    same = school()
    assert "documents that are trained on" in refused("finetune", spec(finetune={"outside": str(same)}), "-d", same)


def test_a_set_without_test_or_train_questions_is_refused(refused: Refused, spec: Write, school: School) -> None:
    assert "no test question" in refused("finetune", spec(), "-d", school(splits="t" * 8 + "d" * 4))
    assert "no train question" in refused("finetune", spec(), "-d", school(splits="d" * 8 + "e" * 4, name="untaught"))


def test_fewer_than_eight_pairs_are_refused(refused: Refused, spec: Write, write_set: Callable[..., Path]) -> None:
    kept = [one for one in school_questions() if one["split"] != "train" or one["id"] in ("arden-0", "arden-1")]
    few = write_set(school_documents(), kept, "few")
    assert "8" in refused("finetune", spec(), "-d", few)


def test_a_filled_folder_is_not_exported_into(refused: Refused, spec: Write, school: School, tmp_path: Path) -> None:
    filled = tmp_path / "filled"
    filled.mkdir()
    (filled / "kept.txt").write_text("kept")
    assert "not empty" in refused("finetune", spec(), "-d", school(), "--export", filled)
    assert "not empty" in refused("export-model", "whatever", "--to", filled)


def test_what_is_not_there_or_was_not_trained(
    call: Call, refused: Refused, spec: Write, school: School, tmp_path: Path
) -> None:
    assert "none was run yet" in refused("finetunings", "nothing")
    assert "There are no finetunings yet" in call("finetunings").out
    call("finetune", spec(), "-d", school(), "--name", "mine")
    assert "Did you mean 'mine'?" in refused("finetunings", "mime")
    before = (api.finetuning("mine").report or {})["candidates"][0]["runs"]["reported"][0]
    assert "Nothing in run" in refused("export-model", before, "--to", tmp_path / "x")
    assert "has no model 'other'" in refused("export-model", "mine", "--to", tmp_path / "x", "--label", "other")


def test_shares_that_are_no_numbers(refused: Refused, spec: Write, school: School) -> None:
    assert "--shares" in refused("learning-curve", spec(), "-d", school(), "--shares", "half")
    assert "ascend" in refused("learning-curve", spec(), "-d", school(), "--shares", "1,0.5")
