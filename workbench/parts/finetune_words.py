"""Finetunings in words: of which kind, what was gained, how far one is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines import api
from pipelines.runs.jobs import Job
from pipelines.training.knobs import PairKnobs
from workbench import grids
from workbench.text import lasting, shortened

Entry = Mapping[str, Any]
WHERE = {
    "all": "All questions", "unseen": "Unseen documents", "seen": "Documents learnt from",
    "outside": "Outside the domain", "dev": "Dev, for comparison",
}  # fmt: skip
"""On which questions a gain was measured."""
_DOING = {
    "load": "reading documents", "chunk": "cutting documents", "embed": "embedding", "train": "training",
    "retrieve": "searching", "rerank": "reranking", "score": "scoring", "latency": "timing single questions",
}  # fmt: skip
VERDICTS = {"better": "▲ better", "worse": "▼ got worse", "no difference shown": "● not shown"}


def is_curve(view: api.FinetuneView) -> bool:
    """Return whether it is a learning curve."""
    return bool(view.job.payload.get("curve")) or (view.report or {}).get("kind") == "learning curve"


def kind(view: api.FinetuneView) -> str:
    """Return of which kind it is."""
    return "learning curve" if is_curve(view) else "finetuning"


def called(spec: api.FinetuneSpec) -> str:
    """Return what a finetuning is called where nobody names it: what is trained, and under which chunking."""
    found = [_called(one.pipeline.components) for one in spec.candidates]
    told = ", ".join(dict.fromkeys(found))
    return shortened(told if len(found) == 1 else f"{len(found):,} pipelines: {told}", 100)


def _called(components: Mapping[str, Any]) -> str:
    learning = [one for one in (components["embed"], components["rerank"]) if isinstance(one, PairKnobs)]
    parts = [f"{getattr(one, 'method', 'reranker')} on {Path(getattr(one, 'model', '')).name}" for one in learning]
    chunk = components["chunk"]
    return ", ".join([*parts, f"{chunk.name} {getattr(chunk, 'size', '')}".strip()])


def signed(value: float | None) -> str:
    """Return a difference of shares with its sign."""
    return grids.written(value, None, sign=True)


def interval(low: float | None, high: float | None) -> str | None:
    """Return the ends of the interval of a difference; None where there is none."""
    return None if low is None or high is None else f"{signed(low)} to {signed(high)}"


def how_far(job: Job) -> str:
    """Return in few words what is being done."""
    if job.state == "queued":
        return f"waiting for a worker, {lasting(max(0.0, time.time() - job.submitted))}"
    stage, done, total = (job.progress.get(name) for name in ("stage", "done", "total"))
    if not stage:
        return "reading the dataset"
    if stage == "report":
        return "comparing before and after"
    doing = _DOING.get(str(stage), str(stage))
    several, at = int(job.progress.get("trainings_total") or 0), int(job.progress.get("trainings_done") or 0)
    if stage == "train" and several > 1:
        doing = f"training {at + 1:,} of {several:,}, steps"
    return f"{doing}: {done:,} of {total:,}" if total else doing


def share_done(job: Job) -> float:
    """Return how much of the present step is done, in [0, 1]."""
    total = job.progress.get("total") or 0
    return min(1.0, job.progress.get("done", 0) / total) if total else 0.0


def gained(report: Entry | None) -> str | None:
    """Return what came of a finished one in a few words."""
    if not report:
        return None
    if report.get("kind") == "learning curve":
        return f"labelling more: {report['verdict']}"
    one = next((one for one in report.get("candidates", ()) if one["label"] == report.get("chosen")), None)
    gain = one["gains"]["all"][0] if one and one["gains"] else None
    if gain is None or gain["difference"] is None:
        return None
    ends = interval(gain["low"], gain["high"])
    told = f"{gain['metric']} {signed(gain['difference'])}{f' ({ends})' if ends else ''}, n {gain['n']:,}"
    return f"{VERDICTS.get(str(gain['verdict']), '')} · {told}"
