"""Everything that a user can get wrong: one sentence on standard error, the right exit code, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines import api

from .conftest import Call

REPOSITORY = Path(__file__).parents[2]
Write = Callable[..., Path]
Refused = Callable[..., str]


# Pipelines ----------------------------------------------------------------------------------------------------------

PIPELINES = [
    ("chunk: sentense", "there is no chunk component 'sentense'", "Did you mean 'sentence'?"),
    ("retrieve: {use: bm26}", "there are bm25, dense, hybrid", "Did you mean 'bm25'?"),
    ("chunk: {use: fixed, sise: 100}", "has no knob 'sise'; its knobs are: size, overlap", "Did you mean 'size'?"),
    ("chunk: {use: fixed, size: 8}", "chunk.fixed.size must be 16 to 8192 tokens", "but got 8."),
    ("chunk: {use: fixed, overlap: 1.5}", "chunk.fixed.overlap must be 0.0 to 0.9", "but got 1.5."),
    ("chunk: {use: fixed, size: many}", "chunk.fixed.size must be", "but got 'many'."),
    ("chunk: {use: fixed, size: null}", "chunk.fixed.size must be", "but got None."),
    ("retrieve: {use: hybrid, fusion: both}", "fusion must be rrf | weighted", "but got 'both'."),
    ("embed: {use: sentence-transformer}", "embed.sentence-transformer needs the knob 'model'", ""),
    ("chunks: fixed", "there is no stage 'chunks'; the stages are load, chunk", "Did you mean 'chunk'?"),
    ("12: fixed", "there is no stage '12'", ""),
    ("chunk: [fixed]", "stage 'chunk' takes a component's name or a mapping", ""),
    ("chunk: {use: [fixed]}", "there is no chunk component", ""),
    ("[chunk, fixed]", "a pipeline is a mapping of stages", ""),
    ("just text", "a pipeline is a mapping of stages", ""),
    ("chunk: {use: fixed\n", "is not well-formed", ""),
    ("chunk: fixed\nchunk: sentence\n", "the key 'chunk' stands twice", ""),
    ("chunk: !!python/object/apply:os.system ['true']", "is not well-formed", ""),
    ("a: &a [*a]", "there is no stage 'a'", ""),
    ("filter: {use: where, where: {year: {$gte: a}}}", "takes a number or a date", "but holds 'a'"),
    ("filter: {use: where, where: {year: {$like: 1}}}", "unknown operator '$like'", "$gte"),
    ("filter: {use: where, where: [1]}", "filter.where.where must be a mapping", "but got [1]."),
    ("score: {use: standard, cutoffs: []}", "score.standard.cutoffs must be", "but got []."),
    ("score: {use: standard, cutoffs: [0]}", "score.standard.cutoffs must be", "1 to 1000"),
]


@pytest.mark.parametrize(("text", "said", "also"), PIPELINES, ids=[text for text, _, _ in PIPELINES])
def test_pipelines_that_are_none(
    refused: Refused, pipeline: Write, towns: Path, text: str, said: str, also: str
) -> None:
    path = pipeline(text)
    message = refused("run", path, "--dataset", towns)
    assert said in message
    assert also in message
    assert str(path) in message, "the file is named"
    assert api.recent_jobs() == []


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe\x00\x01" * 9, "cannot be read"), (b"\x00\x01\x02", "is not well-formed"), (None, "no file")],
    ids=["other-encoding", "binary", "missing"],
)
def test_a_pipeline_file_that_cannot_be_read(
    refused: Refused, tmp_path: Path, towns: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "p.yaml"
    if content is not None:
        path.write_bytes(content)
    assert said in refused("run", path, "--dataset", towns)
    assert "cannot be read" in refused("run", tmp_path, "--dataset", towns)


def test_unknown_stage_of_components(refused: Refused) -> None:
    assert "There is no stage 'chunks'" in refused("components", "chunks")


def test_a_filter_on_a_field_that_is_not_there(refused: Refused, pipeline: Write, towns: Path) -> None:
    where = {"use": "where", "where": {"nmber": {"$gte": 3}}}
    message = refused("run", pipeline(filter=where), "--dataset", towns)
    assert "names the metadata field 'nmber', which no document has; fields are: north, number." in message
    assert "Did you mean 'number'?" in message


def test_a_filter_of_the_wrong_type(refused: Refused, pipeline: Write, towns: Path) -> None:
    where = {"use": "where", "where": {"number": "3"}}
    message = refused("run", pipeline(filter=where), "--dataset", towns)
    assert "compares the metadata field 'number' with '3', a text, but the documents hold a number there" in message


def test_a_model_that_is_not_there(refused: Refused, pipeline: Write, towns: Path) -> None:
    embed = {"use": "sentence-transformer", "model": "/no/such/folder"}
    assert "'/no/such/folder'" in refused("run", pipeline(embed=embed, retrieve="dense"), "--dataset", towns)


def test_a_model_that_could_run_code(refused: Refused, pipeline: Write, towns: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "pytorch_model.bin").write_bytes(b"pickle")
    embed = {"use": "sentence-transformer", "model": str(tmp_path / "model")}
    message = refused("run", pipeline(embed=embed, retrieve="dense"), "--dataset", towns)
    assert "only pytorch_model.bin, a format that can run code" in message


def test_a_device_that_is_not_there(refused: Refused, pipeline: Write, towns: Path) -> None:
    if sys.platform == "darwin":
        pytest.skip("this machine has the device")
    message = refused("run", pipeline(embed={"use": "minilm", "device": "mps"}, retrieve="dense"), "--dataset", towns)
    assert "The device 'mps' was asked for, but this machine has none" in message


# Datasets -----------------------------------------------------------------------------------------------------------


def test_a_dataset_that_is_not_there(refused: Refused, pipeline: Write) -> None:
    assert "Did you mean 'meridian'?" in refused("run", pipeline(), "--dataset", "meridain")
    assert "There is no folder" in refused("run", pipeline(), "--dataset", "no/such/folder")
    assert "There is no folder" in refused("check", "no/such/folder")


def test_an_empty_folder(refused: Refused, pipeline: Write, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for command in (("run", pipeline(), "--dataset", tmp_path / "empty"), ("check", tmp_path / "empty")):
        assert "has no questions.jsonl (it is empty)" in refused(*command)


def test_a_dataset_that_is_a_file(refused: Refused, pipeline: Write, tmp_path: Path) -> None:
    assert "is a file" in refused("run", pipeline(), "--dataset", pipeline())


def test_unknown_splits(refused: Refused, pipeline: Write, towns: Path) -> None:
    assert "Did you mean 'test'?" in refused("run", pipeline(), "--dataset", towns, "--split", "tset")
    assert "no questions in the split 'train'; it has dev (6), test (7)" in refused(
        "run", pipeline(), "--dataset", towns, "--split", "train"
    )


def folder_with(tmp_path: Path, content: bytes, questions: list[dict[str, Any]]) -> Path:
    folder = tmp_path / "texts"
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "a.txt").write_bytes(content)
    (folder / "questions.jsonl").write_text("".join(json.dumps(q) + "\n" for q in questions))
    return folder


def test_a_binary_file_called_txt(refused: Refused, call: Call, pipeline: Write, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, os.urandom(64) + b"\x00\xff\xfe" * 50, [{"id": "q", "text": "What?"}])
    message = refused("run", pipeline(), "--dataset", folder)
    assert "a.txt" in message
    checked = call("check", folder)
    assert checked.code == 2
    assert "a.txt" in checked.out


def test_a_question_naming_an_unknown_document(refused: Refused, call: Call, pipeline: Write, tmp_path: Path) -> None:
    rows = [{"id": "q7", "text": "What?", "evidence": [{"document_id": "b", "start": 0, "end": 1}]}]
    folder = folder_with(tmp_path, b"Some text.", rows)
    message = refused("run", pipeline(), "--dataset", folder)
    assert "q7" in message
    assert "'b'" in message
    assert call("check", folder).code == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"id": "q", "text": "What?"', "line 1"),
        ('{"id": "q"}', "text"),
        ('{"id": "q", "text": "What?", "split": "tset"}', "tset"),
        ('{"id": "q", "text": "What?", "evidence": [{"document_id": "a", "start": 5, "end": 3}]}', "q"),
        ('{"id": "q", "text": "What?", "evidence": [{"document_id": "a", "start": 0, "end": 300}]}', "q"),
        ('{"id": "q", "text": "What?", "evidence": [{"document_id": "a", "quote": "nowhere"}]}', "nowhere"),
        ('{"id": "q", "text": "What?"}\n{"id": "q", "text": "Who?"}', "'q'"),
    ],
)
def test_questions_that_are_wrong(refused: Refused, pipeline: Write, tmp_path: Path, row: str, said: str) -> None:
    folder = folder_with(tmp_path, b"Some text.", [])
    (folder / "questions.jsonl").write_text(row + "\n")
    assert said in refused("run", pipeline(), "--dataset", folder)


# Imports ------------------------------------------------------------------------------------------------------------


def test_imports_that_are_none(refused: Refused, tmp_path: Path) -> None:
    source, out = tmp_path / "src", tmp_path / "out"
    assert "Did you mean 'beir'?" in refused("import", "bier", tmp_path, out)
    source.mkdir()
    for name in ("beir", "csv", "chroma-chunking", "squad"):
        refused("import", name, source, out)
        refused("import", name, tmp_path / "nothing", out)
    (source / "a.txt").write_text("It rained.")
    (source / "questions.csv").write_text("question,answer,quote\nDid it?,yes,It rained.\n")
    assert "document_id" in refused("import", "csv", source, out)
    (source / "corpus.jsonl").write_text('{"_id": "d", "text": "It rained."}\n')
    assert "queries.jsonl" in refused("import", "beir", source, out)
    (source / "queries.jsonl").write_text('{"_id": "q", "text": "Did it?"}\n')
    assert "qrels" in refused("import", "beir", source, out)
    (tmp_path / "s.json").write_text("{not json")
    refused("import", "squad", tmp_path / "s.json", out)
    assert not out.exists(), "nothing half-written"


# Runs ---------------------------------------------------------------------------------------------------------------


def test_runs_that_cannot_be_compared(
    refused: Refused, call: Call, pipeline: Write, towns: Path, write_set: Any, town_rows: Any
) -> None:
    documents, questions = town_rows
    other = write_set(documents, questions[:5], "fewer")
    for name, folder, rest in (("one", towns, []), ("part", towns, ["--split", "dev"]), ("fewer", other, [])):
        assert call("run", pipeline(name=name), "--dataset", folder, *rest).code == 0
    assert "evaluate both on the same split" in refused("compare", "one", "part")
    assert "evaluate both on one version of one dataset" in refused("compare", "one", "fewer")
    assert "cannot be compared with itself" in refused("compare", "one", "one")
    assert "Did you mean 'part'?" in refused("compare", "one", "prat")
    call("run", pipeline(name="two"), "--dataset", towns)
    assert "Metric 'recal@5'" in refused("compare", "one", "two", "--metrics", "recal@5")
    assert call("compare", "one", "two").code == 0


def test_nothing_was_evaluated_yet(refused: Refused) -> None:
    assert "nothing was evaluated yet" in refused("compare", "one", "two")


def test_one_name_for_several_pipelines(refused: Refused, pipeline: Write, towns: Path) -> None:
    assert "--name was given for several pipelines" in refused(
        "run", pipeline(), pipeline(name="b"), "-d", towns, "--name", "x"
    )


def test_more_chunks_asked_for_than_there_are(call: Call, pipeline: Write, towns: Path) -> None:
    path = pipeline(retrieve={"use": "bm25", "depth": 10_000}, score={"use": "standard", "cutoffs": [5, 900]})
    result = call("run", path, "--dataset", towns)
    assert result.code == 0
    assert "note: Metrics @900 look at" in result.out


def test_a_file_that_cannot_be_written(refused: Refused, call: Call, pipeline: Write, towns: Path) -> None:
    call("run", pipeline(), "--dataset", towns)
    assert "could not write the file" in refused("runs", "--csv", "/proc/none.csv", code=1).lower()
    assert len(api.runs().rows) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "p.yaml"],
        ["nothing"],
        ["runs", "--nothing"],
        ["compare", "one"],
        ["run", "p", "-d", "x", "--seed", "-1"],
    ],
)
def test_usage(call: Call, arguments: list[str]) -> None:
    result = call(*arguments)
    assert result.code == 2
    assert "rag-workbench" in result.err
    assert result.out == ""


def test_something_that_we_got_wrong(call: Call, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr("pipelines.api.runs", lambda *_: {}["a secret"])
    result = call("runs")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("Error: something went wrong inside the workbench (error ")
    assert "a secret" not in result.err
    assert result.err.count("\n") == 1


def test_hostile_names_are_shown_as_they_are(
    call: Call, pipeline: Write, write_set: Any, town_rows: Any, home: Path, tmp_path: Path
) -> None:
    documents, questions = town_rows
    hostile = "[bold]x[/bold] <script>alert(1)</script> ../../up =1+1 :smile: %s"
    folder = write_set(documents, questions)
    (folder / "dataset.yaml").write_text(json.dumps({"name": hostile}))
    result = call("run", pipeline(), "--dataset", folder, "--name", hostile)
    assert result.code == 0
    assert hostile in result.out
    shown = call("runs").out
    assert all(word in shown for word in hostile.split()), "a narrow column may break the line between words"
    assert {path.name for path in home.iterdir()} <= {
        "cache", "runs", "logs", "worker.lock", "runs.db", "runs.db-wal", "runs.db-shm",
    }  # fmt: skip


# Ctrl-C -------------------------------------------------------------------------------------------------------------


def _heed_ctrl_c() -> None:
    """Have the process that begins here heed SIGINT, although a shell may have started the tests in its background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_ctrl_c_cancels_the_job(pipeline: Write, write_set: Any, wait_until: Callable[..., None]) -> None:
    rows = [
        {"id": f"d{i}", "text": " ".join(f"Entry {i * 997 + j} reads {j * i}." for j in range(400))} for i in range(30)
    ]
    folder = write_set(rows, [{"id": "q", "text": "What does entry 5 read?"}], "long")
    embed = {"use": "minilm", "precision": "float32", "device": "cpu", "batch_size": 4}
    path = pipeline(embed=embed, chunk={"use": "fixed", "size": 64}, retrieve="dense")
    command = [sys.executable, "-m", "pipelines.cli", "run", str(path), "--dataset", str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, preexec_fn=_heed_ctrl_c
    )
    wait_until(lambda: any(job.progress.get("stage") == "embed" for job in api.recent_jobs()), 60)
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert err.strip().splitlines()[-1] == (
        "Error: Cancelled; finished stages are kept, so the same command goes on from there."
    )
    wait_until(lambda: api.recent_jobs()[0].state == "cancelled", 5)
    assert time.monotonic() - asked < 10
    assert api.runs().rows == ()
