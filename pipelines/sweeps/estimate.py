"""What a sweep will cost, before it is begun: configurations, distinct work, what is there already, seconds, disk."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.cache import Cache
from pipelines.errors import WorkbenchError
from pipelines.execution import Execution, Node, upstream
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import plans
from pipelines.runs.measure import Evaluation
from pipelines.runs.store import RunStore
from pipelines.sweeps.batch import Batch, On
from pipelines.sweeps.bill import Reckoning
from pipelines.sweeps.unread import Unread
from pipelines.sweeps.workloads import RUN, Sizes, Workload, workloads

_USUAL_DIMENSIONS = 384
_BYTES_A_HIT, _BYTES_A_VALUE, _BYTES_A_RUN = 24, 20, 60_000
_N_METRICS = 100


@dataclass(frozen=True)
class StageEstimate:
    """The distinct executions of one stage: how many, how many of them are stored, and what the rest will take.

    `seconds` is None, with `unknown` naming the work, where this machine was never measured at it.
    """

    stage: str
    n: int
    n_stored: int
    seconds: float | None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """A sweep before it is begun.

    `n_runs_there` are configurations whose run is there already. `n_executions` are distinct after sharing, out of
    `n_unshared`; `n_stored` of them are in the store. `n_chunks` counts over all chunkings, `n_to_embed` distinct texts
    that have no vector yet. `exact` tells whether these were counted, or scaled up from a part of the corpus. `tokens`
    and `usd` are what language models will take at most.
    """

    n_configurations: int
    sampled: bool
    n_runs_there: int
    n_executions: int
    n_unshared: int
    n_stored: int
    n_chunkings: int
    n_chunks: int
    n_to_embed: int
    exact: bool
    seconds: float | None
    unknown: tuple[str, ...]
    tokens: int
    usd: float | None
    usd_reason: str | None
    disk_bytes: int
    disk_free_bytes: int
    workers: int
    stages: tuple[StageEstimate, ...]
    refused: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


def batch_workloads(batch: Batch) -> dict[str, Workload]:
    """Return the work that each piece of a batch is, by key."""
    if not batch.evaluations:
        return {}
    sizes = Sizes(batch.n_chars(), {})
    found: dict[str, Workload] = {}
    for _, evaluation in batch.evaluations:
        found.update({node.key: work for node, work in workloads(evaluation, sizes, batch.graph.cache)})
    return found


def estimate(
    configurations: Sequence[Mapping[str, Any]],
    on: On,
    cache: Cache,
    runs: RunStore,
    pace: Mapping[str, float],
    *,
    sampled: bool = False,
    workers: int = 1,
) -> Estimate:
    """Return what evaluating these settings would cost; `sampled` says that they stand for proposals not yet made.

    The corpus is read, and cut by every chunker unless it is large: both are kept like any stage's output.

    Raises:
        WorkbenchError: when the documents cannot be read.
    """
    pipelines, refused = _built(configurations)
    known = runs.by_identity([on.identity(one) for one in pipelines])
    left = [one for one in pipelines if on.identity(one) not in known]
    run = Execution(cache)
    evaluations = [Evaluation(plan, on.split, None, on.seed) for plan in plans(left, on.dataset, on.questions())]
    unread = Unread(evaluations, run)
    reading = unread.by_chunkers
    sizes = _sizes(evaluations, run, unread)
    works = {node.key: (node, work) for one in evaluations for node, work in workloads(one, sizes, cache)}
    to_embed = unread.of_chunks(sizes)
    counted = {**reading, **to_embed}
    n_unshared = sum(_n_kept(one) for one in evaluations)
    bill = Reckoning(cache, sizes).bill([one.plan for one in evaluations])
    stages = _by_stage(works, cache, pace, counted)
    unknown = tuple(dict.fromkeys(what for stage in stages for what in stage.unknown))
    seconds = sum(stage.seconds or 0.0 for stage in stages) + len(left) * pace.get(RUN, 0.0)
    return Estimate(
        n_configurations=len(pipelines),
        sampled=sampled,
        n_runs_there=len(pipelines) - len(left),
        n_executions=sum(stage.n for stage in stages),
        n_unshared=n_unshared,
        n_stored=sum(stage.n_stored for stage in stages),
        n_chunkings=len({one.plan.cut.key for one in evaluations}),
        n_chunks=sum({one.plan.cut.key: sizes.chunks(one.plan, cache) for one in evaluations}.values()),
        n_to_embed=sum(n for n, _ in counted.values()),
        exact=all(unread.quickly_cut(one.plan) for one in evaluations),
        seconds=None if unknown and left else seconds / max(1, workers),
        unknown=unknown if left else (),
        tokens=bill.tokens,
        usd=bill.usd,
        usd_reason=bill.usd_reason,
        disk_bytes=_disk(evaluations, works, cache, sizes, to_embed)
        + 4 * _USUAL_DIMENSIONS * sum(n for n, _ in reading.values()),
        disk_free_bytes=shutil.disk_usage(_existing(cache.root)).free,
        workers=workers,
        stages=stages,
        refused=tuple(refused),
    )


def _built(configurations: Sequence[Mapping[str, Any]]) -> tuple[list[Pipeline], list[str]]:
    pipelines: list[Pipeline] = []
    refused: dict[str, None] = {}
    for i, settings in enumerate(configurations):
        try:
            pipelines.append(Pipeline.parse(settings, f"configuration {i}"))
            for component in pipelines[-1].components.values():
                component.fingerprint()
        except WorkbenchError as error:
            refused[str(error)] = None
    return pipelines, list(refused)


def _sizes(evaluations: Sequence[Evaluation], run: Execution, unread: Unread) -> Sizes:
    """Cut the documents by every chunker where that is a matter of seconds."""
    sizes = Sizes(unread.n_chars, {})
    for plan in (one.plan for one in evaluations):
        if unread.quickly_cut(plan) and plan.cut.key not in sizes.n_chunks:
            sizes.n_chunks[plan.cut.key] = len(run.get(plan.cut))
    return sizes


def _n_kept(evaluation: Evaluation) -> int:
    return sum(node.codec is not None for node in upstream(evaluation.needs))


def _by_stage(
    works: Mapping[str, tuple[Node[Any], Workload]],
    cache: Cache,
    pace: Mapping[str, float],
    to_embed: Mapping[str, tuple[int, int]],
) -> tuple[StageEstimate, ...]:
    stages = dict.fromkeys(node.stage for node, _ in works.values())
    return tuple(
        _stage(stage, [both for both in works.values() if both[0].stage == stage], cache, pace, to_embed)
        for stage in stages
    )


def _stage(
    stage: str,
    works: Sequence[tuple[Node[Any], Workload]],
    cache: Cache,
    pace: Mapping[str, float],
    to_embed: Mapping[str, tuple[int, int]],
) -> StageEstimate:
    works = [(node, work) for node, work in works if node.codec is not None]
    missing = [(node, work) for node, work in works if not cache.has(stage, node.key)]
    units = [(work.what, to_embed[node.key][1] if node.key in to_embed else work.units) for node, work in missing]
    unknown = tuple(dict.fromkeys(what for what, n in units if what not in pace and n))
    seconds = sum(n * pace.get(what, 0.0) for what, n in units)
    return StageEstimate(stage, len(works), len(works) - len(missing), None if unknown else seconds, unknown)


def _disk(
    evaluations: Sequence[Evaluation],
    works: Mapping[str, tuple[Node[Any], Workload]],
    cache: Cache,
    sizes: Sizes,
    to_embed: Mapping[str, tuple[int, int]],
) -> int:
    """Return about how many bytes will be written: vectors twice (by chunking and by text), rankings, scores, runs."""
    chunkings = {one.plan.vectors.key: one.plan for one in evaluations if one.plan.vectors.key in to_embed}
    rows = sum(sizes.chunks(plan, cache) + to_embed[key][0] for key, plan in chunkings.items())
    missing = [node for node, _ in works.values() if node.codec is not None and not cache.has(node.stage, node.key)]
    n_questions = len(evaluations[0].plan.questions) if evaluations else 0
    n_rankings = sum(node.stage in ("retrieve", "rerank") for node in missing) + len(evaluations)
    depth = max((one.plan.pipeline.retrieve.depth for one in evaluations), default=0)
    scores = len(evaluations) * n_questions * _N_METRICS * _BYTES_A_VALUE
    hits = n_rankings * n_questions * depth * _BYTES_A_HIT
    return 4 * _USUAL_DIMENSIONS * rows + hits + scores + _BYTES_A_RUN * len(evaluations)


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
