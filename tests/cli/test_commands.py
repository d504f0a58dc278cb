"""Every command with what it is for: people script against names, JSON and exit codes."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines import api
from pipelines.catalog import STAGE_NAMES, all_components, knobs

from .conftest import Call

REPOSITORY = Path(__file__).parents[2]
Write = Callable[..., Path]


def test_help_names_every_command(call: Call) -> None:
    result = call("--help")
    assert result.code == 0
    for command in ("import", "check", "components", "run", "runs", "compare", "ui"):
        assert command in result.out
        assert call(command, "--help").code == 0


def test_components_lists_everything_that_is_registered(call: Call) -> None:
    out = call("components").out
    for stage, known in all_components().items():
        assert f"\n{stage}: " in f"\n{out}"
        for component in known.values():
            assert f"\n  {component.name}\n" in out
            for knob in knobs(component):
                assert f"- {knob.name}: {knob.bounds()}; " in out
    one = call("components", "chunk").out
    assert "- size: 16 to 8192 tokens; default 256." in one
    assert "rerank" not in one


def test_run_prints_and_keeps_the_run(call: Call, pipeline: Write, towns: Path) -> None:
    result = call("run", pipeline(), "--dataset", towns, "--split", "test", "--name", "mine")
    assert result.code == 0
    assert "'mine': fixed 16 · bm25, 7 questions (test)" in result.out
    assert "recall@5" in result.out
    assert "mine on towns (test): finished" in result.err.replace("'", "")
    [row] = api.runs().rows
    assert (row["name"], row["split"], row["recall@5 n"]) == ("mine", "test", 6)


def test_the_json_of_a_run(call: Call, pipeline: Write, towns: Path, tmp_path: Path) -> None:
    """As the design has it: other keys may come, none of these may change."""
    assert call("run", pipeline(), "--dataset", towns, "--json", tmp_path / "run.json").code == 0
    found = json.loads((tmp_path / "run.json").read_text())
    assert {"run", "dataset", "pipeline", "metrics", "seconds", "cache"} <= set(found)
    assert set(found["dataset"]) == {"name", "version"}
    assert found["dataset"] == {"name": "towns", "version": api.open_dataset(towns).version}
    assert set(found["pipeline"]) == set(STAGE_NAMES)
    assert found["pipeline"]["chunk"] == {"use": "fixed", "size": 16, "overlap": 0.0, "tokenizer": "cl100k_base"}
    assert set(found["cache"].values()) <= {"hit", "miss"}
    assert found["cache"]["chunk"] == "miss"
    assert set(found["cache"]) == set(found["seconds"])
    assert all(isinstance(s, float) and s >= 0 for s in found["seconds"].values())
    for name, metric in found["metrics"].items():
        assert set(metric) - {"reason"} == {"mean", "low", "high", "n", "unscored"}, name
        assert metric["n"] + metric["unscored"] == 13 or name.startswith("latency"), name
        if metric["mean"] is None:
            assert metric["n"] == 0
            assert metric["reason"]
        else:
            assert math.isfinite(metric["mean"])
    assert found["metrics"]["recall@5"]["n"] == 12
    assert found["metrics"]["recall@5"]["reason"] == "unanswerable: no evidence"


def test_json_on_standard_output_is_nothing_but_json(call: Call, pipeline: Write, towns: Path) -> None:
    one = call("run", pipeline(), "--dataset", towns, "--json", "-").json
    assert one["name"] == "words"
    several = call("run", pipeline(), pipeline(name="b", chunk="sentence"), "-d", towns, "--json", "-").json
    assert [run["name"] for run in several] == ["words", "b"]
    other = pipeline(name="b").stem
    compared = call("compare", "words", other, "--json", "-").json
    assert compared["baseline_name"] == "words"
    assert {"metric", "difference", "low", "high", "p", "p_holm", "wins", "ties", "losses", "n", "verdict"} <= set(
        compared["rows"][0]
    )


def test_the_run_is_reproduced_from_its_own_json(call: Call, pipeline: Write, towns: Path) -> None:
    first = call("run", pipeline(), "--dataset", towns, "--json", "-").json
    again = call("run", pipeline(json.dumps(first["pipeline"]), "again"), "--dataset", towns, "--json", "-").json
    assert again["metrics"] == first["metrics"]
    assert set(again["cache"].values()) == {"hit"}


def test_several_pipelines_are_compared_with_the_first(call: Call, pipeline: Write, towns: Path) -> None:
    out = call("run", pipeline(), pipeline(name="longer", chunk={"use": "fixed", "size": 64}), "-d", towns).out
    assert "Against 'words', paired by question" in out
    assert "longer" in out


def test_runs_and_its_file(call: Call, pipeline: Write, towns: Path, tmp_path: Path) -> None:
    assert "There are no runs yet" in call("runs").out
    call("run", pipeline(name="=1+1"), "--dataset", towns)
    call("run", pipeline(name="second"), "--dataset", towns, "--split", "dev")
    shown = call("runs", "--dataset", "towns", "--metrics", "recall@5,ndcg@10").out
    assert shown.index("=1+1") < shown.index("second")
    assert call("runs", "--csv", tmp_path / "runs.csv").code == 0
    with (tmp_path / "runs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["'=1+1", "second"]
    assert float(rows[0]["recall@5"]) == api.runs().rows[0]["recall@5"]
    assert rows[0]["recall@5 n"] == "12"
    printed = call("runs", "--csv", "-").out
    assert list(csv.DictReader(io.StringIO(printed))) == rows
    assert call("runs", "--dataset", "others").out == "There are no runs on 'others'; there are some on towns.\n"


def test_compare_and_its_file(call: Call, pipeline: Write, towns: Path, tmp_path: Path) -> None:
    call("run", pipeline(), pipeline(name="longer", chunk={"use": "fixed", "size": 64}), "-d", towns)
    out = call("compare", "words", "longer", "--metrics", "recall@1,ndcg@10").out
    assert "Against 'words' on towns, 13 questions" in out
    call("compare", "words", "longer", "--csv", tmp_path / "c.csv", "--metrics", "all")
    with (tmp_path / "c.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["metric"]: row for row in csv.DictReader(file)}
    ours = api.compare_runs("words", ["longer"])
    assert set(rows) == {row.metric for row in ours.rows}
    assert {name: row["difference"] for name, row in rows.items() if row["difference"]} == {
        row.metric: repr(row.difference) for row in ours.rows if row.difference is not None
    }


def test_check_says_what_is_there_and_ends_with_its_verdict(
    call: Call, towns: Path, write_set: Any, town_rows: Any
) -> None:
    sound = call("check", towns)
    assert sound.code == 0
    assert "6 documents" in sound.out
    assert "It can be used" in sound.out
    documents, questions = town_rows
    questions[0]["evidence"] = [{"document_id": "nowhere"}]
    broken = call("check", write_set(documents, questions, "broken"))
    assert broken.code == 2
    assert "nowhere" in broken.out


def test_the_bundled_dataset_is_sound(call: Call) -> None:
    result = call("check", "meridian")
    assert result.code == 0
    assert "error" not in result.out.lower().replace("error-free", "")


def test_import_then_check_then_run(call: Call, pipeline: Write, tmp_path: Path) -> None:
    source = tmp_path / "beir"
    (source / "qrels").mkdir(parents=True)
    (source / "corpus.jsonl").write_text('{"_id": "d1", "text": "It rained."}\n{"_id": "d2", "text": "It shone."}\n')
    (source / "queries.jsonl").write_text('{"_id": "q1", "text": "Did it rain?"}\n')
    (source / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\n")
    imported = call("import", "beir", source, tmp_path / "rain", "--name", "Rain")
    assert imported.code == 0
    assert "Imported 'Rain': 2 documents, 1 questions and 1 pieces of evidence" in imported.out
    assert call("check", tmp_path / "rain").code == 0
    found = call("run", pipeline(), "--dataset", tmp_path / "rain", "--json", "-").json
    assert found["dataset"]["name"] == "Rain"
    assert found["metrics"]["doc_recall@1"]["mean"] == 1.0


def test_an_import_with_a_quote_that_is_not_found_imports_the_rest(call: Call, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("It rained on Monday. It shone on Tuesday.")
    (tmp_path / "texts" / "questions.csv").write_text(
        "question,answer,document_id,quote\nWhen did it rain?,Monday,a,It rained on Monday.\n"
        "When did it shine?,Tuesday,a,It shone on Tuseday.\n"
    )
    result = call("import", "csv", tmp_path / "texts", tmp_path / "out")
    assert result.code == 2
    assert "Imported 'out': 1 documents, 2 questions" in result.out or "1 questions" in result.out
    assert "problem: " in result.out
    assert "It shone on Tuesday" in result.out, "the nearest match helps to mend it"
    assert call("check", tmp_path / "out").code == 0


def program(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the installed program in a process of its own."""
    command = [str(Path(sys.executable).with_name("rag-workbench")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=REPOSITORY)


def test_the_second_run_finds_everything(pipeline: Write) -> None:
    path = pipeline(chunk={"use": "recursive", "size": 256})
    first = program("run", path, "--dataset", "meridian", "--json", "-")
    assert first.returncode == 0, first.stderr
    second = program("run", path, "--dataset", "meridian", "--json", "-")
    one, other = json.loads(first.stdout), json.loads(second.stdout)
    assert set(other["cache"].values()) == {"hit"}
    assert other["metrics"] == one["metrics"]
    assert other["run"] != one["run"]


def test_the_program_writes_errors_to_standard_error() -> None:
    done = program("run", "nothing.yaml", "--dataset", "meridian")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip() == "Error: There is no file nothing.yaml; name a pipeline's YAML or JSON file."


def test_a_pipe_that_is_closed_is_no_error() -> None:
    command = [str(Path(sys.executable).with_name("rag-workbench")), "components"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()  # as `| head` does
    assert "Traceback" not in process.stderr.read()
    assert process.wait(30) in (0, 1, 2)


def test_all_examples_of_the_documentation_are_pipelines() -> None:
    from pipelines.pipeline import Pipeline

    examples = sorted((REPOSITORY / "docs" / "examples").glob("*.yaml"))
    assert len(examples) >= 6
    assert len({Pipeline.read(path).fingerprint() for path in examples}) == len(examples)
