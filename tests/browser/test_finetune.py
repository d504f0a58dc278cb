"""A finetuning by clicks in a real browser: its data read and struck out, an adapter trained, its gain, its export."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlparse
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, expect

from pipelines import api
from tests.browser.conftest import Session

pytestmark = pytest.mark.browser
SLOW_MS = 240_000


def _settle(page: Page) -> None:
    page.wait_for_timeout(300)
    page.wait_for_selector('[data-testid=stApp][data-test-script-state="notRunning"]', timeout=SLOW_MS)


def _press(page: Page, name: str) -> None:
    _settle(page)
    page.get_by_role("button", name=name, exact=True).first.click()
    _settle(page)


def test_a_finetuning_by_clicks(server: str, session: Session, home: Path) -> None:
    page = session.open(f"{server}/finetune")
    page.get_by_role("link", name="New finetuning").click()
    _data(page)
    link = _trained(page)
    page.close()
    page = session.open(link)
    _gained(page)
    _exported(page, home)
    _questions(page, link)
    assert not session.outside
    assert not session.dialogues
    assert {path.name for path in home.parent.iterdir()} == {"home"}


def _data(page: Page) -> None:
    """What is learnt from is read, one pair and one negative are struck out, and one of them is taken back."""
    page.get_by_test_id("stMain").get_by_text("Training data", exact=True).click()
    _press(page, "Show the pairs")
    expect(page.get_by_text(re.compile(r"^\d+ pairs, \d+ hard negatives\.$"))).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("mark").first).to_be_visible()
    strikes = page.get_by_role("button", name="Strike out")
    strikes.nth(1).click()
    _struck(page, ["negative"])
    strikes.nth(0).click()
    _struck(page, ["negative", "positive"])
    page.get_by_role("button", name="Undo").click()
    _struck(page, ["negative"])


def _struck(page: Page, expected: list[str]) -> None:
    """Wait until this is what was struck out, and until that is drawn."""
    dataset = api.open_dataset("meridian")
    for _ in range(SLOW_MS // 200):
        if [one.of for one in api.read_strikes(dataset)] == expected:
            break
        page.wait_for_timeout(200)
    assert [one.of for one in api.read_strikes(dataset)] == expected
    _settle(page)


def _trained(page: Page) -> str:
    """The estimate tells the splits; three clicks start one job, whose link is returned."""
    page.get_by_test_id("stMain").get_by_text("Settings", exact=True).click()
    _press(page, "Check and estimate")
    expect(page.get_by_text("no test question lies in a document that train questions lie in")).to_be_visible()
    _settle(page)
    page.get_by_role("button", name="Start", exact=True).evaluate("one => { one.click(); one.click(); one.click() }")
    page.wait_for_function("() => new URL(location).searchParams.get('finetuning')")
    expect(page.get_by_role("button", name="Cancel").or_(page.get_by_text("Before and after")).first).to_be_visible()
    assert len(api.recent_jobs()) == 1
    return page.url


def _gained(page: Page) -> None:
    expect(page.get_by_text("Before and after", exact=True)).to_be_visible(timeout=SLOW_MS)
    assert len(api.recent_jobs()) == 1
    report = api.finetunings()[0].report or {}
    expect(page.get_by_text(report["sentence"].partition(":")[0]).first).to_be_visible()
    expect(page.get_by_text("no dataset outside was named")).to_be_visible()
    assert len(api.runs(()).rows) == 4


def _exported(page: Page, home: Path) -> None:
    """The model is written under the home folder, and what is downloaded holds the same files."""
    _press(page, "Export the model")
    _press(page, "Write the folder")
    expect(page.get_by_text("finetuning-").first).to_be_visible(timeout=SLOW_MS)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download as zip").click()
    folder = next((home / "exports").iterdir())
    held = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    names = {name for name in ZipFile(waiting.value.path()).namelist() if not name.endswith("/")}
    assert names == held
    assert any(name.endswith(".safetensors") for name in names)


def _questions(page: Page, link: str) -> None:
    """A tick on a question that moved shows both runs of it."""
    page.goto(f"{link}&view=Questions")
    expect(page.get_by_text("Found higher than before")).to_be_visible(timeout=SLOW_MS)
    _settle(page)
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 17, box["y"] + 33 + 17)
    expect(page.get_by_text("Found by").first).to_be_visible(timeout=SLOW_MS)
    query = parse_qs(urlparse(page.url).query)
    first = (api.finetunings()[0].report or {})["candidates"][0]
    assert query["run"] == first["runs"]["reported"]
    assert query["question"] == [first["rose"][0]["question_id"]]
