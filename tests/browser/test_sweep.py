"""A sweep by clicks in a real browser: made, estimated, run, left alone, found finished, opened and downloaded."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from pipelines import api
from tests.browser.conftest import Session

pytestmark = pytest.mark.browser
SLOW_MS = 40_000


def _settle(page: Page) -> None:
    page.wait_for_timeout(300)
    page.wait_for_selector('[data-testid=stApp][data-test-script-state="notRunning"]', timeout=SLOW_MS)


def _write(page: Page, label: str, text: str) -> None:
    _settle(page)
    box = page.get_by_role("textbox", name=label).first
    box.fill(text)
    box.press("Enter")
    _settle(page)


def test_a_sweep_by_clicks(server: str, session: Session, home: Path) -> None:
    page = session.open(f"{server}/sweep")
    page.get_by_role("link", name="New sweep").click()
    link = _made_and_run(page)
    page.close()
    page = session.open(link)
    expect(page.get_by_text("has the best")).to_be_visible(timeout=SLOW_MS)
    _winner(page)
    _table(page, link)
    assert not session.outside
    assert not session.dialogues
    assert {path.name for path in home.parent.iterdir()} == {"home"}


def _made_and_run(page: Page) -> str:
    """Six BM25 configurations, by clicks; return the link to the sweep."""
    expect(page.get_by_text("1 configuration: nothing varies yet")).to_be_visible(timeout=SLOW_MS)
    retrieve = page.locator(".st-key-stage_use_sweep_retrieve")
    retrieve.get_by_role("button", name="bm25").click()
    expect(page.get_by_text("2 configurations.", exact=True)).to_be_visible()
    retrieve.get_by_role("button", name="dense").click()
    _write(page, "size, ", "128, 256, 9000")
    expect(page.get_by_text("size must be 16 to 8192 tokens, but got 9000")).to_be_visible()
    expect(page.get_by_role("button", name="Run the sweep")).to_be_disabled()
    _write(page, "size, ", "128, 256, 512")
    _write(page, "k1, ", "1.2, 1.5")
    expect(page.get_by_text("6 configurations.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_text("stage executions instead of")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Run the sweep").evaluate("one => { one.click(); one.click(); one.click() }")
    page.wait_for_function("() => new URL(location).searchParams.get('sweep')")
    expect(page.get_by_role("button", name="Cancel").or_(page.get_by_text("has the best")).first).to_be_visible()
    assert len(api.recent_jobs()) == 1
    return page.url


def _winner(page: Page) -> None:
    _settle(page)
    assert len(api.recent_jobs()) == 1
    expect(page.get_by_text("Which knob mattered")).to_be_visible()
    page.get_by_role("link", name="Open the run").first.click()
    expect(page.get_by_text("Seconds by stage")).to_be_visible(timeout=SLOW_MS)
    report = api.sweeps()[0].sweep.report or {}
    assert parse_qs(urlparse(page.url).query)["run"] == [report["configurations"][0]["run_id"]]


def _table(page: Page, link: str) -> None:
    """The file holds the rows that are shown, in their order; a tick opens the run of its row."""
    page.goto(f"{link.split('&')[0]}&view=Configurations&order=number&intervals=yes")
    expect(page.get_by_text("6 configurations. Tick a row")).to_be_visible(timeout=SLOW_MS)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
    table = api.sweep_table(api.sweeps()[0]).rows
    assert [row["run"] for row in rows] == [row["run"] for row in table]
    for name in ("ndcg@10", "ndcg@10 low", "context_tokens@10", "chunk.size", "retrieve.k1"):
        assert [float(row[name]) for row in rows] == [row[name] for row in table]
    _settle(page)
    grid = page.get_by_test_id("stDataFrame").first
    grid.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 17, box["y"] + 33 * 3 + 17)  # the third row
    expect(page.get_by_text("Seconds by stage")).to_be_visible(timeout=SLOW_MS)
    assert parse_qs(urlparse(page.url).query)["run"] == [rows[2]["run"]]
