"""Judging: one passage at a time, taken back, and published as a new version of the dataset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pipelines import api
from tests.ui.conftest import FOX, HOSTILE, MOON, Open, evaluate, told


def _dataset(name: str, extra: str) -> str:
    filler = " ".join(f"Sentence {i} says nothing of interest." for i in range(40))
    documents = [("fox.txt", f"{filler} {FOX} {extra}".encode()), ("moon.txt", f"{filler} {MOON}".encode())]
    evidence = [{"document_id": "fox", "quote": FOX}]
    rows = [
        {"id": "q1", "text": f"Which fox says nothing of interest? {extra}", "split": "dev", "evidence": evidence},
        {"id": "q2", "text": "Which sentence is of no interest?", "split": "dev"},
    ]
    text = "\n".join(json.dumps(row) for row in rows).encode()
    return api.upload_dataset(name, documents, None, text).dataset_path.name


def _open(open_page: Open, name: str = "small", extra: str = "", judge: str = "Ann") -> AppTest:
    run = evaluate(_dataset(name, extra), 64, "dev")
    return open_page("judge", run=run, judge=judge)


def _queue(again: bool = False) -> api.Queue:
    return api.judging_queue([str(row["run"]) for row in api.runs(()).rows], "Ann", again=again)


def _press(app: AppTest, label: str) -> AppTest:
    button = next(one for one in app.button if one.key.startswith(f"judge.{label}."))
    return button.click().run()


def _said(name: str = "small") -> list[tuple[str, float | None]]:
    return [(one.question_id, one.grade) for one in api.judgments(api.open_dataset(name))]


def test_without_a_name_nothing_is_asked(open_page: Open) -> None:
    app = _open(open_page, judge="")
    assert not app.exception and not app.error
    assert "Write your name" in told(app)
    assert not any(one.key.startswith("judge.Relevant") for one in app.button)


def test_a_name_once_given_leaves_the_keys_to_judging(open_page: Open) -> None:
    app = _open(open_page, judge="")
    next(one for one in app.text_input if one.label == "Your name").set_value(" Bo ").run()
    assert not app.exception and "Judging as Bo" in told(app)
    assert not any(one.label == "Your name" for one in app.text_input)
    app.button(key="judge.rename").click().run()
    assert any(one.label == "Your name" for one in app.text_input) and "Judging as" not in told(app)


def test_a_judgement_is_kept_at_once_and_the_next_passage_comes(open_page: Open) -> None:
    app = _open(open_page)
    queue = _queue()
    first = queue.items[0]
    assert first.question.strip() in told(app)
    _press(app, "Not")
    assert not app.exception and not app.error
    assert _said() == [(first.question_id, 0.0)]
    assert f"{len(queue.items) - 1:,} passages left" in app.get("progress")[0].proto.text.replace("\\", "")


@pytest.mark.parametrize(("label", "grade"), [("Relevant", 1.0), ("Partly", 0.5), ("Not", 0.0), ("Skip", None)])
def test_each_button_says_its_grade(label: str, grade: float | None, open_page: Open) -> None:
    _press(_open(open_page), label)
    assert [one for _, one in _said()] == [grade]


def test_undo_takes_back_and_returns_to_the_passage(open_page: Open) -> None:
    app = _press(_press(_open(open_page), "Relevant"), "Not")
    app.button(key="judge.undo").click().run()
    assert len([grade for _, grade in _said() if grade is not None]) == 1
    assert any(one.key == "judge.Relevant.1" for one in app.button)
    app.button(key="judge.undo").click().run()
    assert not [grade for _, grade in _said() if grade is not None]
    assert app.button(key="judge.undo").disabled


def test_only_the_words_that_matter_become_evidence(open_page: Open) -> None:
    app = _open(open_page)
    item = _queue().items[0]
    words = item.text.strip()[:20]
    app.text_input(key="judge.part.0").set_value("not in it at all").run()
    assert "does not hold" in told(app)
    assert app.button(key="judge.Relevant.0").disabled
    app.text_input(key="judge.part.0").set_value(words).run()
    _press(app, "Relevant")
    kept = api.judgments(api.open_dataset("small"))[0]
    documents = api.open_dataset("small").documents()
    assert documents.texts[documents.position[kept.document_id]][slice(*kept.span)] == words


def test_publishing_makes_a_new_dataset_and_the_run_is_scored_on_it(open_page: Open, home: Path) -> None:
    app = _press(_open(open_page), "Relevant")
    before = api.open_dataset("small").version
    app.text_input(key="judge.dest").set_value("small-judged").run()
    app.button(key="judge.publish").click().run()
    assert not app.exception and not app.error
    new = api.open_dataset("small-judged")
    assert api.open_dataset("small").version == before != new.version
    assert new.version[:8] in told(app).replace("\\", "")
    app.button(key="judge.rescore").click().run()
    assert not app.exception and not app.error
    assert [job.payload["version"] for job in api.recent_jobs()] == [new.version]
    app.button(key="judge.close").click().run()
    assert not any(one.key == "judge.rescore" for one in app.button)


def test_publishing_nothing_is_one_sentence(open_page: Open) -> None:
    app = _open(open_page)
    app.button(key="judge.publish").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert "judge some first" in app.error[0].value


def test_in_place_the_old_runs_are_said_to_be_of_another_version(open_page: Open) -> None:
    app = _press(_open(open_page), "Relevant")
    app.radio(key="judge.how").set_value(app.radio(key="judge.how").options[1]).run()
    app.button(key="judge.publish").click().run()
    assert not app.exception
    assert "the old questions kept" in told(app).replace("\\", "")
    assert any("was changed after run" in error.value for error in app.error)
    app.button(key="judge.rescore").click().run()
    assert len(api.recent_jobs()) == 1


def test_all_judged_is_said_and_can_be_taken_back(open_page: Open) -> None:
    app = _open(open_page)
    for _ in range(len(_queue().items)):
        _press(app, "Not")
    assert not app.exception and not app.error
    assert "Nothing is left to judge" in told(app)
    app.button(key="judge.undo").click().run()
    assert any(one.key.startswith("judge.Not.") for one in app.button)


def test_hostile_text_stays_text(open_page: Open) -> None:
    app = _open(open_page, f"Bad {HOSTILE}", HOSTILE, judge=HOSTILE[:80])
    assert not app.exception
    for element in (*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.success):
        assert "<img" not in element.value.replace("\\<img", "")
    for html in app.html:
        assert "<img" not in html.value
