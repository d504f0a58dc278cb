"""Sweeps from the command line: the plan before the work, the work, what may be concluded, and bad input."""

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

from .conftest import Call

Write = Callable[..., Path]
SPEC: dict[str, Any] = {
    "chunk": {"use": "fixed", "size": [16, 32]},
    "retrieve": {"use": "bm25", "depth": [3, 10], "k1": [1.0, 2.0]},
    "filter": ["none", {"use": "where", "where": {"number": {"$gte": 2}}}],
    "search": {"objectives": ["recall@5", "-context_tokens"]},
}


@pytest.fixture
def spec(tmp_path: Path) -> Write:
    """Write a sweep file; stages given replace those of SPEC, None takes one out."""

    def write(name: str = "small.yaml", **stages: Any) -> Path:
        path = tmp_path / name
        path.write_text(yaml.safe_dump({k: v for k, v in {**SPEC, **stages}.items() if v is not None}))
        return path

    return write


def test_a_dry_run_says_what_it_would_cost_and_does_nothing(call: Call, spec: Write, towns: Path) -> None:
    result = call("sweep", spec(), "--dataset", towns, "--split", "all", "--dry-run", "--json", "-")
    assert result.code == 0
    # 2 sizes x 2 depths x 2 k1 x 2 filters
    assert result.json["n_configurations"] == 16
    assert result.json["n_runs_there"] == 0
    assert result.json["n_executions"] < result.json["n_unshared"]
    assert (result.json["usd"], result.json["tokens"], result.json["n_to_embed"]) == (None, 0, 0)
    assert api.runs().rows == ()
    assert api.sweeps() == []
    told = call("sweep", spec(), "--dataset", towns, "--split", "all", "--dry-run").out
    assert "16 configurations, of which 0 are evaluated already" in told


def test_a_sweep_evaluates_every_configuration_once(call: Call, spec: Write, towns: Path, tmp_path: Path) -> None:
    result = call(
        "sweep", spec(), "-d", towns, "--split", "test", "--json", tmp_path / "s.json", "--csv", tmp_path / "s.csv"
    )
    assert result.code == 0, result.err
    assert "has the best recall@5" in result.out
    found = json.loads((tmp_path / "s.json").read_text())
    assert found["counts"] == {"finished": 16}
    assert len(found["runs"]) == len(api.runs().rows) == 16
    assert len({run["run"] for run in found["runs"]}) == 16
    rows = list(csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text())))
    assert [int(row["number"]) for row in rows] == list(range(16))
    assert {row["standing"] for row in rows} <= {"winner", "identical", "tied", "worse", "set aside"}
    assert sum(row["standing"] == "winner" for row in rows) == 1
    assert {row["recall@5 n"] for row in rows} == {"6"}


def test_a_sweep_agrees_with_single_runs_to_the_bit(call: Call, spec: Write, pipeline: Write, towns: Path) -> None:
    swept = call("sweep", spec(), "-d", towns, "--split", "all", "--json", "-").json
    for run in (swept["runs"][0], swept["runs"][7], swept["runs"][15]):
        path = pipeline(yaml.safe_dump(run["pipeline"]))
        alone = call("run", path, "-d", towns, "--json", "-").json
        assert alone["run"] != run["run"]
        for name, measured in run["metrics"].items():
            if not name.startswith("latency"):
                assert alone["metrics"][name] == measured, name


def test_a_repeated_sweep_executes_nothing_and_has_the_same_rows(call: Call, spec: Write, towns: Path) -> None:
    first = call("sweep", spec(), "-d", towns, "--split", "all", "--json", "-").json
    second = call("sweep", spec(), "-d", towns, "--split", "all", "--json", "-").json
    assert second["sweep"] != first["sweep"]
    assert first["report"]["executions"]["computed"] > 0
    assert second["report"]["executions"] == {"distinct": 0, "computed": 0}
    assert second["runs"] == first["runs"]
    assert len(api.runs().rows) == 16
    kept = call("sweep", spec(), "-d", towns, "--split", "all", "--reuse", "--json", "-").json
    assert kept["sweep"] == second["sweep"]


def test_a_wider_sweep_pays_only_for_what_is_new(call: Call, spec: Write, towns: Path) -> None:
    call("sweep", spec(), "-d", towns, "--split", "all")
    wider = spec(retrieve={"use": "bm25", "depth": [3, 10], "k1": [1.0, 2.0, 3.0]})
    plan = call("sweep", wider, "-d", towns, "--split", "all", "--dry-run", "--json", "-").json
    assert (plan["n_configurations"], plan["n_runs_there"]) == (24, 16)
    found = call("sweep", wider, "-d", towns, "--split", "all", "--json", "-").json
    assert len(api.runs().rows) == 24
    made = [stage for run in found["runs"] for stage, how in run["cache"].items() if how == "miss"]
    assert made.count("chunk") == 2  # both sizes, in the first sweep


