"""The engine: pieces in order, each once, failures apart, memory let go; a batch's rows are those of single runs."""

from __future__ import annotations

import gc
import random
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.witness import details_bits
from pipelines import api, codecs
from pipelines.cache import Cache
from pipelines.errors import Cancelled, ConfigurationError, StorageError
from pipelines.execution import Execution, Node
from pipelines.pipeline import Pipeline
from pipelines.runs.claims import StoredClaims
from pipelines.runs.database import Database
from pipelines.runs.evaluate import evaluate
from pipelines.runs.record import Run
from pipelines.runs.store import RunStore
from pipelines.settings import cache_folder, database_url, runs_folder
from pipelines.sweeps.batch import Asked, Batch, Kept, On
from pipelines.sweeps.engine import Engine
from pipelines.sweeps.pieces import Graph, Piece

Numbers = Node[list[float]]
EMBED = {"use": "minilm", "precision": "float32", "backend": "torch", "device": "cpu"}


def node(key: str, *inputs: Node[Any], stage: str = "retrieve", work: Callable[..., Any] | None = None) -> Numbers:
    """One number: how many nodes it took."""
    return Node(stage, key, inputs, work or (lambda run: [1 + sum(run.get(one)[0] for one in inputs)]), codecs.NUMBERS)


def execution(tmp_path: Path, **options: Any) -> Execution:
    return Execution(Cache(tmp_path / "cache"), **options)


def two_chunkings() -> tuple[Numbers, list[Numbers]]:
    """One load, two chunkings, two rankings of each, in the order in which a grid asks for them."""
    load = node("load", stage="load")
    chunkings = [node(f"chunks-{name}", load, stage="chunk") for name in "ab"]
    return load, [node(f"{one.key}-{i}", one) for i in range(2) for one in chunkings]


def carried_out(run: Execution, nodes: list[Numbers], **options: Any) -> tuple[dict[str, str], list[Piece]]:
    done: list[Piece] = []
    graph = Graph(run.cache)
    graph.add(nodes)
    engine = Engine(run, told=lambda piece, _: done.append(piece), **options)
    return engine.carry_out(graph.pieces(), graph.shared()), done


def test_pieces_come_after_what_they_need_and_one_chunking_after_the_other(tmp_path: Path) -> None:
    _, wanted = two_chunkings()
    failed, done = carried_out(execution(tmp_path), wanted)
    assert not failed
    keys = [piece.key for piece in done]
    a, b = (["chunks-a", "chunks-a-0", "chunks-a-1"], ["chunks-b", "chunks-b-0", "chunks-b-1"])
    assert keys == ["load", *a, *b]
    assert [piece.group for piece in done] == [None, *["chunks-a"] * 3, *["chunks-b"] * 3]


def test_a_second_worker_begins_at_the_other_end(tmp_path: Path) -> None:
    _, wanted = two_chunkings()
    _, done = carried_out(execution(tmp_path), wanted, backwards=True)
    assert [piece.group for piece in done] == [None, *["chunks-b"] * 3, *["chunks-a"] * 3]


def test_what_is_in_the_store_and_what_hangs_on_it_alone_is_no_piece(tmp_path: Path) -> None:
    load, wanted = two_chunkings()
    carried_out(execution(tmp_path), wanted[:1])  # chunks-a-0, with chunks-a and load
    graph = Graph(Cache(tmp_path / "cache"))
    assert graph.add(wanted) == {"chunks-b-0", "chunks-a-1", "chunks-b-1"}
    assert [piece.key for piece in graph.pieces()] == ["chunks-b", "chunks-b-0", "chunks-a-1", "chunks-b-1"]
    assert graph.pieces()[0].needs == frozenset()  # the documents are there
    assert load.key in graph.shared()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sets(st.integers(0, 11), max_size=3), min_size=1, max_size=12))
def test_any_graph_is_done_once_each_and_in_order(tmp_path_factory: pytest.TempPathFactory, below: list[Any]) -> None:
    nodes: list[Numbers] = []
    for i, inputs in enumerate(below):
        stage = ("load", "chunk", "retrieve")[i % 3]
        nodes.append(node(f"n{i}", *(nodes[j] for j in sorted(inputs) if j < i), stage=stage))
    failed, done = carried_out(execution(tmp_path_factory.mktemp("graph")), nodes)
    assert not failed
    assert sorted(piece.key for piece in done) == sorted(one.key for one in nodes)
    at = {piece.key: place for place, piece in enumerate(done)}
    assert all(at[need] < at[piece.key] for piece in done for need in piece.needs)


