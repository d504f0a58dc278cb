"""Retrieval over 10,000 to 500,000 chunks: seconds, and the memory that a search needs beyond what it searches.

The vectors are drawn around 500 centres, 384 numbers each, of length 1; the texts are 60 words of a vocabulary of
30,000 by Zipf's law; there are 500 questions, and 100 chunks are wanted for each. Every line comes of a process of its
own, whose greatest resident memory is read before and after the search. The filter leaves half of the chunks. How
the time grows is told by processor seconds, which other work on the machine disturbs less.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np

from pipelines.records import Candidates, Column, FloatArray
from pipelines.stages.filter import Asked
from pipelines.stages.filter.where import WhereFilter
from pipelines.stages.index.chroma import ChromaIndex
from pipelines.stages.index.exact import ExactIndex
from pipelines.stages.retrieve import Corpus, Lookup
from pipelines.stages.retrieve.bm25 import BM25Retriever

N_QUESTIONS, DEPTH, DIMENSIONS, N_CENTRES = 500, 100, 384, 500
N_WORDS, WORDS_A_CHUNK, WORDS_A_QUESTION = 30_000, 60, 8
EXACT, CHROMA, BM25 = (10_000, 100_000, 500_000), (10_000, 100_000), (10_000, 100_000)
WHERE = {"year": {"$gte": 2010}}
BOTH = {"$and": [WHERE, {"source": {"$nin": [f"source {i}" for i in range(0, 5_000, 2)]}}]}
_REPEATS = 3
Search = Callable[[Candidates], object]


def vectors(n: int, seed: int) -> FloatArray:
    """Unit vectors in clusters, made block by block so that making them needs little more than they do."""
    centres = np.random.default_rng(0).standard_normal((N_CENTRES, DIMENSIONS), dtype=np.float32)
    rng, rows = np.random.default_rng(seed), np.empty((n, DIMENSIONS), dtype=np.float32)
    for at in range(0, n, 10_000):
        part = rows[at : at + 10_000]
        rng.standard_normal(out=part, dtype=np.float32)
        part *= 0.7
        part += centres[rng.integers(0, N_CENTRES, len(part))]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def texts(n: int, words: int, seed: int) -> list[str]:
    """Texts of made-up words, the r-th of which occurs in proportion to 1 / r."""
    share = 1 / np.arange(1, N_WORDS + 1)
    bounds, rng = np.cumsum(share / share.sum()), np.random.default_rng(seed)
    drawn = np.searchsorted(bounds, rng.random((n, words))).tolist()
    return [" ".join(f"w{number}x" for number in row) for row in drawn]


def columns(n: int) -> dict[str, Column]:
    """A year of twenty and a source of five thousand for every chunk."""
    rng = np.random.default_rng(5)
    years, sources = tuple(range(2000, 2020)), tuple(f"source {i}" for i in range(5_000))
    return {
        "year": Column(rng.integers(0, 20, n, dtype=np.int32), years),
        "source": Column(rng.integers(0, 5_000, n, dtype=np.int32), sources),
    }


def candidates(n: int, where: dict[str, Any]) -> Candidates:
    """What the filter leaves."""
    return WhereFilter(where=where).candidates([Asked("", {})] * N_QUESTIONS, columns(n), n)


def exact(n: int) -> dict[str, float]:
    """Search exactly."""
    rows, asked = vectors(n, 1), vectors(N_QUESTIONS, 2)
    began = perf_counter()
    index = ExactIndex().open(rows, None)
    index.search(asked[:1], 1, None)
    opened = perf_counter() - began
    return {"open_s": opened, **_measured(n, lambda c: _by_groups(index, asked, c))}


def chroma(n: int) -> dict[str, float]:
    """Build a graph and search it."""
    rows, asked = vectors(n, 1), vectors(N_QUESTIONS, 2)
    with TemporaryDirectory() as folder:
        began = perf_counter()
        ChromaIndex().build(rows, Path(folder))
        built = perf_counter() - began
        index = ChromaIndex().open(rows, Path(folder))
        return {"build_s": built, **_measured(n, lambda c: _by_groups(index, asked, c))}


def bm25(n: int) -> dict[str, float]:
    """Index words and search them."""
    corpus, asked = texts(n, WORDS_A_CHUNK, 1), texts(N_QUESTIONS, WORDS_A_QUESTION, 2)
    before, began = _peak_mib(), perf_counter()
    searcher = BM25Retriever(depth=DEPTH).open(Corpus(corpus))
    opened = {"open_s": perf_counter() - began, "open_mib": _peak_mib() - before}
    return {**opened, **_measured(n, lambda c: searcher.search(Lookup(asked, c)))}


def _by_groups(index: Any, asked: FloatArray, allowed: Candidates) -> None:
    for rows, mask in allowed.groups():
        index.search(asked[rows], DEPTH, mask)


def _measured(n: int, search: Search) -> dict[str, float]:
    before = _peak_mib()
    plain, plain_cpu = _seconds(lambda: search(Candidates.everything(N_QUESTIONS, n)))
    left = candidates(n, WHERE)
    filtered, filtered_cpu = _seconds(lambda: search(left))
    return {
        "search_s": plain,
        "search_cpu_s": plain_cpu,
        "filtered_s": filtered,
        "filtered_cpu_s": filtered_cpu,
        "search_mib": _peak_mib() - before,
        "process_mib": _peak_mib(),
    }


def filtering(n: int) -> dict[str, float]:
    """Evaluate a condition on two fields by columns, and row by row over mappings as a vector store keeps them."""
    held = columns(n)
    _, by_columns = _seconds(lambda: WhereFilter(where=BOTH).candidates([Asked("", {})], held, n))
    year, source, out = held["year"], held["source"], frozenset(BOTH["$and"][1]["source"]["$nin"])
    part = range(min(n, 100_000))
    rows = [{"year": year[i], "source": source[i]} for i in part]
    _, loop = _seconds(lambda: [row["year"] >= 2010 and row["source"] not in out for row in rows])
    each = 1e6 * by_columns / n
    return {"us_a_chunk": each, "loop_over_columns": 1e6 * loop / len(part) / each}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the best of three timings, by the clock and in processor seconds: other work only ever adds."""
    clock, processor = [], []
    for _ in range(_REPEATS):
        began, began_cpu = perf_counter(), process_time()
        work()
        clock.append(perf_counter() - began)
        processor.append(process_time() - began_cpu)
    return min(clock), min(processor)


