"""The Data page: what became of files, other formats in and out, and documents with their pages and sections."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipelines import api
from tests.ui.conftest import FOX, HOSTILE, MOON, Open, told, upload

LLAMA = {
    "examples": [
        {
            "query": "What is the moon made of?",
            "query_by": {"model_name": "", "type": "human"},
            "reference_contexts": [MOON],
            "reference_answer": "Rock.",
            "reference_answer_by": {"model_name": "", "type": "human"},
        }
    ]
}


def _mixed(home: Path) -> str:
    """Lay files of several kinds, one of them broken, into a dataset folder."""
    folder = home / "datasets" / "mixed"
    (folder / "documents").mkdir(parents=True)
    page = f"<html><body><article><h1>Foxes</h1><p>{FOX} {FOX}</p></article></body></html>"
    files = {
        "a.md": f"# Moon\n\n{MOON}\n\n## Far side\n\nNobody lives there.\n",
        "b.html": page,
        "c.pdf": "%PDF-1.4 no",
    }
    for name, text in files.items():
        (folder / "documents" / name).write_text(text)
    evidence = [{"document_id": "a", "quote": MOON}, {"document_id": "b", "quote": "A cheese, said the mouse."}]
    rows = [{"id": "q1", "text": "What is it made of?", "split": "dev", "evidence": evidence}]
    (folder / "questions.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    (folder / "dataset.yaml").write_text("name: mixed\ndescription: files of several kinds\n")
    return "mixed"


def test_what_was_left_out_stands_first_with_its_reason(open_page: Open, home: Path) -> None:
    app = open_page("data", dataset=_mixed(home), view="Files")
    assert not app.exception and not app.error
    figures = {metric.label: metric.value for metric in app.metric}
    assert (figures["Files"], figures["Left out"], figures["Evidence not found"]) == ("3", "1", "1")
    rows = app.dataframe[0].value
    assert rows["file"][0].endswith("c.pdf")
    assert "left out" in rows["kind"][0]
    assert "PDF" in rows["why"][0]


def test_sound_files_are_said_to_be_sound(open_page: Open) -> None:
    app = open_page("data", dataset=upload(), view="Files")
    assert not app.exception and not app.error
    assert any("could be read" in one.value for one in app.success)


def test_documents_show_where_sections_begin(open_page: Open, home: Path) -> None:
    app = open_page("data", dataset=_mixed(home), view="Documents", find="Far side")
    assert not app.exception and not app.error
    assert app.dataframe[0].value["marks section"][0] >= 2
    assert any("section Moon &gt; Far side" in html.value for html in app.html)


def test_evidence_that_the_parsing_lost_is_told_with_its_quote(open_page: Open, home: Path) -> None:
    app = open_page("data", dataset=_mixed(home), view="Questions")
    assert not app.exception and not app.error
    assert any("A cheese" in warning.value for warning in app.warning)


def test_hostile_file_names_stay_text(open_page: Open, home: Path) -> None:
    name = _mixed(home)
    (home / "datasets" / name / "documents" / f"{HOSTILE[:60].replace('/', '')}.pdf").write_text("no")
    app = open_page("data", dataset=name, view="Files")
    assert not app.exception
    for element in (*app.markdown, *app.caption, *app.warning, *app.error):
        assert "<script" not in element.value.replace("\\<script", "")


def _files(app: Any, key: str, *files: tuple[str, bytes]) -> None:
    app.file_uploader(key=key).set_value([(name, data, "application/octet-stream") for name, data in files])


def test_a_labelled_rag_dataset_is_imported_with_its_sources(open_page: Open) -> None:
    app = open_page("data")
    app.selectbox(key="import.format").select("llama-rag")
    app.text_input(key="import.name").set_value("paulg")
    _files(app, "import.files", ("rag_dataset.json", json.dumps(LLAMA).encode()))
    _files(app, "import.sources", ("moon.txt", f"Once more: {MOON} So it is.".encode()))
    next(button for button in app.button if button.label == "Bring it in").click().run()
    assert not app.exception and not app.error
    opened = api.open_dataset("paulg")
    assert opened.documents().ids == ("moon",)
    assert app.selectbox(key="data/dataset").value == "paulg"
    assert "Imported" in told(app)


@pytest.mark.parametrize(("name", "told_"), [("", "no name"), ("x", "no files"), ("small", "already a dataset")])
def test_an_import_that_lacks_something_is_one_sentence(name: str, told_: str, open_page: Open) -> None:
    upload()
    app = open_page("data")
    app.text_input(key="import.name").set_value(name)
    if name == "small":
        _files(app, "import.files", ("a.json", b"{}"))
    next(button for button in app.button if button.label == "Bring it in").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert told_ in app.error[0].value


def test_a_dataset_is_taken_away_as_beir(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page("data", dataset=upload())
    app.button(key="export.go").click().run()
    assert not app.exception and not app.error
    made = app.session_state["export.made"]
    names = zipfile.ZipFile(io.BytesIO(made[1])).namelist()
    assert {"corpus.jsonl", "queries.jsonl"} <= set(names)
    assert any(button.label == "Download it" for button in app.get("download_button"))
