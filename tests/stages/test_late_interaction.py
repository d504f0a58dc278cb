"""MaxSim: against a naive loop, and the same for a pair whatever is scored beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import ConfigurationError
from pipelines.models.encoder import Encoding
from pipelines.models.weights import minilm_folder
from pipelines.records import FloatArray
from pipelines.stages.rerank import late_interaction
from pipelines.stages.rerank.late_interaction import LateInteractionReranker, max_sim

QUESTIONS = ("Who opened the harbour?", "When was the railway built, and who paid for it?", "?")
TEXTS = ("The harbour of Arden was opened in 1800.", "Rail.", "A market stood by the river. " * 30, "", "Ä 東京 👩‍👩‍👧")
PAIRS = [(question, text) for question in QUESTIONS for text in TEXTS]


def naive(question: FloatArray, chunk: FloatArray) -> float:
    """For every token of the question the best of all products, one by one."""
    best = [max(sum(float(a) * float(b) for a, b in zip(q, c, strict=True)) for c in chunk) for q in question]
    return sum(best) / len(best)


def test_max_sim_is_what_a_loop_gives() -> None:
    rng = np.random.default_rng(0)
    for n, m in ((1, 1), (3, 7), (5, 2)):
        question, chunk = (rng.normal(size=(k, 6)).astype(np.float32) for k in (n, m))
        assert max_sim(question, chunk) == pytest.approx(naive(question, chunk), abs=1e-5)
    # Tokens (1, 0) and (0, 1) against (0.6, 0.8) and (1, 0): the best are 1 and 0.8.
    two, other = np.eye(2, dtype=np.float32), np.asarray([[0.6, 0.8], [1, 0]], dtype=np.float32)
    assert max_sim(two, other) == pytest.approx(0.9)
    assert max_sim(two[:0], other) == max_sim(two, other[:0]) == -1


def test_scores_are_those_of_the_tokens_one_by_one() -> None:
    one = LateInteractionReranker(device="cpu")
    scores, encoder = one.score_pairs(PAIRS), one._encoder()
    asked = {QUESTIONS[i]: v for i, v in encoder.tokens(QUESTIONS, Encoding(queries=True))}
    texts = {TEXTS[i]: v for i, v in encoder.tokens(TEXTS, Encoding())}
    expected = [naive(asked[q], texts[t]) if len(asked[q]) and len(texts[t]) else -1 for q, t in PAIRS]
    assert np.allclose(scores[:, 0], expected, atol=1e-4)
    assert scores[0] == scores[:5].max(), "the harbour's own sentence is nearest"


def test_tokens_are_unit_length_without_those_that_begin_and_end() -> None:
    encoder = LateInteractionReranker(device="cpu")._encoder()
    vectors = dict(encoder.tokens(["Rail."], Encoding()))[0]
    assert vectors.shape == (2, 384)  # rail, full stop
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_neither_company_nor_blocks_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    one = LateInteractionReranker(device="cpu")
    whole = one.score_pairs(PAIRS)
    assert one.score_pairs(PAIRS[::-1])[::-1].tobytes() == whole.tobytes()
    assert np.asarray([one.score_pairs([pair])[0] for pair in PAIRS]).tobytes() == whole.tobytes()
    monkeypatch.setattr(late_interaction, "_TEXTS_AT_ONCE", 2)
    monkeypatch.setattr(late_interaction, "_QUESTIONS_AT_ONCE", 1)
    kept: dict[int, float] = {}
    again = one.score_pairs(
        PAIRS, keep=lambda at, rows: kept.update(zip(at.tolist(), rows[:, 0].tolist(), strict=True))
    )
    assert again.tobytes() == whole.tobytes()
    assert kept == {i: float(score) for i, score in enumerate(whole[:, 0])}


def test_any_folder_of_a_model_will_do_and_its_weights_are_its_identity(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(minilm_folder(), folder)
    mine = LateInteractionReranker(model=str(folder), device="cpu")
    assert np.allclose(mine.score_pairs(PAIRS[:3]), LateInteractionReranker(device="cpu").score_pairs(PAIRS[:3]))
    assert mine.pair_identity()["weights"] != LateInteractionReranker().pair_identity()["weights"]


@pytest.mark.parametrize("left", ["pytorch_model.bin", "notes.txt"])
def test_a_folder_without_safe_weights_is_refused(tmp_path: Path, left: str) -> None:
    (tmp_path / left).write_bytes(b"anything")
    with pytest.raises(ConfigurationError) as refused:
        LateInteractionReranker(model=str(tmp_path)).fingerprint()
    assert ("a format that can run code" if left.endswith("bin") else "no weights") in str(refused.value)
