"""Losses as executions of a plan: the fragments once a chunking, what became of them once a configuration."""

from __future__ import annotations

from pipelines.execution import Execution, Node, node_key
from pipelines.losses.attribution import Lists, attributed
from pipelines.losses.fates import Fates
from pipelines.losses.fragments import Fragments
from pipelines.planning.plan import Plan
from pipelines.stages.score import Scorer


def cuts_of(scorer: Scorer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the numbers of chunks and the token budgets at which a scorer cuts; none where it has no such knobs."""
    return tuple(getattr(scorer, "cutoffs", ())), tuple(getattr(scorer, "budgets_tokens", ()))


def fragments(plan: Plan) -> Node[Fragments]:
    """Return the evidence cut by the chunks: held in memory, for all configurations of one chunking."""
    inputs = (plan.gold, plan.chunks)
    key = node_key("fragments", "", inputs)
    return Node("score", key, inputs, lambda run: Fragments.of(run.get(plan.gold), run.get(plan.chunks)))


def fates(plan: Plan) -> Node[Fates]:
    """Return what became of the evidence of every question at every cut of the scorer."""
    cut, cuts = fragments(plan), cuts_of(plan.pipeline.score)
    inputs = (cut, plan.chunks, plan.candidates, plan.before_rerank, plan.rankings)

    def work(run: Execution) -> Fates:
        after = run.get(plan.rankings)
        before = after if plan.pipeline.rerank.identity else run.get(plan.before_rerank)
        return attributed(run.get(cut), run.get(plan.candidates), Lists(before, after, *cuts), run.get(plan.chunks))

    return Node("score", node_key("fates", list(map(list, cuts)), inputs), inputs, work)
