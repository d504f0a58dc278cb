"""What an approximate index loses: the truly nearest chunks that it does not find."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines import codecs
from pipelines.execution import Execution, Node, node_key
from pipelines.plan import Plan
from pipelines.records import Rankings


def index_loss(plan: Plan, depth: int, k: int) -> Node[list[float]]:
    """Return, for every question, the share of the truly nearest `k` chunks that an approximate index finds first.

    It is asked for `depth` chunks, as the retriever asks it: a graph is searched the wider, the more is asked of it.
    The truth is exact search over the same vectors, in the same space, under the same filter, for the same query:
    the one that feedback has moved, where there is feedback.
    """
    twin = plan.pipeline.index.exact_twin()
    leaf = next(one for one in plan.pipeline.retrieve.leaves() if one.needs_vectors)
    inputs: tuple[Node[Any], ...] = (plan.index, plan.vectors, plan.query_vectors, plan.queries, plan.candidates)
    inputs += plan.fed_by(leaf)
    key = node_key("loss", [twin.fingerprint(), depth, k, *plan.feeding(leaf)], inputs)

    def work(run: Execution) -> list[float]:
        queries, candidates = run.get(plan.queries), run.get(plan.candidates)
        exact, index = twin.open(run.get(plan.vectors), None), run.get(plan.index)
        vectors = plan.aimed(run, leaf).vectors
        assert vectors is not None  # noqa: S101
        first = np.searchsorted(queries.question, np.arange(queries.n_questions))
        shares = np.zeros(queries.n_questions)
        for rows, allowed in candidates.groups():
            asked = vectors[first[rows]]
            shares[rows] = _shared(exact.search(asked, k, allowed), index.search(asked, depth, allowed).cut(k))
        return [float(share) for share in shares]

    return Node("score", key, inputs, work, codecs.NUMBERS)


def _shared(truth: Rankings, found: Rankings) -> list[float]:
    pairs = zip(truth.chunk, found.chunk, strict=True)
    return [_share({int(c) for c in t if c >= 0}, {int(c) for c in f}) for t, f in pairs]


def _share(truth: set[int], found: set[int]) -> float:
    return len(truth & found) / len(truth) if truth else 1.0
