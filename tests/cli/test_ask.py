"""A question of one's own, put to a pipeline."""

from __future__ import annotations

from pathlib import Path

from pipelines import api
from pipelines.golden.write import write_dataset
from pipelines.records import Document, Evidence, Question

from .conftest import Call


def _given(tmp_path: Path) -> tuple[Path, Path]:
    documents = [
        Document("2023", "The harbour was dredged. The mill stood still.", {"year": 2023}),
        Document("2024", "The harbour was closed in March. The mill was sold.", {"year": 2024}),
    ]
    question = Question("q", "Who bought the mill?", split="dev", evidence=(Evidence("2024", 33, 51),))
    dataset = write_dataset(tmp_path / "towns", documents, [question], name="towns")
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text("chunk: {use: sentence-window, size: 16}\nretrieve: {use: bm25}\nfilter: known\n")
    return pipeline, dataset


def test_it_shows_what_is_found_and_hands_on_the_context(call: Call, tmp_path: Path) -> None:
    pipeline, dataset = _given(tmp_path)
    found = call("ask", pipeline, "When was the harbour closed?", "--dataset", dataset, "--json", "-").json
    first = found["passages"][0]
    assert first["document_id"] == "2024"
    assert first["text"] == api.open_dataset(dataset).documents()[1].text[first["start"] : first["end"]]
    assert found["n_allowed"] == found["n_chunks"]
    assert "1. 2024" in call("ask", pipeline, "When was the harbour closed?", "--dataset", dataset).out


def test_a_known_value_filters(call: Call, tmp_path: Path) -> None:
    pipeline, dataset = _given(tmp_path)
    settings = ["ask", pipeline, "harbour", "--dataset", dataset, "--known", "{year: 2023}", "--json", "-"]
    found = call(*settings).json
    assert {one["document_id"] for one in found["passages"]} == {"2023"}
    assert found["n_allowed"] < found["n_chunks"]


def test_what_is_wrong_is_said(call: Call, tmp_path: Path) -> None:
    pipeline, dataset = _given(tmp_path)
    assert call("ask", pipeline, "xyzzy", "--dataset", dataset).out.strip().endswith("Nothing was found.")
    empty = call("ask", pipeline, " ", "--dataset", dataset)
    assert empty.code == 2 and "question is empty" in empty.err
    known = call("ask", pipeline, "harbour", "--dataset", dataset, "--known", "[1]")
    assert known.code == 2 and "--known" in known.err
