"""The finetune page: forms, training data read and struck out, estimate, one job, its progress, and what it gained."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pipelines import api
from pipelines.finetune.store import FinetuneStore
from pipelines.pipeline import Pipeline
from pipelines.records.pairs import LeftOut, Passage, TrainingPair, TrainingPairs
from pipelines.runs.curves import Curves
from pipelines.runs.database import Database
from pipelines.settings import database_url
from pipelines.training.strikes import Strike
from pipelines.whatif import CostlyChange
from tests.ui.conftest import FOX, HOSTILE, MOON, Open, evaluate, told

ADAPTER: Mapping[str, Any] = {"embed": {"use": "finetuned", "method": "adapter"}}


_ASKED = (
    "What is the moon made of?", "Which animal leaps?", "Is there an atmosphere up there?", "Whom does the fox evade?",
    "Does rock lie on our satellite?", "How fast is that brown creature?", "Could anybody breathe at Tranquility?",
    "Where along the water did it happen?", "Name a body without wind.", "Who was too lazy to react?",
    "Could sound travel on Luna?", "What did the quick one do?", "Would a kite fly there?", "Describe the dog's mood.",
    "Is it gas or stone?", "Near which landmark was the jump?",
)  # fmt: skip


def taught(name: str = "taught", extra: str = "") -> str:
    """Write a dataset that can be learnt from: two documents, ten train questions, dev and test; return its name."""
    filler = " ".join(f"Sentence {i} says nothing of interest." for i in range(60))
    documents = [("fox.txt", f"{filler} {FOX} {extra}".encode()), ("moon.txt", f"{filler} {MOON}".encode())]
    splits = ["train"] * 10 + ["dev"] * 2 + ["test"] * 4
    rows = [
        {
            "id": f"q{i}",
            "text": f"{_ASKED[i]} {extra}".strip(),
            "split": split,
            "evidence": [{"document_id": "fox" if i % 2 else "moon", "quote": FOX if i % 2 else MOON}],
        }
        for i, split in enumerate(splits)
    ]
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    return api.upload_dataset(name, documents, None, lines).dataset_path.name


def submitted(dataset: str, name: str = "my finetuning", **values: Any) -> api.FinetuneView:
    """Enter a finetuning; nothing of it is done."""
    spec = api.FinetuneSpec.parse({**ADAPTER, **values})
    found = api.finetuning_of_job(api.finetune(spec, api.open_dataset(dataset), name=name).id)
    assert found is not None
    return found


def gain(where: str, difference: float | None, verdict: str | None, n: int = 4) -> dict[str, Any]:
    """Return a gain as a report holds it."""
    ends = {} if difference is None else {"low": difference - 0.1, "high": difference + 0.1}
    numbers = {} if difference is None else {"before": 0.4, "after": 0.4 + difference, **ends}
    nothing = dict.fromkeys(("before", "after", "low", "high", "p", "p_holm"))
    reason = "no question is of these" if difference is None else None
    return {
        **nothing, **numbers, "where": where, "metric": "ndcg@10", "difference": difference, "wins": 1, "ties": 2,
        "losses": 1, "n": n, "verdict": verdict, "reason": reason, "sentence": f"a sentence on {where}",
    }  # fmt: skip


def candidate(label: str, runs: list[str], verdict: str = "worse", difference: float = -0.2) -> dict[str, Any]:
    """Return a pipeline of a report."""
    return {
        "label": label, "baseline": "before", "settings": dict(ADAPTER), "trainings": ["key"],
        "runs": {"reported": runs}, "optimism": None, "verdict": verdict, "error": None,
        "sentence": f"{label}: a sentence",
        "gains": {
            "all": [gain("all", difference, verdict)], "seen": [gain("seen", None, None, 0)],
            "unseen": [gain("unseen", difference, verdict)], "outside": [gain("outside", None, None, 0)],
            "dev": [gain("dev", 0.1, "better", 2)],
        },
        "rose": [{"question_id": "q12", "text": f"rose {HOSTILE}", "before": 7, "after": 2}],
        "fell": [{"question_id": "q13", "text": "fell", "before": 1, "after": None}],
    }  # fmt: skip


def report(*candidates: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a finetuning came to."""
    training = {
        "key": "key", "label": "a label", "labels": ["a label"], "part": "embed", "method": "adapter", "model": "m",
        "n_pairs": 10, "n_negatives": 9, "n_documents": 2, "sources": {"evidence": 10}, "left_out": [], "seconds": 2.0,
        "was_there": False, "peak_memory_bytes": 5_000_000, "steps": 8, "best_step": 6, "best_dev": 0.7,
        "metric": "ndcg@10", "notes": ["a note of it"], "folder": "x", "error": None,
    }  # fmt: skip
    splits = {
        "questions": {"train": 10, "dev": 2, "test": 4}, "documents": {"train": 2, "dev": 2, "test": 2},
        "shared": {"train and dev": 2, "train and test": 2, "dev and test": 2}, "sentence": "Split by question.",
    }  # fmt: skip
    twin = {"twin": "q12", "twin_split": "test", "twin_text": "the same question"}
    leak = {"question_id": "q0", "text": "a leaking question", **twin, "why": "q12 of test asks the same"}
    return {
        "kind": "gains", "dataset": {"name": "taught", "version": "v"}, "split": "test", "headline": "ndcg@10",
        "metrics": ["ndcg@10"], "splits": splits, "leaks": [leak], "outside": None, "trainings": [training],
        "candidates": list(candidates), "chosen": candidates[0]["label"], "chosen_by": "it is the only one",
        "sentence": f"GOT WORSE on all questions {HOSTILE}", "notes": ["a note on the whole"],
    }  # fmt: skip


