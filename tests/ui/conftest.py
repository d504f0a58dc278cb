"""A home folder of its own for each test, with a small handmade dataset and runs that need no model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pipelines import api
from pipelines.pipeline import Pipeline

APP = Path(__file__).resolve().parents[2] / "workbench" / "app.py"
HOSTILE = (
    "<script>alert(1)</script> <img src=http://evil.example/x.png> ![p](http://evil.example/m.png) "
    "[link](http://evil.example) **b** `c` $x^2$ :smile: :red[r] -> www.evil.example a@evil.example &amp; \u202ertl"
)
FOX = "The quick brown fox jumps over the lazy dog near the river."
MOON = "The moon is made of rock and has no air at all."

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the machine's own home folder is read or written, and no worker is started."""
    monkeypatch.setenv("RAG_WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("pipelines.settings.REPOSITORY", tmp_path / "checkout")
    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: None)
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "home"


def upload(name: str = "small", extra: str = "") -> str:
    """Write a dataset of two documents and three questions; return its folder's name."""
    filler = " ".join(f"Sentence {i} says nothing of interest." for i in range(60))
    documents = [("fox.txt", f"{filler} {FOX} {extra}".encode()), ("moon.txt", f"{filler} {MOON} {extra}".encode())]
    rows: list[dict[str, Any]] = [
        {
            "id": "q1",
            "text": f"Who jumps over the dog? {extra}",
            "split": "dev",
            "tags": ["animal"],
            **_quote("fox", FOX),
        },
        {"id": "q2", "text": "What is the moon made of?", "split": "dev", **_quote("moon", MOON)},
        {"id": "q3", "text": "Who is the mayor?", "split": "test", "tags": [extra or "hard"]},
    ]
    questions = "\n".join(json.dumps(row) for row in rows).encode()
    return api.upload_dataset(name, documents, None, questions).dataset_path.name


def _quote(document_id: str, quote: str) -> dict[str, Any]:
    return {"evidence": [{"document_id": document_id, "quote": quote}]}


def evaluate(dataset: str, size: int = 64, split: str | None = None, name: str | None = None) -> str:
    """Run a BM25 pipeline, which needs no model; return the run's id."""
    pipeline = Pipeline.parse({"chunk": {"use": "fixed", "size": size}, "retrieve": "bm25"})
    return api.evaluate(pipeline, api.open_dataset(dataset), split=split, name=name).run.id


@pytest.fixture
def open_page() -> Open:
    """Open a page as a link does."""

    def opened(page: str = "data", **query: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=30)
        if page != "data":
            app.run()
            app.query_params.clear()
            app.switch_page(f"views/{page}.py")
        app.query_params.update(query)
        return app.run()

    return opened


def told(app: AppTest) -> str:
    """Return everything that messages, captions and Markdown say, Markdown unread."""
    kinds = (app.error, app.warning, app.info, app.success, app.markdown, app.caption, app.text, app.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