@pytest.mark.parametrize("strategy", ["random", "tpe", "nsga2"])
def test_samplers_give_the_same_twice(call: Call, spec: Write, towns: Path, strategy: str) -> None:
    search = {"strategy": strategy, "trials": 6, "batch": 3, "seed": 5, "objectives": ["recall@5", "-context_tokens"]}
    wide = {"use": "bm25", "k1": {"from": 0.5, "to": 3.0}, "depth": [3, 10]}
    first = call("sweep", spec(retrieve=wide, search=search), "-d", towns, "--split", "all", "--json", "-").json
    second = call("sweep", spec(retrieve=wide, search=search), "-d", towns, "--split", "all", "--json", "-").json
    assert len(first["trials"]) == 6
    assert [t["params"] for t in first["trials"]] == [t["params"] for t in second["trials"]]
    assert [t["run_id"] for t in first["trials"]] == [t["run_id"] for t in second["trials"]]


def test_a_configuration_that_fails_leaves_the_others(call: Call, spec: Write, towns: Path) -> None:
    filters = ["none", {"use": "where", "where": {"nowhere": 1}}]
    found = call("sweep", spec(filter=filters), "-d", towns, "--split", "all", "--json", "-").json
    assert found["counts"] == {"finished": 8, "failed": 8}
    reasons = {t["reason"] for t in found["trials"] if t["state"] == "failed"}
    assert len(reasons) == 1
    assert "names the metadata field 'nowhere', which no document has" in reasons.pop()


def test_when_all_fail_the_result_says_why(call: Call, spec: Write, towns: Path) -> None:
    result = call("sweep", spec(filter={"use": "where", "where": {"nowhere": 1}}), "-d", towns, "--split", "all")
    assert result.code == 0
    assert "No configuration could be evaluated: " in result.out


def test_a_race_says_what_it_dropped_and_when(call: Call, spec: Write, write_set: Any) -> None:
    words = [f"word{i} thing{i} matter{i}" for i in range(120)]
    documents = [
        {"id": f"d{i}", "text": f"{text}. And filler number {i} stands here too."} for i, text in enumerate(words)
    ]
    questions = [
        {
            "id": f"q{i}",
            "text": text,
            "split": "dev",
            "evidence": [{"document_id": f"d{i}", "start": 0, "end": len(text)}],
        }
        for i, text in enumerate(words)
    ]
    data = write_set(documents, questions, name="race")
    search = {"objectives": ["recall@1"], "race": {"alpha": 0.05, "rounds": 4}}
    path = spec(chunk="fixed", filter=None, retrieve={"use": "bm25", "min_score": [0.0, 1000.0]}, search=search)
    found = call("sweep", path, "-d", data, "--json", "-").json
    assert found["counts"] == {"finished": 1, "dropped": 1}
    [dropped] = [t for t in found["trials"] if t["state"] == "dropped"]
    assert dropped["params"] == {"retrieve.min_score": 1000.0}
    assert (
        f"dropped after {dropped['n_questions']} of 120 questions: worse than #0 (0.00 against 1.00)"
        in dropped["reason"]
    )
    assert dropped["n_questions"] < 120
    assert len(api.runs().rows) == 1


def test_sweeps_and_jobs_are_listed_and_a_study_is_written(
    call: Call, spec: Write, towns: Path, tmp_path: Path
) -> None:
    assert "There are no sweeps yet" in call("sweeps").out
    call("sweep", spec(), "-d", towns, "--split", "all", "--name", "mine")
    assert "mine" in call("sweeps").out
    assert "has the best recall@5" in call("sweeps", "mine").out
    job = api.sweep("mine").job
    assert job.id in call("jobs").out
    assert "16 finished" in call("jobs", job.id).out
    assert "16 finished" in call("jobs", "mine").out
    assert "optuna-dashboard" in call("sweeps", "mine", "--study", tmp_path / "study.log").out

    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    study = optuna.load_study(study_name=None, storage=JournalStorage(JournalFileBackend(str(tmp_path / "study.log"))))
    assert len(study.trials) == 16


def test_a_paused_sweep_goes_on_where_it_stood(
    call: Call, spec: Write, towns: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: False)
    call("sweep", spec(), "-d", towns, "--split", "all", "--detach", "--name", "mine")
    assert "pauses" in call("pause", "mine").out
    assert api.sweep("mine").job.state == "paused"
    assert "is queued" in call("resume", "mine").out
    assert "stops" in call("cancel", "mine").out
    assert api.sweep("mine").job.state == "cancelled"