def finish(view: api.FinetuneView, found: Mapping[str, Any]) -> None:
    """Have a finetuning be over, with this report."""
    database = Database(database_url())
    FinetuneStore(database).set_report(view.finetuning.id, found)
    table = api.jobs()
    job = table.claim("worker")
    assert job is not None
    table.finish(job.id, "worker", view.finetuning.id)


def finished(dataset: str, *candidates: Mapping[str, Any], name: str = "my finetuning") -> api.FinetuneView:
    view = submitted(dataset, name)
    finish(view, report(*candidates))
    return api.finetuning(view.finetuning.id)


def words(app: AppTest) -> str:
    """Return everything that the page says, Markdown unescaped."""
    return told(app).replace("\\", "").replace("\u2060", "")


def new(open_page: Open, **query: str | list[str]) -> AppTest:
    return open_page("finetune", new="yes", **query)


# The list, and links


def test_without_a_dataset_a_new_one_says_what_to_do(open_page: Open) -> None:
    app = new(open_page)
    assert not app.exception
    assert "there is no dataset yet" in app.info[0].value


def test_a_dataset_without_train_questions_cannot_be_learnt_from(open_page: Open) -> None:
    api.upload_dataset("bare", [("a.txt", b"The sky is blue.")], None, None)
    app = new(open_page)
    assert "no train question with evidence" in words(app)
    assert app.button(key="finetune.start").disabled
    assert not app.error


def test_finetunings_are_listed_with_what_they_gained(open_page: Open) -> None:
    name = taught()
    runs = [evaluate(name, 64), evaluate(name, 128)]
    finished(name, candidate("a pipeline", runs), name=HOSTILE)
    table = open_page("finetune").dataframe[0].value
    assert list(table["state"]) == ["finished"]
    assert table["gain"][0] == "▼ got worse · ndcg@10 -0.200 (-0.300 to -0.100), n 4"


@pytest.mark.parametrize("query", [{"finetuning": "nowhere"}, {"job": "nowhere"}])
def test_a_link_to_what_is_not_there_is_one_sentence(query: dict[str, str], open_page: Open) -> None:
    taught()
    app = open_page("finetune", **query)
    assert not app.exception
    assert len(app.error) == 1
    assert "nowhere" in app.error[0].value


@pytest.mark.parametrize("spec", ["{", json.dumps({"embed": "minilm"}), json.dumps({**ADAPTER, "train": "test"})])
def test_a_link_that_is_no_finetuning_is_one_sentence(spec: str, open_page: Open) -> None:
    taught()
    app = new(open_page, spec=spec)
    assert not app.exception
    assert len([*app.error, *app.warning]) == 1


def test_a_job_leads_to_its_finetuning(open_page: Open) -> None:
    view = submitted(taught())
    app = open_page("finetune", job=view.job.id)
    assert app.query_params["finetuning"] == view.finetuning.id
    assert "waiting for a worker" in str(app.get("progress")[0].proto.text)


