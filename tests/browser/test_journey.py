"""The analyst's whole way in a real browser: upload, build, run, compare, download, look into one question."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Download, Page, expect

from pipelines import api
from tests.browser.conftest import Session

pytestmark = pytest.mark.browser

HOSTILE = (
    "<script>alert(1)</script> <img src=http://evil.example/x.png> ![p](http://evil.example/m.png) "
    "[link](http://evil.example) $x^2$ :smile: &amp; \u202ertl"
)
NAME = "Journey ../.. <img src=http://evil.example/n.png> ![p](http://evil.example/p.png)"
FOX, MOON = "The quick brown fox jumps over the lazy dog.", "The moon is made of rock and has no air."
SLOW_MS = 60_000


def _documents() -> list[dict[str, object]]:
    filler = " ".join(f"Sentence {i} says nothing of any interest to anybody." for i in range(200))
    texts = {"fox.txt": f"{filler} {FOX} {HOSTILE} {filler}", "../moon.md": f"{HOSTILE}\n\n{filler} {MOON} {filler}"}
    return [{"name": name, "mimeType": "text/plain", "buffer": text.encode()} for name, text in texts.items()]


def _questions() -> dict[str, object]:
    out = io.StringIO()
    rows = [
        ("question", "answer", "document_id", "quote", "tags"),
        (f"Who jumps over the dog? {HOSTILE}", "=1+1", "fox", FOX, "<b>animal</b>"),
        ("What is the moon made of?", "rock", "moon", MOON, "sky"),
        ("Who is the mayor?", "", "", "", "unanswerable"),
    ]
    csv.writer(out).writerows(rows)
    return {"name": "questions.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()}


def _upload(page: Page) -> None:
    page.get_by_text("Upload a dataset").click()
    page.get_by_label("Name of the dataset").fill(NAME)
    inputs = page.locator("input[type=file]")
    inputs.nth(0).set_input_files(_documents())
    inputs.nth(1).set_input_files([_questions()])
    expect(page.get_by_text("questions.csv")).to_be_visible()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Imported 'Journey")).to_be_visible()


def _settle(page: Page) -> None:
    """Wait until the page has been drawn."""
    page.wait_for_timeout(300)
    page.wait_for_selector('[data-testid=stApp][data-test-script-state="notRunning"]')


def _choose(page: Page, label: str, option: str) -> None:
    _settle(page)
    box = page.get_by_role("combobox", name=label, exact=True)
    box.scroll_into_view_if_needed()
    page.wait_for_timeout(400)  # a list closes when the page still scrolls
    box.click()
    page.get_by_role("option", name=option, exact=True).click()
    expect(page.get_by_test_id("stCode")).to_contain_text(f"use: {option}")


def _set_size(page: Page, size: int) -> None:
    _settle(page)
    box = page.get_by_role("spinbutton", name="size, tokens")
    box.fill(str(size))
    box.press("Enter")
    expect(page.get_by_test_id("stCode")).to_contain_text(f"size: {size}")


def _run(page: Page, clicks: int) -> str:
    before = parse_qs(urlparse(page.url).query).get("job")
    button = page.get_by_role("button", name="Run", exact=True)
    for _ in range(clicks):
        button.click(no_wait_after=True, delay=10)
    page.wait_for_function(
        "before => { const job = new URL(location).searchParams.get('job'); return job && job !== before }",
        arg=before[0] if before else None,
    )
    _settle(page)
    expect(page.get_by_text("Finished in")).to_be_visible(timeout=SLOW_MS)
    return page.url


def _rows(download: Download) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(Path(download.path()).read_text())))


def _download(page: Page, name: str = "Download CSV") -> list[dict[str, str]]:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    return _rows(waiting.value)


def _tick(page: Page, row: int) -> None:
    _settle(page)
    grid = page.get_by_test_id("stDataFrame").first
    grid.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 17, box["y"] + 33 * (row + 1) + 17)


def _harmless(page: Page) -> None:
    """Nothing that users wrote has become a picture, a link or a script."""
    assert (
        page.locator(
            "img[src*='//evil'], a[href^='http://evil'], a[href^='mailto'], [data-testid=stMain] script"
        ).count()
        == 0
    )


def test_journey(server: str, session: Session, home: Path) -> None:
    page = session.open(server)
    _upload(page)
    _harmless(page)
    page.get_by_role("link", name="Build a pipeline on it").click()
    link = _build_with_five_clicks(page)
    page.close()
    page = session.open(link)
    _another_setting(page)
    runs = _runs_page(page, server)
    _compare_page(page, runs)
    _question_page(page)
    assert not session.outside
    assert not session.dialogues
    assert {path.name for path in home.parent.iterdir()} == {"home"}


def _build_with_five_clicks(page: Page) -> str:
    _choose(page, "Chunk", "fixed")
    _choose(page, "Retrieve", "bm25")
    _set_size(page, 128)
    link = _run(page, clicks=5)
    assert len(api.recent_jobs()) == 1
    _harmless(page)
    return link


def _another_setting(page: Page) -> None:
    """The closed tab's link shows the job and its pipeline again, from which another one is made."""
    expect(page.get_by_text("Finished in")).to_be_visible()
    expect(page.get_by_test_id("stCode")).to_contain_text("size: 128")
    _set_size(page, 32)
    _run(page, clicks=1)
    page.get_by_role("link", name="Open the run").click()
    expect(page.get_by_text("Seconds by stage")).to_be_visible()
    assert len(api.runs().rows) == 2
    _harmless(page)


def _runs_page(page: Page, server: str) -> list[dict[str, str]]:
    page.goto(f"{server}/runs?metric=recall@1&metric=precision@1&sort=precision@1")
    rows = _download(page)
    table = {row["run"]: row for row in api.runs(("recall@1", "precision@1")).rows}
    assert list(rows[0])[3:7] == ["recall@1", "recall@1 n", "precision@1", "precision@1 n"]
    assert [float(row["precision@1"]) for row in rows] == [table[row["run"]]["precision@1"] for row in rows]
    assert float(rows[0]["precision@1"]) >= float(rows[1]["precision@1"])
    _tick(page, 0)
    _tick(page, 1)
    page.get_by_role("button", name="Compare selected").click()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    return rows


def _compare_page(page: Page, runs: list[dict[str, str]]) -> None:
    expect(page.get_by_text("Table of differences")).to_be_visible()
    rows = _download(page)
    found = api.compare_runs(runs[0]["run"], [runs[1]["run"]], list(dict.fromkeys(row["metric"] for row in rows)))
    assert [row["difference"] for row in rows] == [
        "" if r.difference is None else repr(r.difference) for r in found.rows
    ]
    assert {row["baseline_id"] for row in rows} == {runs[0]["run"]}
    _harmless(page)


def _question_page(page: Page) -> None:
    page.get_by_test_id("stMain").get_by_text("Questions", exact=True).click()
    expect(page.get_by_text("Tick a row to look into the question")).to_be_visible()
    _tick(page, 0)
    expect(page.get_by_text("Found by").first).to_be_visible()
    expect(page.locator("mark")).not_to_have_count(0)
    _harmless(page)
    page.goto(page.url)
    expect(page.get_by_text("Found by").first).to_be_visible()
    assert "question=" in page.url