def broken(error: Exception) -> Callable[[Execution], Any]:
    def work(run: Execution) -> Any:
        raise error

    return work


def test_a_piece_that_fails_fails_what_needs_it_and_nothing_else(tmp_path: Path) -> None:
    load = node("load", stage="load")
    bad = node("bad", load, stage="chunk", work=broken(ConfigurationError("There are no sentences here.")))
    good = node("good", load, stage="chunk")
    failed, done = carried_out(execution(tmp_path), [node("a", bad), node("b", node("c", bad)), node("d", good)])
    assert failed == dict.fromkeys(("bad", "a", "c", "b"), "There are no sentences here.")
    assert [piece.key for piece in done] == ["load", "good", "d"]


def test_a_bug_in_a_component_is_a_sentence_with_a_number(tmp_path: Path, sentence: Callable[[object], str]) -> None:
    failed, _ = carried_out(execution(tmp_path), [node("bad", work=broken(KeyError("no such key")))])
    assert "Something went wrong inside the workbench (error " in sentence(failed["bad"])
    assert "no such key" not in failed["bad"]


@pytest.mark.parametrize("error", [StorageError("The disk is full."), Cancelled("Stopped.")])
def test_a_full_disk_and_a_cancel_end_it_all_and_no_claim_is_kept(tmp_path: Path, error: Exception) -> None:
    claims = StoredClaims(Database(database_url()), "elsewhere:1:1.0")
    with pytest.raises(type(error)):
        carried_out(execution(tmp_path, claims=claims), [node("bad", work=broken(error)), node("other")])
    assert StoredClaims(Database(database_url()), "elsewhere:2:1.0").take("bad")


def test_it_looks_up_before_each_piece(tmp_path: Path) -> None:
    _, wanted = two_chunkings()
    run, seen = execution(tmp_path), 0

    def look_up() -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise Cancelled("Stopped.")

    graph = Graph(run.cache)
    graph.add(wanted)
    with pytest.raises(Cancelled):
        Engine(run).carry_out(graph.pieces(), graph.shared(), look_up)
    assert [run.cache.has(stage, key) for stage, key in (("chunk", "chunks-a"), ("retrieve", "chunks-a-0"))] == [
        True,
        False,
    ]


def test_what_a_finished_chunking_held_in_memory_is_let_go(tmp_path: Path) -> None:
    held: dict[str, weakref.ref[Any]] = {}
    alive: dict[str, bool] = {}

    def opened(name: str, *inputs: Node[Any]) -> Node[Any]:
        """A handle, as an opened index is: kept in memory, never stored."""

        def work(run: Execution) -> Any:
            array = np.zeros(8)
            held[name] = weakref.ref(array)
            return array

        return Node("index", f"opened-{name}", inputs, work)

    def ranking(name: str, chunks: Numbers) -> Numbers:
        handle, shared = opened(name, chunks), opened("shared")

        def work(run: Execution) -> list[float]:
            run.get(handle), run.get(shared)
            gc.collect()
            alive.update({f"{other} while {name}": ref() is not None for other, ref in held.items()})
            return [0.0]

        return Node("retrieve", f"ranking-{name}", (handle, shared), work, codecs.NUMBERS)

    load = node("load", stage="load")
    wanted = [ranking(name, node(f"chunks-{name}", load, stage="chunk")) for name in "ab"]
    failed, _ = carried_out(execution(tmp_path), wanted)
    assert not failed
    assert alive["a while a"]
    assert not alive["a while b"]
    assert alive["shared while b"]


