"""Finetuning from a notebook: pairs to read and strike out, jobs that are one, curves of any run that trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines import api
from pipelines.errors import ConfigurationError, DatasetError, NotFoundError
from pipelines.pipeline import Pipeline
from pipelines.runs.database import Database
from pipelines.settings import database_url
from pipelines.worker import Worker
from tests.training.lessons import tiny_encoder

School = Callable[..., Path]


@pytest.fixture(autouse=True)
def _work_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: 0)


def settings(**knobs: Any) -> dict[str, Any]:
    own = {"use": "finetuned", "model": str(tiny_encoder()), "backend": "torch", "method": "adapter", **knobs}
    return {"chunk": {"use": "fixed", "size": 16}, "embed": own, "retrieve": {"use": "dense"}}


def work() -> None:
    Worker(Database(database_url()), idle_s=0.01).run()


def test_pairs_are_read_struck_out_and_gone(school: School) -> None:
    dataset = api.open_dataset(school())
    pairs = api.training_pairs(settings(), dataset).pairs
    first = pairs[0]
    assert first.question
    assert first.positive.text
    negatives = [negative for pair in pairs for negative in pair.negatives]
    assert negatives
    assert all(one.score is not None for one in negatives)
    assert api.read_strikes(dataset) == ()
    place = (first.positive.document_id, first.positive.start, first.positive.end)
    strike = api.Strike(first.question_id, *place, "positive")
    file = api.save_strikes(dataset, [strike])
    assert file == api.strikes_file(dataset)
    assert api.read_strikes(dataset) == (strike,)
    left = api.training_pairs(settings(strikes=str(file)), dataset).pairs
    assert len(left) == len(pairs) - 1
    assert all((p.question_id, p.positive.start) != (first.question_id, first.positive.start) for p in left)


def test_pairs_of_a_pipeline_that_learns_nothing(school: School, sentence: Callable[[object], str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        api.training_pairs({"embed": "minilm"}, api.open_dataset(school()))
    assert "trains nothing" in sentence(refused.value)


def test_asked_for_twice_it_is_one_job_and_it_can_be_stopped(school: School) -> None:
    dataset, spec = api.open_dataset(school()), api.FinetuneSpec.parse(settings(), "spec")
    first = api.finetune(spec, dataset, name="one")
    assert api.finetune(spec, dataset, name="one").id == first.id
    assert api.learning_curve(spec, dataset, shares=[0.5, 1.0], name="one").id != first.id
    api.pause(first.id)
    assert api.finetuning("one").state in ("queued", "paused")
    assert api.finetune(spec, dataset, name="one").id == first.id, "it goes on where it stood"
    for job in api.active_jobs():
        assert api.cancel(job.id).state == "cancelled"
    view = api.finetuning_of_job(first.id)
    assert view is not None
    assert (view.state, view.report, view.curves) == ("cancelled", None, {})


def test_a_dataset_that_changed_meanwhile_is_not_trained_on(school: School) -> None:
    path = school()
    job = api.finetune(api.FinetuneSpec.parse(settings(), "spec"), api.open_dataset(path))
    questions = path / "questions.jsonl"
    questions.write_text("".join(questions.read_text().splitlines(keepends=True)[:-1]))
    work()
    assert api.jobs().get(job.id).state == "failed"
    assert "was changed" in (api.jobs().get(job.id).error or "")


def test_any_run_that_trains_keeps_its_curve(school: School) -> None:
    dataset = api.open_dataset(school())
    pipeline = Pipeline.parse(settings(), "pipeline")
    api.submit(pipeline, dataset, split="test")
    work()
    from pipelines.planning.plan import plan

    trained = plan(pipeline, dataset, dataset.select("test")).trained
    assert trained is not None
    points = api.training_curves([trained.key])[trained.key]
    assert any(point["dev"] is not None for point in points)
    assert [point["step"] for point in points] == sorted({point["step"] for point in points})


def test_what_learnt_elsewhere_is_the_same_model(school: School) -> None:
    from pipelines.finetune.outside import taught_by
    from pipelines.planning.plan import plan
    from pipelines.sweeps.batch import learnt_from

    here, there = api.open_dataset(school()), api.open_dataset(school(splits="d" * 6 + "e" * 6, name="other"))
    own = Pipeline.parse(settings(), "pipeline")
    taught = taught_by(own, here)
    assert learnt_from(taught) == (str(here.path.resolve()),)
    first = plan(own, here, here.select("test")).trained
    second = plan(taught, there, there.select("test")).trained
    assert first is not None
    assert second is not None
    assert first.key == second.key
    with pytest.raises(DatasetError, match="train"):
        api.evaluate(own, there, split="test")
    assert api.evaluate(taught, there, split="test").run.n_questions == 36


@pytest.mark.parametrize("part", ["embed", "rerank"])
def test_what_learnt_the_same_questions_elsewhere_is_said_to_be_optimistic(school: School, part: str) -> None:
    from pipelines.planning.optimism import flattering

    here = api.open_dataset(school())
    copy, other = school(splits="t" * 12, name="copy"), school(splits="d" * 8 + "tttt", name="dev")
    for elsewhere, patience, n in ((copy, 0, 24), (other, 0, 24), (other, 2, 24), (school(name="same"), 2, 0)):
        own = {"use": "finetuned", "learn_from": str(elsewhere), "patience": patience}
        made = Pipeline.parse({part: own, "retrieve": "dense"}, "pipeline")
        notes = flattering(made, here, here.select("test"))
        told = [note.startswith(f"OPTIMISTIC: {n} of the 24 questions nearly repeat") for note in notes]
        assert told == [True] * (n > 0)


def test_the_last_report_is_found_by_name_id_and_job(school: School) -> None:
    dataset, spec = api.open_dataset(school()), api.FinetuneSpec.parse(settings(), "spec")
    job = api.finetune(spec, dataset, name="mine")
    work()
    view = api.finetuning("mine")
    assert view.state == "finished"
    assert api.jobs().get(job.id).run_id == view.finetuning.id
    for reference in (view.finetuning.id, view.finetuning.id[:6], job.id):
        assert replace(api.finetuning(reference)) == view
    assert api.finetune(spec, dataset, name="mine", again=False).id == job.id
    with pytest.raises(NotFoundError):
        api.finetuning("nothing")
