"""Each page with nothing, with data, with hostile text, with a broken dataset, and with ids that are not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines import api
from tests.ui.conftest import HOSTILE, Open, evaluate, told, upload

PAGES = ("data", "builder", "runs", "sweep", "finetune", "what_if", "compare", "question", "judge")


@pytest.mark.parametrize("page", PAGES)
def test_with_nothing_a_page_says_what_to_do(page: str, open_page: Open) -> None:
    app = open_page(page)
    assert not app.exception
    assert not app.error
    assert len(app.info) == 1


@pytest.mark.parametrize("page", PAGES)
def test_with_data_a_page_has_no_complaint(page: str, open_page: Open) -> None:
    name = upload()
    evaluate(name), evaluate(name, 128)
    app = open_page(page)
    assert not app.exception
    assert not app.error
    assert not app.warning


@pytest.mark.parametrize("page", PAGES)
def test_hostile_text_is_never_markdown(page: str, open_page: Open) -> None:
    name = upload(f"Bad {HOSTILE}", HOSTILE)
    evaluate(name, 64, name=HOSTILE), evaluate(name, 128, name=f"2 {HOSTILE}")
    app = open_page(page)
    assert not app.exception
    for element in (*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.success, *app.subheader):
        assert not re.search(r"(?<!\\)(!\[p\]|<img|<script|\[link\])", element.value)
    for html in app.html:
        assert "<img" not in html.value
        assert "<script" not in html.value


@pytest.mark.parametrize("page", PAGES)
def test_a_name_of_ten_thousand_characters_breaks_nothing(page: str, open_page: Open) -> None:
    name = upload("n" * 10_000)
    evaluate(name, 64, name="r" * 10_000), evaluate(name, 128)
    app = open_page(page)
    assert not app.exception
    assert not app.error


def test_files_of_hostile_names_stay_in_the_home_folder(home: Path) -> None:
    before = set(home.parent.iterdir())
    upload("../../outside")
    assert set(home.parent.iterdir()) - before <= {home}


def test_a_broken_dataset_is_told_in_findings(open_page: Open, home: Path) -> None:
    name = upload()
    (home / "datasets" / name / "questions.jsonl").write_text(
        '{"id": "q1", "text": "x", "evidence": [{"document_id": "no"}]}\n'
    )
    app = open_page("data", dataset=name)
    assert not app.exception
    assert app.query_params["view"] == "Findings"
    assert "cannot be used" in told(app)


def test_a_broken_dataset_asked_for_its_questions_is_one_sentence(open_page: Open, home: Path) -> None:
    name = upload()
    (home / "datasets" / name / "questions.jsonl").write_text("not json\n")
    app = open_page("data", dataset=name, view="Questions")
    assert not app.exception
    assert len(app.error) == 1


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("data", {"dataset": "nowhere"}),
        ("builder", {"job": "nowhere"}),
        ("builder", {"run": "nowhere"}),
        ("builder", {"dataset": "nowhere"}),
        ("runs", {"run": "nowhere"}),
        ("runs", {"dataset": "nowhere"}),
        ("compare", {"baseline": "nowhere"}),
        ("compare", {"other": ["nowhere", "neither"]}),
        ("question", {"run": "nowhere"}),
        ("question", {"question": "nowhere"}),
    ],
)
def test_a_wrong_link_is_one_sentence(page: str, query: dict[str, str], open_page: Open) -> None:
    name = upload()
    evaluate(name), evaluate(name, 128)
    app = open_page(page, **query)
    assert not app.exception
    messages = [*app.error, *app.warning]
    assert len(messages) == 1
    assert "nowhere" in messages[0].value


def test_a_dataset_changed_since_is_one_sentence(open_page: Open, home: Path) -> None:
    name = upload()
    evaluate(name)
    (home / "datasets" / name / "dataset.yaml").write_text("name: small\ndescription: changed\n")
    app = open_page("question")
    assert not app.exception
    assert "was changed after run" in app.error[0].value


def test_an_unforeseen_error_is_a_sentence_with_a_number(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[api.DatasetPlace]:
        raise RuntimeError("secret path /etc/passwd")

    monkeypatch.setattr(api, "datasets", broken)
    app = open_page("data")
    assert not app.exception
    assert "(error " in app.error[0].value
    assert "secret" not in told(app)
