"""A linear map of vectors, learnt from pairs over the base model's kept vectors: no text is embedded again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipelines.records import FloatArray
from pipelines.training.lesson import Lesson, Workshop
from pipelines.training.methods import AdapterTraining


def train_adapter(how: AdapterTraining, lesson: Lesson, folder: Path, workshop: Workshop) -> None:
    """Write the map into `folder`."""
    pairs = lesson.pairs.pairs
    asked = lesson.encode([one.question for one in pairs], queries=True)
    held = lesson.encode([one.positive.text for one in pairs], queries=False)
    width = asked.shape[1]
    identity = np.eye(width)
    gram = asked.T @ asked + max(how.stay, 1e-6) * identity
    found = np.linalg.solve(gram, asked.T @ held + max(how.stay, 1e-6) * identity)
    np.save(folder / "query.npy", found.astype(np.float32), allow_pickle=False)


def adapted(vectors: FloatArray, folder: Path, *, queries: bool, blend: float) -> FloatArray:
    """Return the mapped vectors, unit length; those of a side that is not mapped as they are."""
    path = folder / ("query.npy" if queries else "document.npy")
    if not path.exists() or blend == 0.0:
        return vectors
    learnt: FloatArray = np.load(path, allow_pickle=False)
    turned = vectors @ (np.float32(blend) * learnt + np.float32(1 - blend) * np.eye(len(learnt), dtype=np.float32))
    length = np.sqrt(np.einsum("ij,ij->i", turned, turned))[:, None]
    unit: FloatArray = (turned / np.maximum(length, np.float32(1e-12))).astype(np.float32)
    return unit
