"""What a change would do: the bits of the run that is logged afterwards, nothing written, nothing costly computed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partialmethod
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from pipelines import api, whatif
from pipelines.cache import Cache
from pipelines.errors import ConfigurationError, NotFoundError
from pipelines.pipeline import Pipeline
from pipelines.progress import Keep, nothing
from pipelines.records import FloatArray
from pipelines.runs.evaluate import Evaluated, evaluate
from pipelines.settings import cache_folder
from pipelines.stages.chunk import Chunker
from pipelines.stages.embed import Embedded
from pipelines.stages.embed.sentence_transformer import SentenceTransformerEmbedder
from pipelines.stages.load import Loader
from pipelines.stages.rerank import Pair, PairReranker
from pipelines.whatif import CostlyChange, Origin, OutputsGone, WhatIf, forget_all

from .helpers import vectors, words

HYBRID: dict[str, Any] = {"retrieve": {"use": "hybrid", "depth": 12, "pool": 12}, "rerank": {"use": "mmr", "depth": 8}}
NORTH = {"use": "where", "where": {"number": {"$gte": 3}}}


def hybrid(**stages: Any) -> Pipeline:
    return vectors(**{name: {**HYBRID.get(name, {}), **stages.get(name, {})} for name in {*HYBRID, *stages}})


CHANGES = {
    "alpha": hybrid(retrieve={"alpha": 0.15}),
    "rrf_k": hybrid(retrieve={"rrf_k": 1}),
    "weighted": hybrid(retrieve={"fusion": "weighted", "alpha": 0.7}),
    "z-score": hybrid(retrieve={"fusion": "weighted", "normalisation": "z-score"}),
    "one list": hybrid(retrieve={"alpha": 1.0}),
    "deeper": hybrid(retrieve={"depth": 20}),
    "less deep": hybrid(retrieve={"depth": 3, "pool": 3}),
    "score cut-off": hybrid(retrieve={"min_score": 0.03}),
    "lambda": hybrid(rerank={"lambda_mult": 0.2}),
    "mmr's depth": hybrid(rerank={"depth": 4}),
    "no mmr": vectors(retrieve=HYBRID["retrieve"]),
    "filter": hybrid(filter=NORTH),
    "filter, alpha and lambda": hybrid(filter=NORTH, retrieve={"alpha": 0.9}, rerank={"lambda_mult": 0.5}),
    "words alone": vectors(retrieve={"use": "bm25", "b": 0.1}),
    "k": hybrid(score={"cutoffs": [1, 2, 7]}),
}


def logged(folder: Path, pipeline: Pipeline, **options: Any) -> Evaluated:
    return api.evaluate(pipeline, api.open_dataset(folder), **options)


@pytest.fixture
def session(towns: Path) -> WhatIf:
    return api.what_if(logged(towns, hybrid()).run.id)


@pytest.fixture(autouse=True)
def _none_open() -> None:
    forget_all()


@pytest.fixture(autouse=True)
def _hashed_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked here does not depend on the model: sums of a random vector a word stand in for its vectors."""

    def embed(self: object, texts: Sequence[str], progress: Any = None, *, fitted: Any = None, keep: Keep) -> Embedded:
        words_of = [[crc32(word.encode()) for word in text.lower().split()] or [0] for text in texts]
        sums = [sum(np.random.default_rng(word).normal(size=24) for word in row) for row in words_of]
        vectors = np.asarray(sums, dtype=np.float32).reshape(-1, 24)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        keep(np.arange(len(texts)), np.pad(vectors, ((0, 0), (0, 2)), constant_values=1))
        return Embedded(vectors)

    for name in ("embed_documents", "embed_queries"):
        monkeypatch.setattr(SentenceTransformerEmbedder, name, partialmethod(embed, keep=nothing))


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


# The same numbers ---------------------------------------------------------------------------------------------------