BAD = [
    ({"chunk": {"use": "fixed", "size": [16, 4]}}, "size", "16 to 8192 tokens"),
    ({"chunk": {"use": "fixxed"}}, "there is no chunk component 'fixxed'", "Did you mean 'fixed'?"),
    ({"search": {"strategy": "gird"}}, "strategy", "grid"),
    ({"search": {"objectives": ["recal@5"]}}, "recal@5", "there is no such metric"),
    ({"search": {"objectives": ["-recall@5"]}}, "better when higher", ""),
    ({"search": {"objectives": ["latency_ms_p50"]}}, "one number a run", "ndcg@10"),
    (
        {"search": {"objectives": ["context_tokens@5"], "race": True}},
        "Racing needs a first objective between 0 and 1",
        "",
    ),
    ({"retrieve": {"use": "hybrid", "alpha": {"from": 0.0, "to": 1.0}}}, "alpha", "step"),
    ({"nonsense": 1}, "there is no stage 'nonsense'", ""),
]


@pytest.mark.parametrize(("change", "said", "also"), BAD, ids=[str(change) for change, _, _ in BAD])
def test_bad_sweeps_are_refused_before_anything_runs(
    call: Call, spec: Write, towns: Path, change: dict[str, Any], said: str, also: str
) -> None:
    result = call("sweep", spec(**change), "-d", towns, "--split", "all")
    assert result.code == 2
    assert result.out == ""
    assert said in result.err and also in result.err
    assert result.err.count("\n") == 1
    assert api.jobs().recent() == []


def test_a_split_without_questions_and_names_that_are_unknown(call: Call, spec: Write, towns: Path) -> None:
    assert call("sweep", spec(), "-d", towns, "--split", "train").code == 2
    assert call("sweep", spec(), "-d", "nowhere").code == 2
    assert "There is no sweep 'x'" in call("sweeps", "x").err
    assert call("pause", "x").code == 2
    assert call("sweeps", "--csv", "-").code == 2


def test_what_has_ended_is_not_told_to_pause(call: Call, spec: Write, towns: Path) -> None:
    call("sweep", spec(), "-d", towns, "--split", "all", "--name", "mine")
    for command in ("pause", "resume", "cancel"):
        assert "has finished already; nothing was changed" in call(command, "mine").out
    assert api.sweep("mine").job.state == "finished"


def test_files_that_cannot_be_written_are_refused_before_the_work(
    call: Call, spec: Write, towns: Path, tmp_path: Path
) -> None:
    for arguments in (["--csv", "/nonexistent/x.csv"], ["--json", tmp_path], ["--csv", "-", "--json", "-"]):
        result = call("sweep", spec(), "-d", towns, "--split", "all", *arguments)
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert api.jobs().recent() == []


def test_a_study_is_not_written_over_what_is_none(call: Call, spec: Write, towns: Path, tmp_path: Path) -> None:
    call("sweep", spec(), "-d", towns, "--split", "all", "--name", "mine")
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    result = call("sweeps", "mine", "--study", notes)
    assert result.code == 2
    assert "is no study" in result.err
    assert notes.read_text() == "mine"
    for _ in range(2):
        assert call("sweeps", "mine", "--study", tmp_path / "study.log").code == 0


def test_components_of_which_one_fails_still_have_effects(call: Call, spec: Write, towns: Path) -> None:
    filters = [
        "none",
        *({"use": "where", "where": {"number": {"$gte": n}}} for n in (1, 2)),
        {"use": "where", "where": {"no": 1}},
    ]
    found = call("sweep", spec(filter=filters), "-d", towns, "--split", "all", "--json", "-").json
    assert found["counts"] == {"finished": 24, "failed": 8}
    [effect] = [one for one in found["report"]["effects"] if one["knob"] == "filter"]
    assert [level["value"] for level in effect["levels"]] == ["none", "where", "where (2)"]
    assert "filter" not in " ".join(found["report"]["notes"]).replace("filter.where", "")


def test_an_empty_file_and_no_worker_are_refused(call: Call, spec: Write, towns: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    for arguments, said in ((["sweep", tmp_path / "empty.yaml"], "is empty; a sweep names at least one stage"),
                            (["sweep", spec(), "--workers", "0"], "must be 1 to 64, but got 0")):  # fmt: skip
        result = call(*arguments, "-d", towns, "--split", "all")
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert said in result.err
