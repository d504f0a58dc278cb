"""A linear map of vectors, learnt over the base model's kept vectors: no text is embedded again."""

from __future__ import annotations

from pathlib import Path

from pipelines.records import FloatArray
from pipelines.training.adapter_maps import Maps, mapped, unit
from pipelines.training.adapter_search import Search
from pipelines.training.adapter_vectors import vectors_of
from pipelines.training.card import write_record
from pipelines.training.checkpoints import written
from pipelines.training.lesson import Lesson, Workshop
from pipelines.training.methods import AdapterTraining


def train_adapter(how: AdapterTraining, lesson: Lesson, folder: Path, workshop: Workshop) -> None:
    """Write the map into `folder`, with how its training went.

    The map that does best on the dev questions is taken, over strengths and steps, the base itself among them. Without
    dev questions it is the last one, at the strength that is asked for, or that cross-validation chooses.

    Raises:
        Cancelled: when `workshop.progress` does.
        DatasetError: when there are too few pairs.
        StorageError: when the disk is full or refuses.
    """
    search = Search(how, lesson, vectors_of(lesson), workshop)
    best = search.best()
    with written(folder, "keep the learnt map"):
        best.maps.save(folder)
        write_record(folder, search.record(best))
    workshop.note(search.summary(best))
    workshop.worked("train adapter", search.pairs_seen, search.seconds)


def adapted(vectors: FloatArray, folder: Path, *, queries: bool, blend: float) -> FloatArray:
    """Return vectors of length 1 as the map in `folder` maps them; those of a side that is not mapped as they are."""
    by = Maps.read(folder).blended(blend).of(queries=queries)
    return vectors if by is None else unit(mapped(vectors, by))
