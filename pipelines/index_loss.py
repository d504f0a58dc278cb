"""What an approximate index loses: the truly nearest chunks that it does not find."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines import codecs
from pipelines.execution import Execution, Node, node_key
from pipelines.planning.plan import Plan
from pipelines.records import Rankings


def loss_cuts(plan: Plan) -> tuple[int, ...]:
    """Return the k at which the loss of a pipeline's index is told: those of the score stage, within what is asked for.

    None where the index is exact, or where nothing searches it.
    """
    leaves = [leaf for leaf in plan.pipeline.retrieve.leaves() if leaf.needs_vectors]
    if plan.pipeline.index.exact or not leaves:
        return ()
    return tuple(k for k in plan.pipeline.score.ranks() if k <= leaves[0].depth)


def index_loss(plan: Plan) -> Node[list[float]]:
    """Return the share of the truly nearest k chunks that an approximate index finds first, for each of `loss_cuts`.

    The numbers of a question stand together, question by question. The index is asked for as many chunks as the
    retriever asks for: a graph is searched the wider, the more is asked of it. The truth is exact search over the same
    vectors, in the same space, under the same filter, for the same query: the one that feedback has moved, where there
    is feedback; of several queries of a question, the first.
    """
    twin, cuts = plan.pipeline.index.exact_twin(), loss_cuts(plan)
    leaf = next(one for one in plan.pipeline.retrieve.leaves() if one.needs_vectors)
    inputs: tuple[Node[Any], ...] = (plan.index, plan.vectors, plan.query_vectors, plan.queries, plan.candidates)
    inputs += plan.fed_by(leaf)
    key = node_key("loss", [twin.fingerprint(), leaf.asked_for(), list(cuts), *plan.feeding(leaf)], inputs)

    def work(run: Execution) -> list[float]:
        queries, candidates = run.get(plan.queries), run.get(plan.candidates)
        exact, index = twin.open(run.get(plan.vectors), None), run.get(plan.index)
        vectors = plan.aimed(run, leaf).vectors
        assert vectors is not None  # noqa: S101
        first = np.searchsorted(queries.question, np.arange(queries.n_questions))
        shares = np.zeros((queries.n_questions, len(cuts)))
        for rows, allowed in candidates.groups():
            asked = vectors[first[rows]]
            truth, found = exact.search(asked, cuts[-1], allowed), index.search(asked, leaf.asked_for(), allowed)
            shares[rows] = np.stack([shared(truth.cut(k), found.cut(k)) for k in cuts], axis=1)
        return [float(share) for share in shares.ravel()]

    return Node("score", key, inputs, work, codecs.NUMBERS)


def shared(truth: Rankings, found: Rankings) -> list[float]:
    """Return for every question the share of what is true that was found; 1 where nothing is to be found."""
    pairs = zip(truth.chunk, found.chunk, strict=True)
    return [_share({int(c) for c in t if c >= 0}, {int(c) for c in f}) for t, f in pairs]


def _share(truth: set[int], found: set[int]) -> float:
    return len(truth & found) / len(truth) if truth else 1.0
