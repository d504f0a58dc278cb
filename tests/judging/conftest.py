"""Two runs that cut the same documents differently, kept in the test's own home folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline


@dataclass(frozen=True)
class Judged:
    """A dataset with two runs."""

    folder: Path
    small: str
    large: str

    @property
    def dataset(self) -> Dataset:
        return Dataset.open(self.folder)


def evaluated(dataset: Dataset, size: int, name: str) -> str:
    pipeline = Pipeline.parse({"chunk": {"use": "fixed", "size": size}, "retrieve": {"use": "bm25"}})
    return api.evaluate(pipeline, dataset, name=name).run.id


@pytest.fixture
def two_runs(towns: Path) -> Judged:
    """`towns`, with windows of 16 and of 48 tokens."""
    dataset = Dataset.open(towns)
    return Judged(towns, evaluated(dataset, 16, "small"), evaluated(dataset, 48, "large"))