# A new one


def test_what_is_trained_decides_which_forms_there_are(open_page: Open) -> None:
    taught()
    app = new(open_page)
    boxes = {str(one.key).split(".", 3)[-1] for one in app.selectbox if str(one.key).endswith(".use")}
    assert boxes == {"embed.use", "chunk.use", "retrieve.use"}
    next(one for one in app.get("button_group") if str(one.key).endswith(".what")).set_value("Both").run()
    boxes = {str(one.key).split(".", 3)[-1] for one in app.selectbox if str(one.key).endswith(".use")}
    assert boxes == {"embed.use", "rerank.use", "chunk.use", "retrieve.use"}
    assert '"rerank":{"use":"finetuned"' in app.query_params["spec"]


def test_what_is_not_allowed_is_told_and_cannot_be_started(open_page: Open) -> None:
    taught()
    app = new(open_page)
    _size(app).set_value(5).run()
    assert "size must be 16 to 8192 tokens, but got 5" in words(app)
    assert app.button(key="finetune.start").disabled


def test_a_retriever_that_uses_no_vectors_is_told_to_train_nothing(open_page: Open) -> None:
    taught()
    app = new(open_page, spec=json.dumps(ADAPTER))
    next(one for one in app.selectbox if str(one.key).endswith(".retrieve.use")).select("bm25").run()
    assert "trains nothing" in words(app)
    assert app.button(key="finetune.start").disabled


def test_settings_outlast_a_look_at_the_training_data(open_page: Open) -> None:
    taught()
    app = new(open_page)
    _size(app).set_value(64).run()
    _view(app, "Training data")
    assert json.loads(app.query_params["spec"])["chunk"]["size"] == 64
    _view(app, "Settings")
    assert _size(app).value == 64


def _size(app: AppTest) -> Any:
    return next(one for one in app.number_input if str(one.key).endswith(".chunk.recursive.size"))


def _view(app: AppTest, name: str) -> None:
    next(one for one in app.get("button_group") if str(one.key) == "finetune.new/view").set_value(name).run()


def test_what_was_struck_out_of_one_dataset_is_not_applied_to_another(open_page: Open) -> None:
    first, second = taught(), taught("other", "indeed")
    api.save_strikes(api.open_dataset(first), [Strike("q0", "fox", 0, 9, "positive")])
    app = new(open_page, dataset=first)
    assert json.loads(app.query_params["spec"])["embed"]["strikes"].endswith(f"{first}.jsonl")
    app.selectbox(key="finetune.new/dataset").select(second).run()
    assert not json.loads(app.query_params["spec"]).get("embed", {}).get("strikes")


def test_a_file_of_several_pipelines_is_done_as_it_is(open_page: Open) -> None:
    taught()
    app = new(open_page, spec=json.dumps({"embed": {"use": "finetuned", "method": ["adapter", "full"]}}))
    assert not app.error
    assert len(app.dataframe[0].value) == 2
    assert not app.button(key="finetune.start").disabled