CHILDREN: dict[str, Callable[[int], dict[str, float]]] = {
    "exact": exact,
    "chroma": chroma,
    "bm25": bm25,
    "filtering": filtering,
}


def _child(what: str, n: int) -> dict[str, float]:
    """Measure in a process of its own, so that no other search's memory is counted."""
    command = [sys.executable, "-m", "benchmarks.scale", what, str(n)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=True, env=os.environ)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{what:10} {n:8,} " + "  ".join(f"{name} {value:.3g}" for name, value in found.items()), flush=True)
    return {name: round(value, 4) for name, value in found.items()}


def main() -> dict[str, Any]:
    """Measure all; return seconds, MiB, and how the seconds grow (1 is in proportion to the chunks, less is better)."""
    figures: dict[str, Any] = {}
    for what, sizes in (("exact", EXACT), ("chroma", CHROMA), ("bm25", BM25)):
        figures[what] = {str(n): _child(what, n) for n in sizes}
        for few, many in pairwise(sizes):
            one, other = figures[what][str(few)], figures[what][str(many)]
            for kind in ("search_cpu_s", "filtered_cpu_s"):
                figures[f"{what}_{kind.partition('_')[0]}_growth_{few}_to_{many}"] = round(
                    other[kind] / one[kind] / (many / few), 2
                )
    figures["filtering"] = _child("filtering", EXACT[-1])
    for name, value in figures.items():
        if "growth" in name:
            print(f"{name:48} {value:8.2f}")
    return figures


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(CHILDREN[sys.argv[1]](int(sys.argv[2]))))
    else:
        main()
