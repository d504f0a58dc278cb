"""The cross-encoder: each pair scored as if it were alone, and ranked by that score."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipelines.errors import ConfigurationError
from pipelines.models.weights import minilm_folder
from pipelines.records import PADDING, FloatArray, LongArray, Rankings
from pipelines.stages.rerank import Retrieved, ordered, pairs_of
from pipelines.stages.rerank.cross_encoder import CrossEncoderReranker
from pipelines.stages.rerank.late_interaction import LateInteractionReranker
from tests.contracts.tiny import cross_encoder_folder

QUESTIONS = ("Who opened the harbour?", "When?", "Why was the railway of Arden built so late, and who paid for it?")
TEXTS = (
    "The harbour of Arden was opened in 1800.",
    "Rail.",
    "A market stood by the river for three hundred years before the railway came, and nobody remembers who began it. "
    * 3,
    "The cathedral burned twice.",
    "Ä, ß and 東京: words of other letters, and an emoji 👩‍👩‍👧.",
    "",
)
PAIRS = [(question, text) for question in QUESTIONS for text in TEXTS]


def reranker(**knobs: object) -> CrossEncoderReranker:
    return CrossEncoderReranker(**{"model": str(cross_encoder_folder()), "device": "cpu", **knobs})


def ranked(*rows: list[int], questions: tuple[str, ...] = QUESTIONS) -> Retrieved:
    width = max(map(len, rows))
    chunk = np.asarray([row + [PADDING] * (width - len(row)) for row in rows], dtype=np.int32).reshape(len(rows), width)
    score = np.where(chunk == PADDING, 0, 1 / np.arange(1, width + 1)).astype(np.float32)
    return Retrieved(Rankings(chunk, score), questions[: len(rows)], TEXTS)


# Pairs and order, by hand -------------------------------------------------------------------------------------------


def test_pairs_are_those_of_the_first_ranks() -> None:
    given = ranked([3, 0, 1], [], [1])
    expected = [(QUESTIONS[0], TEXTS[3]), (QUESTIONS[0], TEXTS[0]), (QUESTIONS[2], TEXTS[1])]
    assert pairs_of(given, 2) == expected
    assert len(pairs_of(given, 9)) == 4
    assert pairs_of(ranked([], []), 5) == []


def test_the_order_falls_by_score_and_equal_ones_keep_theirs() -> None:
    given = ranked([3, 0, 1, 5], [2], [])
    scores = np.asarray([[1.0], [7.0], [1.0], [-2.0]], dtype=np.float32)  # chunks 3, 0 and 1, then chunk 2
    found = ordered(given, 3, scores)
    assert found.chunk.tolist() == [[0, 3, 1], [2, -1, -1], [-1, -1, -1]]  # 5 lay below the depth
    assert found.score.tolist() == [[7, 1, 1], [-2, 0, 0], [0, 0, 0]]


@given(hnp.arrays(np.int32, st.tuples(st.integers(0, 4), st.integers(0, 6)), elements=st.integers(0, 2)),
       st.integers(1, 8), st.data())  # fmt: skip
def test_an_order_is_a_stable_sort_of_what_was_scored(grades: np.ndarray, depth: int, data: st.DataObject) -> None:
    n, width = grades.shape
    lengths = [data.draw(st.integers(0, width)) for _ in range(n)]
    rows = [list(range(10 * q, 10 * q + length)) for q, length in enumerate(lengths)]
    chunk = np.full((n, width), PADDING, dtype=np.int32)
    for q, row in enumerate(rows):
        chunk[q, : len(row)] = row
    given = Retrieved(Rankings(chunk, np.zeros(chunk.shape, dtype=np.float32)), ["q"] * n, ["t"] * 50)
    asked = [float(grades[q, r]) for q in range(n) for r in range(min(depth, lengths[q]))]
    assert len(pairs_of(given, depth)) == len(asked)
    found = ordered(given, depth, np.asarray(asked, dtype=np.float32).reshape(-1, 1))
    for q, row in enumerate(rows):
        expected = sorted(row[:depth], key=lambda one, q=q: -grades[q, one - 10 * q])
        assert found.chunk[q][found.chunk[q] != PADDING].tolist() == expected


# Scores -------------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_sentence_transformers() -> None:
    from sentence_transformers import CrossEncoder
    from torch import nn

    theirs = CrossEncoder(str(cross_encoder_folder()), device="cpu").predict(PAIRS, activation_fn=nn.Identity())
    ours = reranker().score_pairs(PAIRS)
    assert ours.shape == (len(PAIRS), 1)
    assert ours.dtype == np.float32
    assert np.allclose(ours[:, 0], theirs, atol=1e-5)
    assert np.ptp(ours) > 0.1, "a model that scores all alike would show nothing"


def test_a_pair_alone_gets_the_score_that_it_gets_among_others() -> None:
    one = reranker()
    alone = [one.score_pairs([pair])[0] for pair in PAIRS]
    assert one.score_pairs(PAIRS).tobytes() == np.asarray(alone, dtype=np.float32).tobytes()


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64])
def test_neither_company_nor_order_nor_batch_size_matter(batch_size: int) -> None:
    whole = reranker().score_pairs(PAIRS)
    backwards = reranker(batch_size=batch_size).score_pairs(PAIRS[::-1])[::-1]
    assert whole.tobytes() == backwards.tobytes()


def test_finished_scores_are_handed_over_as_they_come() -> None:
    kept: list[tuple[LongArray, FloatArray]] = []
    told: list[tuple[int, int]] = []
    scores = reranker(batch_size=2).score_pairs(
        PAIRS, lambda done, total: told.append((done, total)), keep=lambda at, rows: kept.append((at, rows.copy()))
    )
    assert sorted(np.concatenate([at for at, _ in kept]).tolist()) == list(range(len(PAIRS)))
    assert all(np.array_equal(scores[at], rows) for at, rows in kept)
    assert all(len(at) <= 2 for at, _ in kept)
    assert told[-1] == (len(PAIRS), len(PAIRS))


def test_a_pair_is_cut_where_it_is_told_to() -> None:
    long, short = PAIRS[2], PAIRS[0]
    whole, cut = reranker().score_pairs([long, short]), reranker(max_tokens=16).score_pairs([long, short])
    assert whole[0] != cut[0]
    assert whole[1] != cut[1], "19 tokens are more than 16"
    words = "The harbour of Arden was opened in"
    assert reranker(max_tokens=16).score_pairs([("Why?", words)]) == reranker().score_pairs([("Why?", words)])


def test_no_pairs() -> None:
    assert reranker().score_pairs([]).shape == (0, 1)


def test_reranking_orders_by_the_models_score() -> None:
    given = ranked([0, 1, 2, 3], [4, 5], [1, 0, 3])
    found = reranker(depth=3).rerank(given)
    for question, before, chunk, score in zip(QUESTIONS, given.rankings.chunk, found.chunk, found.score, strict=True):
        kept = before[:3][before[:3] != PADDING]
        own = reranker().score_pairs([(question, TEXTS[one]) for one in kept])[:, 0]
        assert chunk[chunk != PADDING].tolist() == kept[np.argsort(-own, kind="stable")].tolist()
        assert score[chunk != PADDING].tolist() == sorted(own.tolist(), reverse=True)


# Identity -----------------------------------------------------------------------------------------------------------


def test_a_score_is_known_by_weights_device_and_cut_alone(tmp_path: Path) -> None:
    one = reranker()
    assert one.pair_identity() == reranker(depth=3, batch_size=1).pair_identity()
    copied = tmp_path / "copy"
    shutil.copytree(cross_encoder_folder(), copied)
    assert one.pair_identity() == reranker(model=str(copied)).pair_identity()
    assert one.pair_identity() != reranker(max_tokens=64).pair_identity()
    assert one.pair_identity() != reranker(model=str(cross_encoder_folder(seed=8))).pair_identity()
    assert one.pair_identity()["device"] == "cpu"


# Models that will not do --------------------------------------------------------------------------------------------


def refused(folder: Path, sentence: Callable[[object], str]) -> str:
    with pytest.raises(ConfigurationError) as found:
        reranker(model=str(folder)).score_pairs(PAIRS[:1])
    return sentence(found.value)


def test_a_model_that_was_never_trained_to_score(sentence: Callable[[object], str]) -> None:
    """transformers would load it all the same, with a head made up at random."""
    assert "is a BertModel, which scores no pairs" in refused(minilm_folder(), sentence)


def test_a_model_of_several_scores(sentence: Callable[[object], str]) -> None:
    assert "gives 3 numbers a pair" in refused(cross_encoder_folder(n_labels=3), sentence)


def test_a_folder_without_weights_without_configuration_and_pickled(
    tmp_path: Path, sentence: Callable[[object], str]
) -> None:
    assert "no weights" in refused(tmp_path, sentence)
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    assert "a format that can run code" in refused(tmp_path, sentence)
    shutil.copy(cross_encoder_folder() / "model.safetensors", tmp_path)
    assert "no config.json that can be read" in refused(tmp_path, sentence)
    (tmp_path / "config.json").write_text("[1]")
    assert "no config.json that can be read" in refused(tmp_path, sentence)


def test_damaged_weights(tmp_path: Path, sentence: Callable[[object], str]) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "nan"
    shutil.copytree(cross_encoder_folder(), folder)
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = torch.full((1,), float("nan"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "gives some pairs no number" in refused(folder, sentence)
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])
    assert "cannot be loaded as a cross-encoder" in refused(folder, sentence)


@pytest.mark.parametrize("where", ["modules.json", "config.json"])
def test_code_that_comes_with_a_model_is_never_run(
    tmp_path: Path, where: str, sentence: Callable[[object], str]
) -> None:
    folder, ran = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(cross_encoder_folder(), folder)
    code = f"import pathlib\npathlib.Path({str(ran)!r}).touch()\n"
    (folder / "modeling_own.py").write_text(code + "class Own:\n    pass\n")
    if where == "modules.json":
        (folder / where).write_text('[{"idx": 0, "name": "0", "path": "", "type": "modeling_own.Own"}]')
    else:
        config = {"model_type": "own", "auto_map": {"AutoConfig": "modeling_own.Own"}}
        (folder / where).write_text(json.dumps({**config, "architectures": ["OwnForSequenceClassification"]}))
    if where == "config.json":
        assert "comes with code of its own, which the workbench never runs" in refused(folder, sentence)
    else:  # A cross-encoder has no use for the modules of an encoder: they are not looked at.
        reranker(model=str(folder)).score_pairs(PAIRS[:1])
    late = LateInteractionReranker(model=str(folder), device="cpu")
    with pytest.raises(ConfigurationError, match="comes with code of its own"):
        late.score_pairs(PAIRS[:1])
    assert not ran.exists()