def test_each_change_gives_the_bits_of_the_run_that_is_logged_afterwards(session: WhatIf) -> None:
    for name, pipeline in CHANGES.items():
        answer = session.evaluate(pipeline)
        done = evaluate(pipeline, session.origin.dataset, Cache(cache_folder()))
        scores, kept = answer.now.scores, done.details.scores
        n = len(scores.metrics)
        assert scores.metrics == kept.metrics[:n], name
        assert scores.values.tobytes() == np.ascontiguousarray(kept.values[:, :n]).tobytes(), name
        assert answer.now.question_ids == done.details.question_ids
        for row in answer.comparison.rows:
            measured = done.run.measured(row.metric)
            assert measured is not None and (row.mean, row.n) == (measured.mean, measured.n), (name, row.metric)


def test_the_bits_do_not_depend_on_what_was_tried_before(session: WhatIf) -> None:
    first = {name: session.evaluate(p).now.scores.values.tobytes() for name, p in CHANGES.items()}
    assert len(set(first.values())) > 8, "hardly any change changes anything: this test could not fail"
    again = {name: session.evaluate(CHANGES[name]).now.scores.values.tobytes() for name in reversed(CHANGES)}
    fresh = {}
    for name, pipeline in CHANGES.items():
        forget_all()
        fresh[name] = WhatIf.open(session.origin, Cache(cache_folder())).evaluate(pipeline).now.scores.values.tobytes()
    assert first == again == fresh


def test_threads_wait_for_one_another_and_get_the_same(session: WhatIf) -> None:
    alone = [session.evaluate(p).now.scores.values.tobytes() for p in CHANGES.values()]
    forget_all()
    other = WhatIf.open(session.origin, Cache(cache_folder()))
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(lambda p: other.evaluate(p).now.scores.values.tobytes(), CHANGES.values()))
    assert together == alone


# The comparison -----------------------------------------------------------------------------------------------------


def test_the_runs_own_settings_change_nothing(towns: Path, session: WhatIf) -> None:
    answer = session.evaluate(hybrid(), ["recall@5", "context_tokens@5"])
    assert [(row.difference, row.wins, row.losses) for row in answer.comparison.rows] == [(0, 0, 0)] * 2
    assert answer.changed("recall@5") == ()
    assert answer.notes == ()


def test_it_is_compared_with_the_run_as_it_was(session: WhatIf) -> None:
    answer = session.evaluate(hybrid(retrieve={"depth": 1, "pool": 1}), ["recall@5"])
    run, row = session.origin.run, answer.comparison.rows[0]
    assert run is not None
    logged_mean = run.measured("recall@5")
    assert logged_mean is not None
    assert row.baseline_mean == logged_mean.mean
    assert row.n == 12  # thirteen questions, one of which nothing answers
    assert row.wins + row.ties + row.losses == 12
    assert row.low is not None and row.difference is not None and row.low <= row.difference
    assert answer.comparison.resamples == whatif.RESAMPLES
    changed = answer.changed("recall@5")
    assert len(changed) == row.wins + row.losses > 0
    assert [one.difference for one in changed] == sorted(one.difference or 0.0 for one in changed)


def test_another_k_is_scored_on_both_sides(session: WhatIf) -> None:
    row = session.evaluate(hybrid(score={"cutoffs": [7]}), ["recall@7"]).comparison.rows[0]
    assert row.difference == 0 and row.baseline_mean is not None


def test_a_run_that_was_logged_with_other_numbers_is_told(session: WhatIf) -> None:
    run = session.origin.run
    assert run is not None
    metrics = tuple(replace(one, mean=0.123) if one.metric.name == "mrr@5" else one for one in run.metrics)
    other = WhatIf.open(replace(session.origin, run=replace(run, metrics=metrics)), Cache(cache_folder()))
    assert ["mrr@5" in note and "as it was" in note for note in other.evaluate(hybrid()).notes] == [True]


