"""Judgements become evidence of a new dataset version, never silently, and nothing else is computed again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipelines import api
from pipelines.errors import DatasetError, NotFoundError, StorageError
from pipelines.golden.dataset import Dataset
from pipelines.judging import Judgment


def judged(two_runs, *grades: float, judge: str = "ada"):
    """Judge the first items of the queue that share no document with one another, and return them."""
    queue = api.judging_queue([two_runs.small, two_runs.large], judge)
    answerable = [item for item in queue.items if item.evidence]
    items = list({item.place[:2]: item for item in reversed(answerable)}.values())[::-1][: len(grades)]
    for item, grade in zip(items, grades, strict=True):
        api.record_judgment(queue.documents_version, item.judgment(grade, judge))
    return items


def evidence(dataset: Dataset, question_id: str):
    return next(q for q in dataset.resolved() if q.id == question_id).evidence


def test_a_new_folder_holds_the_new_evidence_and_the_old_one_stays(two_runs, tmp_path):
    before = two_runs.dataset
    first, second = judged(two_runs, 1.0, 0.0)
    done = api.publish_judgments(before, tmp_path / "new")
    assert (done.n_relevant, done.n_irrelevant, done.n_judges) == (1, 1, 1)
    assert (done.old_version, done.kept) == (before.version, None)
    assert Dataset.open(two_runs.folder).version == before.version
    after = Dataset.open(tmp_path / "new")
    assert after.version == done.new_version != before.version
    assert after.documents_version == before.documents_version
    new = evidence(after, first.question_id)
    old = next(e for e in new if e.document_id == evidence(before, first.question_id)[0].document_id)
    found = next(e for e in new if (e.document_id, e.start, e.end) == first.place[1:])
    assert found.quote == first.text
    # It answers as well as the only piece there was: one of the two is enough.
    assert found.group == old.group == "answer"
    irrelevant = next(e for e in evidence(after, second.question_id) if (e.document_id, e.start) == second.place[1:3])
    assert irrelevant.grade == 0
    kept = [json.loads(line) for line in (tmp_path / "new" / "judgments.jsonl").read_text().splitlines()]
    assert {row["judge"] for row in kept} == {"ada"}
    assert api.check_dataset(tmp_path / "new").exit_code == 0


def test_what_does_not_change_keeps_its_bytes(two_runs, tmp_path):
    judged(two_runs, 1.0)
    api.publish_judgments(two_runs.dataset, tmp_path / "new")
    old, new = ((f / "questions.jsonl").read_text().splitlines() for f in (two_runs.folder, tmp_path / "new"))
    assert sum(a != b for a, b in zip(old, new, strict=True)) == 1
    assert (two_runs.folder / "documents.jsonl").read_bytes() == (tmp_path / "new" / "documents.jsonl").read_bytes()


def test_line_ends_and_blank_lines_stay(two_runs, tmp_path):
    path = two_runs.folder / "questions.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    run = api.evaluate(api.Pipeline.parse(api.run(two_runs.small).settings), two_runs.dataset).run
    queue = api.judging_queue([run.id], "ada")
    api.record_judgment(queue.documents_version, queue.items[0].judgment(1.0, "ada"))
    api.publish_judgments(two_runs.dataset, tmp_path / "new")
    old, new = (f.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n") for f in (path, tmp_path / "new" / path.name))
    assert sum(a != b for a, b in zip(old, new, strict=True)) == 1
    assert all(line.endswith(b"\r") for line in new[:-1])


def test_a_crash_while_publishing_leaves_the_old_version(two_runs, tmp_path, monkeypatch):
    judged(two_runs, 1.0)
    before = two_runs.dataset.version

    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    monkeypatch.setattr("pathlib.Path.rename", refuse)
    for dest in (None, tmp_path / "new"):
        with pytest.raises(StorageError):
            api.publish_judgments(two_runs.dataset, dest)
    assert two_runs.dataset.version == before
    assert not (tmp_path / "new").exists()
    assert not [path for path in (*two_runs.folder.iterdir(), *tmp_path.iterdir()) if path.name.startswith(".")]


def test_in_place_the_old_questions_are_kept(two_runs):
    before = two_runs.dataset
    old = (two_runs.folder / "questions.jsonl").read_bytes()
    judged(two_runs, 0.0)
    done = api.publish_judgments(before, None)
    assert done.kept is not None
    assert done.kept.read_bytes() == old
    assert two_runs.dataset.version == done.new_version != before.version
    with pytest.raises(NotFoundError, match="was changed after run"):
        api.judging_queue([two_runs.small], "ada")


def test_only_the_words_that_matter_become_evidence(two_runs, tmp_path):
    queue = api.judging_queue([two_runs.large], "ada")
    item = max(queue.items, key=lambda one: one.end - one.start)
    quote = item.start + 45, item.start + 60
    api.record_judgment(queue.documents_version, item.judgment(1.0, "ada", quote))
    api.publish_judgments(two_runs.dataset, tmp_path / "new")
    found = [e for e in evidence(Dataset.open(tmp_path / "new"), item.question_id) if e.document_id == item.document_id]
    assert [(e.start, e.end) for e in found if e.grade > 0] == [quote]
    assert (item.start, quote[0], 0) in {(e.start, e.end, e.grade) for e in found}  # read, and irrelevant


def test_less_than_the_evidence_is_a_piece_of_its_own(two_runs, tmp_path):
    (item,) = judged(two_runs, 0.5)
    api.publish_judgments(two_runs.dataset, tmp_path / "new")
    found = evidence(Dataset.open(tmp_path / "new"), item.question_id)
    assert {(e.grade, e.group) for e in found} == {(1.0, None), (0.5, None)}


def test_the_majority_settles_and_a_tie_is_left_out(two_runs, tmp_path):
    first, second = judged(two_runs, 1.0, 1.0)
    version = two_runs.dataset.documents_version
    for judge, grade in (("bob", 0.0), ("eve", 2.0)):
        api.record_judgment(version, first.judgment(grade, judge))
    api.record_judgment(version, second.judgment(0.0, "bob"))
    done = api.publish_judgments(two_runs.dataset, tmp_path / "new")
    assert done.n_relevant == 1
    assert [place for place, _ in done.left_out] == [second.place]
    assert "disagree" in done.left_out[0][1]
    assert "Left out: 1" in done.summary()


def test_a_second_publication_adds_only_what_is_new(two_runs, tmp_path):
    judged(two_runs, 1.0, 0.0)
    api.publish_judgments(two_runs.dataset, tmp_path / "one")
    with pytest.raises(DatasetError, match="Nothing was judged that changes"):
        api.publish_judgments(Dataset.open(tmp_path / "one"), tmp_path / "two")
    judged(two_runs, 1.0)
    done = api.publish_judgments(Dataset.open(tmp_path / "one"), tmp_path / "two")
    assert (done.n_relevant, done.left_out) == (1, ())


def test_what_was_irrelevant_may_become_relevant(two_runs, tmp_path):
    (item,) = judged(two_runs, 0.0)
    api.publish_judgments(two_runs.dataset, tmp_path / "one")
    one = Dataset.open(tmp_path / "one")
    api.record_judgment(one.documents_version, item.judgment(1.0, "ada"))
    api.publish_judgments(one, tmp_path / "two")
    found = [e for e in evidence(Dataset.open(tmp_path / "two"), item.question_id) if e.start == item.start]
    assert [e.grade for e in found if (e.document_id, e.end) == (item.document_id, item.end)] == [1.0]


def test_only_scores_are_computed_on_the_new_version(two_runs, tmp_path):
    judged(two_runs, 1.0, 0.0, 1.0)
    api.publish_judgments(two_runs.dataset, tmp_path / "new")
    before = api.run(two_runs.small)
    pipeline = api.Pipeline.parse(before.settings)
    after = api.evaluate(pipeline, Dataset.open(tmp_path / "new")).run
    assert {name for name, report in after.stages.items() if report.found == "miss"} == {"score"}
    holes = api.label_holes(after.id)
    assert holes.n_unjudged < api.label_holes(before.id).n_unjudged


def test_nothing_judged_a_taken_place_and_foreign_judgements_are_sentences(two_runs, tmp_path, sentence):
    with pytest.raises(DatasetError) as error:
        api.publish_judgments(two_runs.dataset, tmp_path / "new")
    sentence(error.value)
    version = two_runs.dataset.documents_version
    api.record_judgment(version, Judgment("gone", "Which?", "arden", 0, 9, 1.0, "ada"))
    with pytest.raises(DatasetError, match="no such question") as error:
        api.publish_judgments(two_runs.dataset, tmp_path / "new")
    sentence(error.value)
    item = judged(two_runs, 1.0)[0]
    with pytest.raises(DatasetError) as error:
        api.publish_judgments(two_runs.dataset, two_runs.folder)
    sentence(error.value)
    api.record_judgment(version, replace(item.judgment(1.0, "eve"), document_id="nowhere"))
    assert api.publish_judgments(two_runs.dataset, tmp_path / "new").n_relevant == 1


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_refused_and_never_means_in_place(two_runs, name, sentence):
    judged(two_runs, 1.0)
    before = two_runs.dataset.version
    with pytest.raises(DatasetError) as error:
        api.publish_judgments(two_runs.dataset, name)
    sentence(error.value)
    assert two_runs.dataset.version == before


def test_a_name_becomes_a_folder_of_the_users_own(two_runs, home):
    judged(two_runs, 1.0)
    done = api.publish_judgments(two_runs.dataset, "Towns, judged")
    assert done.path == home / "datasets" / "towns-judged"
    assert api.open_dataset("towns-judged").version == done.new_version
