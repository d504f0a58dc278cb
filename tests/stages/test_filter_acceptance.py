"""On the bundled set's filter-dependent questions what is read is as good as what is labelled, and far above none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.cache import Cache
from pipelines.execution import Execution
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import plans
from pipelines.settings import REPOSITORY


@pytest.fixture(scope="module")
def recalls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    dataset = Dataset.open(Path(REPOSITORY) / "datasets" / "meridian")
    questions = [q for q in dataset.select(None) if "filter-dependent" in q.tags]
    names = ("none", "known", "inferred", "boost")
    pipelines = [Pipeline.parse({"filter": name, "retrieve": "bm25"}) for name in names]
    run = Execution(Cache(tmp_path_factory.mktemp("cache")))
    found = dict(zip(names, (run.get(p.scores) for p in plans(pipelines, dataset, questions)), strict=True))
    test = np.asarray([q.split == "test" for q in questions])
    return {"test": test, **{name: scores.column("recall@5") for name, scores in found.items()}}


@pytest.mark.parametrize("split", ["all", "test"])
def test_inferred_comes_up_to_known(recalls: dict[str, np.ndarray], split: str) -> None:
    rows = recalls["test"] if split == "test" else slice(None)
    none, known, inferred, boost = (recalls[name][rows].mean() for name in ("none", "known", "inferred", "boost"))
    assert abs(known - inferred) <= 0.03
    assert min(known, inferred) - none >= 0.15
    assert boost - none >= 0.15