def test_a_filter_that_leaves_nothing_is_told(session: WhatIf) -> None:
    answer = session.evaluate(hybrid(filter={"use": "where", "where": {"number": 99}}), ["recall@5", "gold_survival"])
    assert "removes all" in answer.notes[0]
    assert [row.mean for row in answer.comparison.rows] == [0, 0]


def test_a_score_that_nothing_reaches_is_told(session: WhatIf) -> None:
    assert session.evaluate(hybrid(retrieve={"min_score": 9.0})).notes == (
        "Nothing at all is found for 13 of 13 questions, where it was 0.",
    )


# Nothing costly, nothing written ------------------------------------------------------------------------------------


def test_nothing_is_written_and_nothing_costly_is_done(session: WhatIf, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("this is not to be computed")

    for owner, name in ((Loader, "read"), (Chunker, "chunk")):
        monkeypatch.setattr(owner, name, never)
    for name in ("embed_documents", "embed_queries"):
        monkeypatch.setattr(SentenceTransformerEmbedder, name, never)
    before = files(cache_folder())
    for pipeline in CHANGES.values():
        session.evaluate(pipeline)
    assert files(cache_folder()) == before
    assert len(api.runs(()).rows) == 1


@pytest.mark.parametrize(
    ("pipeline", "named"),
    [
        (hybrid(chunk={"use": "fixed", "size": 32}), "chunk, embed, index, retrieve, rerank, score would have to run"),
        (hybrid(embed={"use": "minilm", "precision": "bfloat16"}), "embed, index, retrieve, rerank, score would"),
        (hybrid(index={"use": "exact", "space": "l2"}), "index, retrieve, rerank, score would"),
    ],
)
def test_what_cannot_be_tried_names_what_would_have_to_run(
    session: WhatIf, pipeline: Pipeline, named: str, sentence: Callable[[object], str]
) -> None:
    with pytest.raises(CostlyChange) as raised:
        session.evaluate(pipeline)
    assert named in sentence(raised.value)


def test_vectors_that_were_never_computed_are_not_computed_here(towns: Path, sentence: Callable[[object], str]) -> None:
    session = api.what_if(logged(towns, words()).run.id)
    wanted = {"use": "dense", "depth": 5}
    with pytest.raises(CostlyChange) as raised:
        session.evaluate(words(retrieve=wanted))
    assert "embed would have to run" in sentence(raised.value)
    logged(towns, words(retrieve=wanted))
    assert session.evaluate(words(retrieve={**wanted, "depth": 7})).seconds > 0  # any run has brought them


class _ByLength(PairReranker):
    """The longer the chunk, the better; without a name, so that it is in no registry."""

    def pair_identity(self) -> Mapping[str, object]:
        return {"use": "by length"}

    def score_pairs(self, pairs: Sequence[Pair], progress: Any = None, *, keep: Keep = nothing) -> FloatArray:
        scores = np.asarray([[len(text)] for _, text in pairs], dtype=np.float32)
        keep(np.arange(len(pairs)), scores)
        return scores


def _by_length(depth: int, **retrieve: Any) -> Pipeline:
    return Pipeline({**hybrid(retrieve=retrieve).components, "rerank": _ByLength(depth=depth)})


def test_pairs_that_were_scored_are_looked_up_and_others_are_not_scored_here(session: WhatIf) -> None:
    with pytest.raises(CostlyChange, match="rerank would have to run"):
        session.evaluate(_by_length(6))
    done = evaluate(_by_length(6), session.origin.dataset, Cache(cache_folder()))
    for depth in (6, 3):
        now = session.evaluate(_by_length(depth)).now.scores.values
        assert (now.tobytes() == done.details.scores.values[:, : now.shape[1]].tobytes()) == (depth == 6)
    with pytest.raises(CostlyChange, match="rerank would have to run"):
        session.evaluate(_by_length(9))
    assert session.evaluate(hybrid()).notes == ()


def test_a_run_whose_pairs_are_gone_is_not_opened(session: WhatIf) -> None:
    origin = Origin(_by_length(6), session.origin.dataset)
    evaluate(origin.pipeline, origin.dataset, Cache(cache_folder()))
    assert WhatIf.open(origin, Cache(cache_folder())).evaluate(_by_length(2)).seconds > 0
    for gone in ("rerank", "score", "rows"):
        shutil.rmtree(cache_folder() / gone)
    with pytest.raises(OutputsGone, match="rerank would have to run"):
        WhatIf.open(origin, Cache(cache_folder()))


def test_a_field_that_does_not_exist(session: WhatIf, sentence: Callable[[object], str]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        session.evaluate(hybrid(filter={"use": "where", "where": {"numbr": 1}}))
    assert "Did you mean 'number'" in sentence(raised.value)
    assert session.evaluate(hybrid()).notes == ()


# Opening ------------------------------------------------------------------------------------------------------------


def test_a_run_whose_outputs_are_gone_is_not_opened(towns: Path, sentence: Callable[[object], str]) -> None:
    run = logged(towns, hybrid()).run
    shutil.rmtree(cache_folder())
    with pytest.raises(OutputsGone) as raised:
        api.what_if(run.id)
    assert "run it again" in sentence(raised.value)


def test_what_is_open_needs_no_store(session: WhatIf) -> None:
    shutil.rmtree(cache_folder())
    assert session.evaluate(CHANGES["alpha"]).seconds > 0


def test_a_dataset_that_was_changed_is_not_opened(session: WhatIf, towns: Path) -> None:
    assert session.origin.run is not None
    (towns / "dataset.yaml").write_text("name: towns\ndescription: other\n")
    with pytest.raises(NotFoundError, match="was changed after run"):
        api.what_if(session.origin.run.id)


def test_a_process_holds_the_two_that_were_used_last(towns: Path) -> None:
    runs = [logged(towns, words(retrieve={"use": "bm25", "depth": n})).run.id for n in (4, 5, 6)]
    first, second = api.what_if(runs[0]), api.what_if(runs[1])
    assert api.what_if(runs[0]) is first
    assert api.what_if(runs[2]) is not second
    assert api.what_if(runs[0]) is first
    assert api.what_if(runs[1]) is not second


def test_what_was_never_logged_can_be_opened_too(towns: Path) -> None:
    dataset = api.open_dataset(towns)
    evaluate(hybrid(), dataset, Cache(cache_folder()), split="dev")
    session = WhatIf.open(Origin(hybrid(), dataset, "dev"), Cache(cache_folder()))
    assert len(session.questions) == 6
    assert session.evaluate(CHANGES["lambda"]).comparison.split == "dev"


# Memory -------------------------------------------------------------------------------------------------------------


def test_memory_is_bounded_and_the_bits_are_not_touched(session: WhatIf) -> None:
    held = dict(session._execution._memory)
    free = [session.evaluate(p).now.scores.values.tobytes() for p in CHANGES.values()]
    assert len(session._execution._memory) > len(held) + 10
    session._execution.most_bytes = 0
    assert [session.evaluate(p).now.scores.values.tobytes() for p in CHANGES.values()] == free
    assert session._execution._memory.keys() == held.keys()
    assert all(session._execution._memory[key] is value for key, value in held.items())


def test_what_was_used_last_stays_longest(session: WhatIf) -> None:
    execution = session._execution
    for name in ("alpha", "rrf_k", "alpha"):
        session.evaluate(CHANGES[name])
    own = {n: session._plan(CHANGES[n]).scores for n in ("alpha", "rrf_k")}
    needed = {node.key for node in own["alpha"].upstream()}
    execution.most_bytes = sum(n for key, n in execution._latest.items() if key in needed)
    execution.trim()
    assert own["alpha"] in execution
    assert own["rrf_k"] not in execution