def test_the_estimate_tells_splits_leaks_and_cost_and_trains_nothing(open_page: Open) -> None:
    name = taught()
    folder = api.open_dataset(name).path
    rows = [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]
    rows[-1]["text"] = rows[0]["text"]
    (folder / "questions.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    app = new(open_page)
    app.button(key="finetune.estimate").click().run()
    assert not app.exception
    assert [one.value for one in app.error] == []
    assert "1 train question asks nearly what dev or test asks" in words(app)
    tables = [one.value for one in app.dataframe]
    assert any("questions" in table and list(table["questions"]) == [10, 2, 4] for table in tables)
    assert not api.recent_jobs()


def test_starting_enters_one_job_however_often_and_opens_it(open_page: Open) -> None:
    taught()
    app = new(open_page)
    app.button(key="finetune.start").click().run()
    assert not app.exception
    jobs = api.recent_jobs()
    assert [job.kind for job in jobs] == [api.FINETUNE]
    assert api.finetunings()[0].finetuning.name == "adapter on all-MiniLM-L6-v2, recursive 256"
    app = new(open_page)
    app.button(key="finetune.start").click().run()
    assert len(api.recent_jobs()) == 1


# The training data


def passage(document: str, start: int, end: int, text: str) -> Passage:
    return Passage(document, start, end, text, 0.5)


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven pairs, made without a model; what was struck out is left out of them."""

    def made(settings: Mapping[str, Any], dataset: Any) -> TrainingPairs:
        struck = {(one.question_id, one.of) for one in api.read_strikes(dataset)}
        found = [
            TrainingPair(
                f"q{i}", f"Question {i} {HOSTILE}", passage("fox", 0, 9, f"positive {i} {HOSTILE}"),
                () if (f"q{i}", "negative") in struck else (passage("moon", i, i + 9, f"negative {i}"),),
            )
            for i in range(7)
            if (f"q{i}", "positive") not in struck
        ]  # fmt: skip
        return TrainingPairs(tuple(found), (LeftOut("q9", f"for {HOSTILE}"),))

    monkeypatch.setattr(api, "training_pairs", made)


def data(open_page: Open, **query: str) -> AppTest:
    app = new(open_page, view="Training data", **query)
    return app.button(key="finetune.pairs").click().run()


def test_pairs_are_made_only_when_asked_and_read_page_by_page(open_page: Open, pairs: None) -> None:
    taught()
    app = new(open_page, view="Training data")
    assert "pairs, " not in words(app)
    app.button(key="finetune.pairs").click().run()
    assert not app.exception
    assert "7 pairs, 7 hard negatives" in words(app)
    assert sum("Answers it" in one.value for one in app.caption) == 5
    app.button(key="finetune.Next").click().run()
    assert sum("Answers it" in one.value for one in app.caption) == 2


def test_a_search_finds_pairs_by_their_texts(open_page: Open, pairs: None) -> None:
    taught()
    app = data(open_page, find="negative 3")
    assert "1 shown here" in words(app)


def test_a_pair_and_a_negative_are_struck_out_and_taken_back(open_page: Open, pairs: None) -> None:
    name = taught()
    app = data(open_page)
    app.button(key="finetune.pair.0.positive").click().run()
    assert "6 pairs, 6 hard negatives" in words(app)
    app.button(key="finetune.pair.0.1").click().run()
    assert "6 pairs, 5 hard negatives" in words(app)
    held = api.read_strikes(api.open_dataset(name))
    assert held == (Strike("q0", "fox", 0, 9, "positive"), Strike("q1", "moon", 1, 10, "negative"))
    app.button(key="finetune.undo").click().run()
    assert "6 pairs, 6 hard negatives" in words(app)
    app = new(open_page, view="Training data", data="Struck out")
    assert list(app.dataframe[0].value["as"]) == ["as an answer"]
    app.button(key="finetune.back.all").click().run()
    assert api.read_strikes(api.open_dataset(name)) == ()


def test_what_was_struck_out_is_left_out_of_the_training(open_page: Open, pairs: None) -> None:
    dataset = api.open_dataset(taught())
    api.save_strikes(dataset, [Strike("q0", "fox", 0, 9, "positive")])
    app = new(open_page)
    app.button(key="finetune.start").click().run()
    held = api.finetunings()[0].settings["embed"]
    assert str(api.strikes_file(dataset)) in json.dumps(held)


def test_what_was_left_out_is_told_with_its_reason(open_page: Open, pairs: None) -> None:
    taught()
    app = new(open_page, view="Training data", data="Left out")
    app.button(key="finetune.pairs").click().run()
    assert "1 train question not trained on" in words(app)
    assert app.dataframe[0].value["why"][0].startswith("for <script>")


def test_texts_of_pairs_are_never_markup(open_page: Open, pairs: None) -> None:
    taught(extra=HOSTILE)
    app = data(open_page)
    for element in (*app.markdown, *app.caption, *app.warning, *app.info):
        assert not re.search(r"(?<!\\)(!\[p\]|<img|<script|\[link\])", element.value)
    for html in app.html:
        assert "<img" not in html.value
        assert "<script" not in html.value


# While it is done


def test_a_waiting_one_can_be_paused_resumed_and_cancelled(open_page: Open) -> None:
    view = submitted(taught())
    job = view.job.id
    app = open_page("finetune", finetuning=view.finetuning.id)
    app.button(key=f"finetune.Pause.{job}").click().run()
    assert api.job(job).state == "paused"
    app.button(key=f"finetune.Resume.{job}").click().run()
    assert api.job(job).state == "queued"
    app.button(key=f"finetune.Cancel.{job}").click().run()
    assert api.job(job).state == "cancelled"
    assert "Cancelled after" in words(app)


def test_curves_are_drawn_as_they_grow(open_page: Open) -> None:
    view = submitted(taught())
    database = Database(database_url())
    FinetuneStore(database).set_trainings(view.finetuning.id, {"key": "a training"})
    curves = Curves(database)
    same = {"steps": 20, "epoch": 1.0, "seconds": 1.0, "metric": "ndcg@10", "learning_rate": None}
    curves.enter("key", {**same, "step": 0, "loss": None, "dev": 0.5})
    curves.enter("key", {**same, "step": 10, "loss": 1.5, "dev": 0.6})
    curves.flush()
    app = open_page("finetune", finetuning=view.finetuning.id)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2  # loss and dev; no learning rate was told


def test_a_failed_one_says_why(open_page: Open) -> None:
    view = submitted(taught())
    table = api.jobs()
    job = table.claim("worker")
    assert job is not None
    table.fail(job.id, "worker", f"Too few pairs {HOSTILE}", 2)
    app = open_page("finetune", finetuning=view.finetuning.id)
    assert "Too few pairs" in app.error[0].value
    assert any(one.label == "Do it again" for one in app.button)


# What came of it


def test_one_that_got_worse_is_said_to_have_got_worse_with_every_n(open_page: Open) -> None:
    name = taught()
    view = finished(name, candidate("a pipeline", [evaluate(name, 64), evaluate(name, 128)]))
    app = open_page("finetune", finetuning=view.finetuning.id)
    assert not app.exception
    assert "GOT WORSE on all questions" in app.error[0].value
    table = app.dataframe[0].value
    assert list(table["verdict"]) == ["▼ got worse", "▼ got worse", "▲ better"]
    assert list(table["n"]) == [4, 4, 2]
    assert list(table["difference"]) == ["-0.200", "-0.200", "+0.100"]
    assert "Outside the domain: not told, no question is of these." in words(app)
    assert "1 train question asks nearly what dev or test asks" in words(app)
    assert not re.search(r"(?<!\\)(!\[p\]|<img|\[link\])", app.error[0].value)


def test_of_several_the_chosen_one_is_shown_and_others_can_be(open_page: Open) -> None:
    name = taught()
    runs = [evaluate(name, 64), evaluate(name, 128)]
    view = finished(name, candidate("first", runs), candidate("second", runs, "better", 0.3))
    app = open_page("finetune", finetuning=view.finetuning.id)
    assert [one.split(" (")[0] for one in app.dataframe[0].value["label"]] == ["first", "second"]
    assert app.dataframe[1].value["difference"][0] == "-0.200"
    app = open_page("finetune", finetuning=view.finetuning.id, pipeline="second")
    assert app.dataframe[1].value["difference"][0] == "+0.300"


def test_questions_that_moved_are_listed_both_ways(open_page: Open) -> None:
    name = taught()
    view = finished(name, candidate("a pipeline", [evaluate(name, 64), evaluate(name, 128)]))
    app = open_page("finetune", finetuning=view.finetuning.id, view="Questions")
    assert not app.exception
    rose, fell = (one.value for one in app.dataframe)
    assert (rose["before"][0], rose["after"][0]) == ("7", "2")
    assert (fell["before"][0], fell["after"][0]) == ("1", "not found")


def test_a_learning_curve_is_started_from_a_finetuning(open_page: Open) -> None:
    name = taught()
    view = finished(name, candidate("a pipeline", [evaluate(name, 64), evaluate(name, 128)]))
    app = open_page("finetune", finetuning=view.finetuning.id, view="Learning curve")
    app.button(key="finetune.learn").click().run()
    assert not app.exception
    newest = api.finetunings()[0]
    assert newest.job.payload["curve"] == {"shares": [0.25, 0.5, 0.75, 1.0], "seeds": 3}
    assert newest.finetuning.name == "my finetuning, learning curve"


def test_a_learning_curve_is_drawn_with_its_verdict(open_page: Open) -> None:
    name = taught()
    spec = api.FinetuneSpec.parse(ADAPTER)
    job = api.learning_curve(spec, api.open_dataset(name), shares=(0.5, 1.0))
    view = api.finetuning_of_job(job.id)
    assert view is not None
    points = [
        {"share": 0.5, "seeds": 1, "n_pairs": 5.0, "n_questions": 5, "runs": [], "gains": [], "error": "too few"},
        {"share": 1.0, "seeds": 1, "n_pairs": 10.0, "n_questions": 10, "runs": ["r"], "error": None,
         "gains": [gain("all", 0.2, "better")]},
    ]  # fmt: skip
    finish(view, {
        "kind": "learning curve", "dataset": {"name": name, "version": "v"}, "split": "test", "metric": "ndcg@10",
        "label": "a pipeline", "baseline": "run", "points": points, "doubling": None, "verdict": "cannot tell",
        "sentence": "Whether it pays cannot be told.",
    })  # fmt: skip
    app = open_page("finetune", finetuning=view.finetuning.id)
    assert not app.exception
    assert "Labelling more: cannot tell" in words(app)
    table = app.dataframe[0].value
    assert list(table["error"]) == ["too few", None]
    assert list(table["n_pairs"]) == ["5", "10"]
    assert len(app.get("plotly_chart")) == 1


def test_the_model_is_exported_into_the_home_folder(
    open_page: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exported(reference: str, to: Path, label: str | None = None) -> list[Path]:
        to.mkdir(parents=True)
        (to / "model.safetensors").write_bytes(b"x" * 2000)
        return [to]

    monkeypatch.setattr(api, "export_model", exported)
    name = taught()
    view = finished(name, candidate("a pipeline", [evaluate(name, 64), evaluate(name, 128)]))
    app = open_page("finetune", finetuning=view.finetuning.id)
    app.button(key="finetune.export").click().run()
    assert not app.exception
    place = home / "exports" / f"finetuning-{view.finetuning.id}"
    assert (place / "model.safetensors").exists()
    assert str(place) in words(app)


def test_a_dataset_changed_since_is_said(open_page: Open) -> None:
    name = taught()
    view = finished(name, candidate("a pipeline", [evaluate(name, 64), evaluate(name, 128)]))
    place = Path(view.finetuning.dataset_path)
    (place / "dataset.yaml").write_text("name: taught\ndescription: changed\n")
    app = open_page("finetune", finetuning=view.finetuning.id)
    assert not app.exception
    assert "was changed after this finetuning" in words(app)


# Other pages: nothing is trained by looking


def test_build_says_that_a_run_trains_first_and_leads_here(open_page: Open) -> None:
    taught()
    app = open_page("builder")
    assert "trains a model first" not in words(app)
    app.selectbox(key="build.0.embed.use").select("finetuned").run()
    assert "Run trains a model first" in words(app)
    assert not app.error
    assert not api.recent_jobs()


def test_what_if_refuses_what_would_have_to_train(home: Path) -> None:
    run = evaluate(taught())
    session = api.what_if(run)
    changed = {**session.origin.pipeline.settings(), "rerank": {"use": "finetuned"}}
    with pytest.raises(CostlyChange, match=r"not trained yet|would have to run"):
        session.evaluate(Pipeline.parse(changed))
    assert not list((home / "cache").rglob("model.safetensors"))
    assert not (home / "cache" / "training").exists()


def test_a_run_leads_to_a_finetuning_on_it(open_page: Open) -> None:
    run = evaluate(taught(), 96)
    app = new(open_page, run=run)
    held = json.loads(app.query_params["spec"])
    assert held["chunk"] == {**held["chunk"], "use": "fixed", "size": 96}
    assert held["embed"]["use"] == "finetuned"
    assert "trains nothing" in words(app)  # the run retrieves by words


def test_a_run_that_learnt_elsewhere_leads_to_a_finetuning_on_its_own_dataset(open_page: Open, home: Path) -> None:
    dataset = api.open_dataset(taught())
    embed = {"use": "finetuned", "learn_from": str(home / "elsewhere"), "epochs": 2, "method": "full"}
    run = api.evaluate(Pipeline.parse({"embed": embed, "retrieve": "bm25"}), dataset, split="test").run.id
    app = new(open_page, run=run)
    held = json.loads(app.query_params["spec"])["embed"]
    assert (held["method"], held["epochs"], held.get("learn_from", "")) == ("full", 2, "")
