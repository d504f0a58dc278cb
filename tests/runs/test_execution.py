"""A second run does no stage's work; a change costs only what depends on it; the numbers are equal to the bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines import api
from pipelines.component import Component
from pipelines.pipeline import Pipeline
from pipelines.runs.evaluate import Evaluated
from pipelines.settings import cache_folder
from pipelines.stages.chunk import Chunker
from pipelines.stages.embed.sentence_transformer import SentenceTransformerEmbedder
from pipelines.stages.load import Loader
from pipelines.stages.rerank.mmr import MMRReranker
from pipelines.stages.retrieve.bm25 import BM25Retriever
from pipelines.stages.retrieve.dense import DenseRetriever
from pipelines.stages.score.standard import StandardScorer

from .helpers import places, vectors, words

WORK: tuple[tuple[str, type[Component], str], ...] = (
    ("load", Loader, "read"),
    ("chunk", Chunker, "chunk"),
    ("embed", SentenceTransformerEmbedder, "embed_documents"),
    ("retrieve", BM25Retriever, "open"),
    ("retrieve", DenseRetriever, "open"),
    ("rerank", MMRReranker, "rerank"),
    ("score", StandardScorer, "score"),
)


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each stage did its work; emptied by the test between runs."""
    counts: Counter[str] = Counter()

    def counted(stage: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            counts[stage] += 1
            return method(*args, **kwargs)

        return call

    for stage, owner, name in WORK:
        monkeypatch.setattr(owner, name, counted(stage, getattr(owner, name)))
    return counts


def evaluate(folder: Path, pipeline: Pipeline, **options: Any) -> Evaluated:
    return api.evaluate(pipeline, api.open_dataset(folder), **options)


def equal_to_the_bit(one: Evaluated, other: Evaluated) -> None:
    assert one.run.metrics == other.run.metrics
    assert one.details.scores.metrics == other.details.scores.metrics
    assert one.details.scores.values.tobytes() == other.details.scores.values.tobytes()
    assert np.array_equal(one.details.scores.reason, other.details.scores.reason)
    assert one.details.rankings.chunk.tobytes() == other.details.rankings.chunk.tobytes()
    assert one.details.rankings.score.tobytes() == other.details.rankings.score.tobytes()
    assert places(one.details) == places(other.details)


EVERY = [
    pytest.param(words(), id="bm25"),
    pytest.param(vectors(), id="dense"),
    pytest.param(vectors(retrieve={"use": "hybrid"}, rerank={"use": "mmr", "depth": 20}), id="hybrid-mmr"),
    pytest.param(words(filter={"use": "where", "where": {"number": {"$gte": 2}}}), id="bm25-where"),
    pytest.param(vectors(index={"use": "chroma"}), id="chroma"),
]


@pytest.mark.parametrize("pipeline", EVERY)
def test_a_second_run_does_no_stages_work(towns: Path, worked: Counter[str], pipeline: Pipeline) -> None:
    first = evaluate(towns, pipeline)
    assert set(worked) >= {"load", "chunk", "retrieve", "score"}
    assert first.run.stages["chunk"].found == "miss"
    worked.clear()
    second = evaluate(towns, pipeline)
    assert not worked
    assert {report.found for report in second.run.stages.values()} == {"hit"}
    assert set(second.run.stages) <= set(first.run.stages)
    stored = {name: report for name, report in second.run.stages.items() if name != "index"}  # exact: nothing is kept
    assert all(report.seconds_computed > 0 for report in stored.values())
    assert second.run.id != first.run.id
    equal_to_the_bit(first, second)


@pytest.mark.parametrize("pipeline", [EVERY[0], EVERY[2]])
def test_computed_again_from_nothing_the_numbers_are_the_same(towns: Path, pipeline: Pipeline) -> None:
    first = evaluate(towns, pipeline)
    for stage in ("load", "chunk", "embed", "retrieve", "rerank", "score"):
        folder = cache_folder() / stage
        if folder.exists():
            folder.rename(folder.with_name(f"old-{stage}"))
    second = evaluate(towns, pipeline)
    assert second.run.stages["score"].found == "miss"
    equal_to_the_bit(first, second)


def test_another_process_finds_what_this_one_computed(towns: Path, worked: Counter[str]) -> None:
    from .helpers import outputs, python

    script = """
import sys
from pipelines import api
from tests.runs.helpers import words
done = api.evaluate(words(), api.open_dataset(sys.argv[1]))
print(sorted({r.found for r in done.run.stages.values()}), done.run.measured("recall@5").mean.hex())
"""
    first = evaluate(towns, words())
    mean = first.run.measured("recall@5").mean
    assert outputs([python(script, str(towns))]) == [f"['hit'] {mean.hex()}"]


def test_correcting_evidence_retrieves_nothing_again(
    towns: Path, write_set: Any, town_rows: Any, worked: Counter[str]
) -> None:
    pipeline = vectors(retrieve={"use": "hybrid"}, rerank={"use": "mmr"})
    first = evaluate(towns, pipeline)
    documents, questions = town_rows
    questions[0]["evidence"] = [{"document_id": "corvale", "start": 0, "end": 10}]
    worked.clear()
    second = evaluate(write_set(documents, questions), pipeline)
    assert dict(worked) == {"score": 1}
    assert second.run.stages["retrieve"].found == second.run.stages["rerank"].found == "hit"
    assert second.run.stages["score"].found == "miss"
    assert second.run.dataset_version != first.run.dataset_version
    assert second.details.rankings.chunk.tobytes() == first.details.rankings.chunk.tobytes()
    changed = np.any(second.details.scores.values != first.details.scores.values, axis=1)
    assert changed[0]


def test_adding_a_question_embeds_no_document_again(
    towns: Path, write_set: Any, town_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate(towns, vectors())
    documents, questions = town_rows
    questions.append({"id": "new", "text": "Which town has an observatory?", "split": "dev", "evidence": []})
    embedded: list[str] = []
    real = SentenceTransformerEmbedder._embed

    def spy(self: Any, texts: Any, *rest: Any) -> Any:
        embedded.extend(texts)
        return real(self, texts, *rest)

    monkeypatch.setattr(SentenceTransformerEmbedder, "_embed", spy)
    second = evaluate(write_set(documents, questions), vectors())
    asked = {question["text"] for question in questions}
    assert "Which town has an observatory?" in embedded
    assert set(embedded) <= asked, "a document was embedded again"
    assert second.run.n_questions == len(questions)
    assert second.run.stages["chunk"].found == "hit"


def test_adding_a_document_chunks_again(towns: Path, write_set: Any, town_rows: Any, worked: Counter[str]) -> None:
    evaluate(towns, words())
    documents, questions = town_rows
    worked.clear()
    second = evaluate(write_set([*documents, {"id": "new", "text": "A new town."}], questions), words())
    assert worked["chunk"] == 1
    assert second.run.n_documents == len(documents) + 1


def test_another_cut_off_only_scores(towns: Path, worked: Counter[str]) -> None:
    pipeline = vectors(retrieve={"use": "hybrid"}, rerank={"use": "mmr"})
    evaluate(towns, pipeline)
    worked.clear()
    second = evaluate(towns, Pipeline.parse({**pipeline.settings(), "score": {"use": "standard", "cutoffs": [2, 4]}}))
    assert dict(worked) == {"score": 1}
    assert {s for s, r in second.run.stages.items() if r.found == "miss"} == {"score"}
    assert second.run.measured("recall@4") is not None
    assert second.run.measured("recall@5") is None


def test_another_reranker_retrieves_nothing_again(towns: Path, worked: Counter[str]) -> None:
    evaluate(towns, vectors())
    worked.clear()
    second = evaluate(towns, vectors(rerank={"use": "mmr"}))
    assert second.run.stages["retrieve"].found == second.run.stages["embed"].found == "hit"
    assert worked["chunk"] == worked["load"] == 0
    assert worked["rerank"] >= 1


def test_hybrid_uses_the_rankings_of_its_parts(towns: Path, worked: Counter[str]) -> None:
    evaluate(towns, vectors())
    evaluate(towns, words())
    worked.clear()
    hybrid = vectors(retrieve={"use": "hybrid"})
    work = evaluate(towns, hybrid)
    assert work.run.stages["embed"].found == "hit"
    again = evaluate(towns, vectors(retrieve={"use": "hybrid", "alpha": 0.3}))
    assert again.run.stages["embed"].found == "hit"


def test_splits_are_told_apart(towns: Path) -> None:
    dev, test, both = (evaluate(towns, words(), split=split) for split in ("dev", "test", None))
    assert (dev.run.n_questions, test.run.n_questions, both.run.n_questions) == (6, 7, 13)
    assert both.run.split == "all"
    assert set(dev.details.question_ids) & set(test.details.question_ids) == set()
    assert dev.run.configuration == test.run.configuration


def test_unanswerable_questions_are_left_out_of_means_and_counted(towns: Path) -> None:
    measured = evaluate(towns, words()).run.measured("recall@5")
    assert measured is not None
    assert (measured.n, measured.unscored) == (12, 1)
    assert measured.reason == "unanswerable: no evidence"
    assert measured.mean is not None
    assert measured.low is not None
    assert measured.low <= measured.mean <= measured.high  # type: ignore[operator]


def test_a_price_that_is_unknown_is_none_with_a_reason(towns: Path) -> None:
    measured = evaluate(towns, words()).run.measured("usd")
    assert measured is not None
    assert measured.mean is None
    assert (measured.n, measured.unscored) == (0, 13)
    assert measured.reason


def test_a_cut_off_beyond_the_corpus_works_and_is_noted(towns: Path) -> None:
    pipeline = words(score={"use": "standard", "cutoffs": [5, 1000]}, retrieve={"use": "bm25", "depth": 10_000})
    done = evaluate(towns, pipeline)
    assert any(
        "Metrics @1000 look at" in note and "all that the dataset is cut into" in note for note in done.run.notes
    )
    assert done.run.measured("recall@1000") is not None


def test_what_the_model_did_not_read_is_noted_also_by_a_second_run(write_set: Any) -> None:
    long = "word " * 600
    folder = write_set([{"id": "a", "text": long}], [{"id": "q", "text": "What word?", "evidence": []}])
    pipeline = vectors(chunk={"use": "fixed", "size": 1024})
    for _ in range(2):
        notes = evaluate(folder, pipeline).run.notes
        assert any(note.startswith("1 of 1 chunks are longer than the 256 tokens that minilm reads") for note in notes)


def test_a_damaged_output_is_computed_again_and_the_run_says_so(towns: Path) -> None:
    first = evaluate(towns, words())
    for file in (cache_folder() / "score").rglob("values.npy"):
        file.write_bytes(b"\x93NUMPY damaged")
    second = evaluate(towns, words())
    equal_to_the_bit(first, second)
    assert second.run.stages["score"].found == "miss"
    assert second.run.stages["retrieve"].found == "hit"
    assert any("score output" in note and "damaged" in note for note in second.run.notes)
    assert evaluate(towns, words()).run.notes == first.run.notes


def test_a_component_that_fails_leaves_the_finished_stages(towns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(BM25Retriever, "open", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            evaluate(towns, words())
    assert api.runs().rows == ()
    done = evaluate(towns, words())
    assert done.run.stages["load"].found == done.run.stages["chunk"].found == "hit"
    assert done.run.stages["retrieve"].found == "miss"


def test_the_latency_is_that_of_single_questions(towns: Path) -> None:
    run = evaluate(towns, words()).run
    p50, p95 = run.measured("latency_ms_p50"), run.measured("latency_ms_p95")
    assert p50 is not None
    assert p95 is not None
    assert p50.n == 13
    assert 0 < p50.mean <= p95.mean < 10_000  # type: ignore[operator]
    assert p50.metric.unit == "ms"
    assert not p50.metric.higher_is_better


def test_the_retrieval_is_right(towns: Path) -> None:
    """Each question shares its rarest words with one sentence: BM25 puts a chunk of it first."""
    done = evaluate(towns, words())
    assert done.run.measured("doc_mrr@5").mean > 0.9  # type: ignore[union-attr,operator]
    assert done.details.spans.of(0)[0][0] == "arden"