@pytest.mark.parametrize("helps", [False, True], ids=["same-order", "from-the-other-end"])
def test_two_workers_over_one_store_do_each_piece_once(tmp_path: Path, helps: bool) -> None:
    database, worked = Database(database_url()), Counter[str]()

    def slow(key: str, *inputs: Numbers, stage: str = "retrieve") -> Numbers:
        def work(run: Execution) -> list[float]:
            worked[key] += 1
            time.sleep(0.03)  # long beside a claim: who waits for the store's lock looks again after a while
            return [1 + sum(run.get(one)[0] for one in inputs)]

        return node(key, *inputs, stage=stage, work=work)

    load = slow("load", stage="load")
    chunkings = [slow(f"chunks-{i}", load, stage="chunk") for i in range(4)]
    wanted = [slow(f"{one.key}-{k}", one) for one in chunkings for k in range(5)]
    shares: dict[str, list[Piece]] = {}
    failures: list[dict[str, str]] = []
    together = threading.Barrier(2)

    def one(worker: str, backwards: bool) -> None:
        together.wait(30)
        run = execution(tmp_path, claims=StoredClaims(database, worker))
        failed, shares[worker] = carried_out(run, wanted, backwards=backwards)
        failures.append(failed)
        assert [run.get(ranking) for ranking in wanted] == [[3.0]] * len(wanted)  # itself, its chunks, the load

    threads = [threading.Thread(target=one, args=(f"elsewhere:{i}:1.0", helps and i == 1)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == [{}, {}]
    assert worked == Counter(["load", *(one.key for one in chunkings), *(one.key for one in wanted)])
    assert all(shares.values())


GRID = [
    {
        "chunk": {"use": "sentence", "size": 16},
        "embed": EMBED,
        "retrieve": {"use": retriever, "depth": depth},
        "rerank": rerank,
        "filter": {"use": "where", "where": {"number": {"$gte": 2}}} if filtered else {"use": "none"},
        "score": {"use": "standard", "cutoffs": [1, 3, 5]},
    }
    for retriever in ("dense", "bm25", "hybrid")
    for depth in (3, 10)
    for rerank in ({"use": "none"}, {"use": "mmr", "depth": 5})
    for filtered in (False, True)
]


def compared(run: Run) -> tuple[Any, ...]:
    """All of a run that is no time."""
    metrics = [one for one in run.metrics if one.metric.family != "latency_ms"]
    return (metrics, run.label, run.configuration, run.settings, run.n_chunks, run.notes, list(run.stages))


def test_the_rows_of_a_batch_are_those_of_runs_one_by_one_to_the_bit(towns: Path, tmp_path: Path) -> None:
    dataset, store = api.open_dataset(towns), RunStore(Database(database_url()), runs_folder())
    asked = [Asked(i, Pipeline.parse(values), f"#{i}") for i, values in enumerate(GRID)]
    found: dict[int, str] = {}
    failures: dict[int, str] = {}
    run = Execution(Cache(cache_folder()))
    batch = Batch(asked, On(dataset, None), run, Kept(store, found.update, failures.__setitem__), time.time())
    batch.carry_out(Engine(run))
    assert not failures
    assert sorted(found) == list(range(len(GRID)))
    for one in random.Random(5).sample(asked, 8):
        alone = evaluate(one.pipeline, dataset, Cache(tmp_path / "alone"), name=one.name)
        kept = store.get(found[one.number])
        assert compared(kept) == compared(alone.run), one.pipeline.label()
        assert details_bits(store.details(kept.id)) == details_bits(alone.details), one.pipeline.label()


def test_a_configuration_that_fails_leaves_the_others_alone(towns: Path, sentence: Callable[[object], str]) -> None:
    dataset, store = api.open_dataset(towns), RunStore(Database(database_url()), runs_folder())
    filters = [{"use": "none"}, {"use": "where", "where": {"nmber": 3}}, {"use": "where", "where": {"number": 3}}]
    base = {"chunk": {"use": "fixed", "size": 16}, "retrieve": "bm25"}
    asked = [Asked(i, Pipeline.parse({**base, "filter": one}), f"#{i}") for i, one in enumerate(filters)]
    found: dict[int, str] = {}
    failures: dict[int, str] = {}
    run = Execution(Cache(cache_folder()))
    Batch(asked, On(dataset, None), run, Kept(store, found.update, failures.__setitem__), 0.0).carry_out(Engine(run))
    assert sorted(found) == [0, 2]
    assert list(failures) == [1]
    assert "Did you mean 'number'?" in sentence(failures[1])


def test_asked_for_again_a_batch_is_finished_before_any_work(towns: Path) -> None:
    dataset, store = api.open_dataset(towns), RunStore(Database(database_url()), runs_folder())
    asked = [Asked(7, Pipeline.parse({"chunk": {"use": "fixed", "size": 16}, "retrieve": "bm25"}), "#7")]
    found: list[dict[int, str]] = []
    for _ in range(2):
        run = Execution(Cache(cache_folder()))
        batch = Batch(asked, On(dataset, None), run, Kept(store, lambda one: found.append(dict(one)), print), 0.0)
        pieces = batch.pieces()
        batch.carry_out(Engine(run))
    assert not pieces
    assert found[0] == found[1]
    assert len(store.table(["recall@5"])) == 1
