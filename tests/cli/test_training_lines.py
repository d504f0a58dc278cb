"""What is written while a finetuning is watched: each point once, and a metric that comes after its step's loss too."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipelines import api
from pipelines.terminal.training import training_lines


def point(step: int, loss: float | None = None, dev: float | None = None) -> dict[str, Any]:
    return {"step": step, "steps": 36, "loss": loss, "dev": dev, "metric": "ndcg@10" if dev is not None else ""}


def test_a_metric_that_comes_after_the_loss_of_its_step_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    points = [point(3, 0.5)]
    monkeypatch.setattr(api, "finetuning_of_job", lambda job: SimpleNamespace(curves={"full": points}))
    monkeypatch.setattr(api, "job_log", lambda job, limit: [])
    tell, job = training_lines(), SimpleNamespace(id="j", active=False)
    for now in ([point(3, 0.5)], [point(3, 0.5, 0.875)], [point(3, 0.5, 0.875), point(6, 0.25)]):
        points[:] = now
        tell(job)  # type: ignore[arg-type]
        tell(job)  # type: ignore[arg-type]
    lines = capsys.readouterr().err.splitlines()
    told = ["step 3 of 36, loss 0.5", "step 3 of 36, loss 0.5, ndcg@10 on dev 0.875", "step 6 of 36, loss 0.25"]
    assert lines == [f"  full: {one}" for one in told]
