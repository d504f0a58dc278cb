"""From where evidence was lost to the question that lost it; and from what nobody judged to a new dataset version."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pipelines import api
from pipelines.pipeline import Pipeline
from tests.browser.conftest import Session

pytestmark = pytest.mark.browser

HOSTILE = "<img src=http://evil.example/x.png> ![p](http://evil.example/m.png)"
FOX, MOON = "The quick brown fox jumps over the lazy dog.", "The moon is made of rock and has no air."
LOSSY: dict[str, Any] = {"chunk": {"use": "fixed", "size": 64}, "retrieve": {"use": "bm25", "depth": 2}}


def _dataset() -> str:
    filler = " ".join(f"Sentence {i} says nothing of any interest." for i in range(80))
    documents = [("fox.txt", f"{filler} {FOX} {HOSTILE}".encode()), ("moon.txt", f"{filler} {MOON}".encode())]
    rows = [
        {"id": "q1", "text": "Who jumps over the dog?", "evidence": [{"document_id": "fox", "quote": FOX}]},
        {
            "id": "q2",
            "text": f"Which sentence says nothing of interest? {HOSTILE}",
            "evidence": [{"document_id": "moon", "quote": MOON}],
        },
    ]
    text = "\n".join(json.dumps({**row, "split": "dev"}) for row in rows).encode()
    return api.upload_dataset("lossy", documents, None, text).dataset_path.name


def _run(dataset: str) -> str:
    return api.evaluate(Pipeline.parse(LOSSY), api.open_dataset(dataset), split="dev", name="Lossy").run.id


def _settle(page: Page) -> None:
    page.wait_for_timeout(400)
    page.wait_for_selector('[data-testid=stApp][data-test-script-state="notRunning"]')


def _harmless(page: Page) -> None:
    assert page.locator("img[src*='//evil'], a[href^='http://evil']").count() == 0


def test_from_a_bar_of_the_waterfall_to_the_question(server: str, session: Session, home: Path) -> None:
    run = _run(_dataset())
    page = session.open(f"{server}/runs?run={run}&view=Lost+evidence&cut=recall@5&stage=any+stage")
    expect(page.get_by_text("Most of it is not retrieved")).to_be_visible()
    expect(page.get_by_text("Raise the retriever's depth beyond 2")).to_be_visible()
    bar = page.locator(".js-plotly-plot .bars .point path").nth(4)  # all evidence, parse, chunk, filter, retrieve
    bar.click(force=True)
    _settle(page)
    assert "stage=retrieve" in page.url
    grid = page.get_by_test_id("stDataFrame").first
    grid.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 17, box["y"] + 33 + 17)
    expect(page.get_by_text("What became of the evidence")).to_be_visible()
    assert "question=q2" in page.url
    expect(page.get_by_text("not retrieved").first).to_be_visible()
    _harmless(page)
    assert not session.outside
    assert not session.dialogues


def test_judging_by_key_ends_in_a_new_version(server: str, session: Session, home: Path) -> None:
    dataset = _dataset()
    run, before = _run(dataset), api.open_dataset(dataset).version
    page = session.open(f"{server}/judge?run={run}")
    name = page.get_by_label("Your name")
    name.fill("Ann")
    name.press("Enter")
    expect(page.get_by_text("Does the marked passage answer the question?")).to_be_visible()
    _settle(page)
    _harmless(page)
    page.keyboard.press("y")  # at once: the field of the name has gone, so that keys are judgements
    expect(page.get_by_text(re.compile("1 judged by people"))).to_be_visible()
    _settle(page)
    page.keyboard.press("u")
    expect(page.get_by_text(re.compile("0 judged by people"))).to_be_visible()
    _settle(page)
    page.keyboard.press("y")
    expect(page.get_by_text(re.compile("1 judged by people"))).to_be_visible()
    _publish(page)
    new = api.open_dataset("lossy-judged")
    assert api.open_dataset(dataset).version == before != new.version
    page.get_by_role("button", name="Score this run on it").click()
    expect(page.get_by_text("Progress of")).to_be_visible()
    page.get_by_role("link", name=re.compile("Progress of")).click()
    expect(page.get_by_text("Finished in")).to_be_visible(timeout=90_000)
    assert {row["dataset_version"] for row in api.runs(()).rows} == {before, new.version}
    assert not session.outside
    assert not session.dialogues


def _publish(page: Page) -> None:
    _settle(page)
    page.get_by_role("button", name="Publish a new version").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text(re.compile("is in .*lossy-judged"))).to_be_visible()
    _settle(page)
