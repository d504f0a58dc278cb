"""The standard scorer's declarations: knobs, names, registry and pages; and batches of odd shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.component import build, components
from pipelines.errors import ConfigurationError
from pipelines.records import Candidates, Chunks, Gold, Rankings
from pipelines.stages.score import Evaluation
from pipelines.stages.score.families import FAMILIES, metric_family
from pipelines.stages.score.measured import REASONS, Reason
from pipelines.stages.score.standard import StandardScorer

PAGES = Path(__file__).parents[2] / "docs" / "metrics"


def batch(n_questions: int, n_evidence: int, depth: int, seed: int = 0) -> Evaluation:
    """Random questions over ten documents of ten chunks."""
    rng = np.random.default_rng(seed)
    document, place = np.divmod(np.arange(100), 10)
    question = np.sort(rng.integers(0, max(n_questions, 1), n_evidence)).astype(np.int32)
    start = rng.integers(0, 90, n_evidence, dtype=np.int32)
    own = np.arange(n_evidence, dtype=np.int32)
    documents = rng.integers(0, 10, n_evidence, dtype=np.int32)
    gold = Gold(n_questions, question, documents, start, start + np.int32(10), np.ones(n_evidence), own)
    chunk = rng.integers(0, 100, (n_questions, depth)).astype(np.int32)
    rankings = Rankings(chunk, np.zeros(chunk.shape, dtype=np.float32))
    chunks = Chunks.of(document, place * 10, place * 10 + 10)
    return Evaluation(gold, chunks, 10, rankings, Candidates.everything(n_questions, 100))


def test_it_is_registered() -> None:
    assert components("score")["standard"] is StandardScorer


def test_names_in_order() -> None:
    names = [metric.name for metric in StandardScorer(cutoffs=(1, 5), budgets_tokens=(2000,)).metrics()]
    assert names[:4] == ["recall@1", "recall@5", "recall@2000tok", "precision@1"]
    assert "doc_ndcg@5" in names and "doc_ndcg@2000tok" not in names
    assert "precision_omega" in names and "context_tokens@2000tok" in names
    assert len(names) == len(set(names)) == 8 * 3 + 5 * 2 + 5  # eight in chunks, five in documents, five without a cut


def test_cutoffs_are_sorted_and_unique_so_that_equal_settings_have_equal_keys() -> None:
    scorer = StandardScorer(cutoffs=(5, 1, 5), budgets_tokens=(200, 100))
    assert (scorer.cutoffs, scorer.budgets_tokens) == ((1, 5), (100, 200))
    assert scorer.fingerprint() == StandardScorer(cutoffs=(1, 5), budgets_tokens=(100, 200)).fingerprint()


@pytest.mark.parametrize(
    "knobs", [{"cutoffs": []}, {"cutoffs": [0]}, {"cutoffs": [1001]}, {"budgets_tokens": [0]}, {"coverage": 0}]
)
def test_knobs_out_of_bounds_are_refused_by_name(knobs: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=rf"score\.standard\.{next(iter(knobs))}"):
        build("score", knobs, "standard", "here")


def test_no_budgets_at_all_are_allowed() -> None:
    scores = StandardScorer(budgets_tokens=()).score(batch(3, 5, 4))
    assert scores.values.shape == (3, len(scores.metrics))


@pytest.mark.parametrize("shape", [(0, 0, 0), (0, 0, 5), (4, 0, 5), (4, 6, 0), (1, 1, 1), (40, 200, 30)])
def test_every_shape_of_batch_gives_a_value_or_a_reason(shape: tuple[int, int, int]) -> None:
    scores = StandardScorer().score(batch(*shape))
    assert scores.values.shape == scores.reason.shape == (shape[0], len(scores.metrics))
    assert scores.values.dtype == np.float64 and scores.reason.dtype == np.int16
    assert np.array_equal(np.isnan(scores.values), scores.reason != 0)


def test_a_question_scores_the_same_alone_and_in_a_batch() -> None:
    whole = batch(20, 60, 15)
    together = StandardScorer().score(whole).values
    for q in range(20):
        g, mine = whole.gold, whole.gold.question == q
        rows = (g.document[mine], g.start[mine], g.end[mine], g.grade[mine], g.group[mine])
        gold = Gold(1, np.zeros(mine.sum(), dtype=np.int32), *rows)
        rankings = Rankings(whole.rankings.chunk[[q]], whole.rankings.score[[q]])
        alone = StandardScorer().score(
            Evaluation(gold, whole.chunks, 10, rankings, Candidates.everything(1, len(whole.chunks)))
        )
        np.testing.assert_array_equal(alone.values[0], together[q])


def test_metric_family_reads_a_name_with_or_without_its_cutoff() -> None:
    assert metric_family("recall@2000tok") is metric_family("recall") is FAMILIES[0]
    assert not metric_family("context_tokens@5").higher_is_better
    with pytest.raises(ConfigurationError, match=r"no metric 'recal@5'.*Did you mean 'recall'"):
        metric_family("recal@5")


def test_every_reason_has_a_text() -> None:
    assert len(REASONS) == len(Reason) and all(REASONS[1:])


@pytest.mark.parametrize("family", [family.name for family in FAMILIES])
def test_every_family_has_a_page_that_the_index_links(family: str) -> None:
    assert (PAGES / f"{family}.md").read_text().startswith(f"# {family}\n")
    assert f"({family}.md)" in (PAGES / "README.md").read_text()
