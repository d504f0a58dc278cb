"""What-if in a real browser: a slider is moved, the link holds it, a question is opened, the change is kept once."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from pipelines import api
from pipelines.pipeline import Pipeline
from tests.browser.conftest import Session

pytestmark = pytest.mark.browser

HOSTILE = "<img src=http://evil.example/x.png> ![p](http://evil.example/m.png) [link](http://evil.example) \u202ertl"
FOX, MOON = "The quick brown fox jumps over the lazy dog.", "The moon is made of rock and has no air."


def _logged() -> str:
    filler = " ".join(f"Sentence {i} says nothing of any interest to anybody." for i in range(40))
    documents = [
        (f"{name}.txt", f"{filler} {quote} {HOSTILE}".encode()) for name, quote in (("fox", FOX), ("moon", MOON))
    ]
    rows = [
        {"id": "q1", "text": f"Who jumps over the dog? {HOSTILE}", "evidence": [{"document_id": "fox", "quote": FOX}]},
        {"id": "q2", "text": "What is the moon made of?", "evidence": [{"document_id": "moon", "quote": MOON}]},
    ]
    questions = "\n".join(json.dumps(row) for row in rows).encode()
    name = api.upload_dataset(f"Tried {HOSTILE}", documents, None, questions).dataset_path.name
    pipeline = Pipeline.parse({"chunk": {"use": "fixed", "size": 32}, "retrieve": "bm25"})
    return api.evaluate(pipeline, api.open_dataset(name), name=f"First {HOSTILE}").run.id


def _settle(page: Page) -> None:
    page.wait_for_timeout(300)
    page.wait_for_selector('[data-testid=stApp][data-test-script-state="notRunning"]')


def _asked(page: Page, name: str) -> str | None:
    return parse_qs(urlparse(page.url).query).get(name, [None])[0]


def _await_change(page: Page, name: str, before: str | None) -> str:
    page.wait_for_function(
        "([name, before]) => new URL(location).searchParams.get(name) !== before", arg=[name, before]
    )
    _settle(page)
    return _asked(page, name) or ""


def test_a_slider_a_link_a_question_and_a_run(server: str, session: Session, home: Path) -> None:
    run = _logged()
    page = session.open(f"{server}/runs?run={run}")
    page.get_by_role("link", name="What if").last.click()
    expect(page.get_by_text("nothing is logged")).to_be_visible()
    _slide(page)
    _nothing_scores(page)
    page.goto(page.url)  # the link opens the same view
    expect(page.get_by_text("Nothing at all is found for 2 of 2 questions")).to_be_visible()
    _open_a_question(page, run)
    page.go_back()
    expect(page.get_by_text("Nothing at all is found for 2 of 2 questions")).to_be_visible()
    _keep(page, run)
    assert page.locator("img[src*='//evil'], a[href^='http://evil']").count() == 0
    assert not session.outside
    assert not session.dialogues


def _slide(page: Page) -> None:
    _settle(page)
    thumb = page.get_by_test_id("stSlider").filter(has=page.get_by_text("b", exact=True)).get_by_role("slider")
    thumb.focus()
    thumb.press("ArrowLeft")
    assert json.loads(_await_change(page, "retrieve", None)) == {"b": 0.7}


def _nothing_scores(page: Page) -> None:
    box = page.get_by_role("spinbutton", name="min score")
    box.fill("1000")
    before = _asked(page, "retrieve")
    box.press("Enter")
    assert json.loads(_await_change(page, "retrieve", before)) == {"b": 0.7, "min_score": 1000.0}
    assert len(api.runs(()).rows) == 1


def _open_a_question(page: Page, run: str) -> None:
    _settle(page)
    grid = page.get_by_test_id("stDataFrame").last
    grid.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 17, box["y"] + 33 + 17)
    expect(page.get_by_text("Found by").first).to_be_visible()
    assert _asked(page, "run") == run
    assert _asked(page, "question") in ("q1", "q2")


def _keep(page: Page, run: str) -> None:
    _settle(page)
    for _ in range(3):
        page.get_by_role("button", name="Keep as a run").click(no_wait_after=True, delay=10)
    expect(page.get_by_text("Kept:")).to_be_visible(timeout=60_000)
    assert len(api.recent_jobs()) == 1
    page.get_by_role("link", name="Compare it").click()
    expect(page.get_by_text("Table of differences")).to_be_visible()
    assert _asked(page, "baseline") == run
    kept = api.run(_asked(page, "other") or "")
    assert kept.settings["retrieve"]["min_score"] == 1000.0
    measured = kept.measured("recall@5")
    assert measured is not None and measured.mean == 0
