"""The queue: what several runs retrieved, each passage once, what could change most first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines import api
from pipelines.errors import ComparisonError, DatasetError
from pipelines.judging.pool import Passage, _distinct, covered


def test_what_the_evidence_says_is_not_asked(two_runs):
    queue = api.judging_queue([two_runs.small, two_runs.large], "ada")
    dataset = two_runs.dataset
    gold = {(q.id, e.document_id): (e.start, e.end) for q in dataset.resolved() for e in q.evidence}
    assert queue.items
    for item in queue.items:
        start, end = gold.get((item.question_id, item.document_id), (0, 0))
        assert min(end, item.end) <= max(start, item.start)  # no character of the evidence
        assert (
            dataset.documents()[dataset.documents().position[item.document_id]].text[item.start : item.end] == item.text
        )
    assert queue.n_known > 0
    assert queue.n_passages == queue.n_known + len(queue.items)


def test_no_passage_is_covered_by_half_by_better_ranked_ones(two_runs):
    queue = api.judging_queue([two_runs.small, two_runs.large], "ada")
    best = {item.place: (min(item.ranks.values()), item.document_id, item.start, item.end) for item in queue.items}
    for item in queue.items:
        others = [
            (other.start, other.end)
            for other in queue.items
            if other.place[:2] == item.place[:2] and best[other.place] < best[item.place]
        ]
        assert 2 * covered((item.start, item.end), others) < item.end - item.start
    assert len(queue.items) < queue.n_chunks - queue.n_known


def test_a_span_found_by_two_chunkings_is_one_passage_with_both_ranks():
    found = _distinct(
        [
            Passage("q", "a", 0, 100, {"x": 2}),
            Passage("q", "a", 5, 95, {"y": 4}),
            Passage("q", "a", 80, 200, {"y": 5}),
            Passage("q", "b", 0, 100, {"y": 1}),
        ]
    )
    assert [(p.document_id, p.start, p.end, p.ranks) for p in found] == [
        ("b", 0, 100, {"y": 1}),
        ("a", 0, 100, {"x": 2, "y": 4}),
        ("a", 80, 200, {"y": 5}),
    ]


def test_what_only_one_run_found_weighs_more_than_what_both_did():
    both, one = Passage("q", "a", 0, 9, {"x": 1, "y": 1}), Passage("q", "a", 0, 9, {"x": 3})
    assert both.weight(2) == 0.0
    assert one.weight(2) == 0.5  # 1 / log2(3 + 1)
    assert both.weight(1) == 1.0


def test_items_of_a_question_stand_together_and_answerable_ones_first(write_set, town_rows):
    documents, questions = town_rows
    questions.insert(0, {"id": "sunk", "text": "When was the harbour of Atlantis opened?", "evidence": []})
    dataset = api.open_dataset(write_set(documents, questions))
    run = api.evaluate(
        api.Pipeline.parse({"retrieve": {"use": "bm25"}, "chunk": {"use": "fixed", "size": 16}}), dataset
    )
    asked = [item.question_id for item in api.judging_queue([run.run.id], "ada").items]
    assert len(list(dict.fromkeys(asked))) == sum(a != b for a, b in zip(asked, ["", *asked], strict=False))
    assert asked[-1] == "sunk"


def test_what_was_judged_is_not_asked_again_but_for_a_second_opinion(two_runs):
    runs = [two_runs.small, two_runs.large]
    queue = api.judging_queue(runs, "ada")
    item = queue.items[0]
    api.record_judgment(queue.documents_version, item.judgment(1.0, "ada"))
    places = lambda judge, **more: {i.place for i in api.judging_queue(runs, judge, **more).items}  # noqa: E731
    assert item.place not in places("ada")
    assert item.place not in places("bob")
    assert item.place in places("bob", again=True)
    assert item.place not in places("ada", again=True)
    api.record_judgment(queue.documents_version, item.judgment(0.0, "bob"))
    unsettled = api.judging_queue(runs, "eve")
    assert unsettled.n_unsettled == 1
    assert {one.judge for one in next(i for i in unsettled.items if i.place == item.place).judgments} == {"ada", "bob"}
    assert item.place not in places("bob")


def test_what_was_skipped_comes_last(two_runs):
    queue = api.judging_queue([two_runs.small], "ada")
    api.record_judgment(queue.documents_version, queue.items[0].judgment(None, "ada"))
    again = api.judging_queue([two_runs.small], "ada")
    assert again.items[-1].place == queue.items[0].place
    assert len(again.items) == len(queue.items)


def test_judgements_of_another_wording_do_not_count(two_runs):
    queue = api.judging_queue([two_runs.small], "ada")
    item = queue.items[0]
    api.record_judgment(queue.documents_version, replace(item.judgment(1.0, "ada"), question="Something else?"))
    assert item.place in {one.place for one in api.judging_queue([two_runs.small], "ada").items}


def test_runs_on_other_datasets_are_refused(two_runs, write_set, town_rows, sentence):
    documents, questions = town_rows
    other = write_set(documents, questions[:5], "other")
    run = api.evaluate(api.Pipeline.parse({"retrieve": {"use": "bm25"}}), api.open_dataset(other)).run
    with pytest.raises(ComparisonError) as error:
        api.judging_queue([two_runs.small, run.id], "ada")
    sentence(error.value)
    for references in ([], [two_runs.small, two_runs.small]):
        with pytest.raises((ComparisonError, DatasetError)) as error:
            api.judging_queue(references, "ada")
        sentence(error.value)
