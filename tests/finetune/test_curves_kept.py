"""The curve of a training is in the store as it grows, each step once."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.finetune.schooling import kept_point
from pipelines.runs.curves import Curves
from pipelines.runs.database import Database
from pipelines.settings import database_url


def point(step: int, **measured: Any) -> dict[str, object]:
    nothing = {"loss": None, "learning_rate": None, "dev": None, "metric": ""}
    return {"step": step, "steps": 10, "epoch": 0.0, "seconds": 0.0, **nothing, **measured}


def test_points_are_kept_in_order_and_a_step_once() -> None:
    curves = Curves(Database(database_url()))
    for step in (1, 2, 3):
        curves.enter("a", point(step, loss=1.0 / step))
    curves.enter("a", point(3, dev=0.5, metric="ndcg@10"))
    curves.enter("a", point(2, loss=9.0))
    curves.enter("b", point(10, loss=0.1))
    found = Curves(Database(database_url())).of(["a", "b", "c"])
    assert list(found) == ["a", "b"]
    assert [one["step"] for one in found["a"]] == [1, 2, 3]
    assert found["a"][1]["loss"] == 9.0
    assert found["a"][2]["loss"] == 1.0 / 3
    assert found["a"][2]["dev"] == 0.5


def test_a_metric_that_comes_long_after_the_loss_of_its_step_does_not_replace_it() -> None:
    curves = Curves(Database(database_url()))
    curves.enter("a", point(3, loss=0.25))
    curves.flush()
    curves.enter("a", point(3, dev=0.5, metric="ndcg@10"))
    assert [(one["loss"], one["dev"]) for one in curves.of(["a"])["a"]] == [(0.25, 0.5)]
    curves.enter("a", point(3, loss=0.75))
    curves.flush()
    assert [(one["loss"], one["dev"]) for one in curves.of(["a"])["a"]] == [(0.75, 0.5)]


def test_what_was_entered_is_there_at_once_where_a_metric_was_measured() -> None:
    curves = Curves(Database(database_url()))
    curves.enter("a", point(1, loss=1.0))
    curves.enter("a", point(2, dev=0.3, metric="ndcg@10"))
    assert [one["step"] for one in curves.of(["a"])["a"]] == [1, 2]


@pytest.mark.parametrize(("method", "step"), [("adapter", 0), ("full", 8), ("finetuned", 8)])
def test_the_base_is_kept_of_a_map_alone_however_bad_the_weights_that_were_trained_are(method: str, step: int) -> None:
    points = [point(0, dev=0.7), point(2, loss=0.1), point(4, dev=0.5), point(8, dev=0.6)]
    assert kept_point(points, method)["step"] == step
    assert kept_point([point(2, loss=0.1)], method) == {}
