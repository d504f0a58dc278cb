"""How each kind of record is laid down in files: plain numpy arrays and JSON, nothing that can run code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
import numpy.typing as npt

from pipelines.cache import Codec
from pipelines.records import (
    Candidates,
    Chunks,
    Column,
    Documents,
    FloatArray,
    Marks,
    Metric,
    Paid,
    Queries,
    Rankings,
    Scores,
    Spent,
)
from pipelines.records.pairs import LeftOut, Passage, TrainingPair, TrainingPairs, Written
from pipelines.records.training import Training

T = TypeVar("T")

_MARK_ARRAYS = ("document", "start", "end")
_CHUNK_ARRAYS = ("document", "start", "end", "context_start", "context_end", "tokens")


class _Plain:
    """A file that numpy writes to by `write`: given the file itself it would leave out why a disk refused."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


def _put(folder: Path, **arrays: npt.NDArray[Any]) -> None:
    for name, array in arrays.items():
        with (folder / f"{name}.npy").open("wb") as file:
            np.lib.format.write_array(_Plain(file), array, allow_pickle=False)


def _get(folder: Path, name: str) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(folder / f"{name}.npy", allow_pickle=False)
    return array


def _put_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _get_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _put_columns(folder: Path, columns: Mapping[str, Column]) -> None:
    _put_json(folder / "columns.json", [{"name": name, "values": list(c.values)} for name, c in columns.items()])
    _put(folder, **{f"codes-{i}": column.codes for i, column in enumerate(columns.values())})


def _get_columns(folder: Path) -> dict[str, Column]:
    declared = _get_json(folder / "columns.json")
    return {c["name"]: Column(_get(folder, f"codes-{i}"), tuple(c["values"])) for i, c in enumerate(declared)}


def _save_documents(value: Documents, folder: Path) -> None:
    _put_json(folder / "documents.json", {"ids": value.ids, "texts": value.texts})
    _put_columns(folder, value.columns)
    _put_json(folder / "marks.json", [{"kind": kind, "values": m.value.values} for kind, m in value.marks.items()])
    for i, marks in enumerate(value.marks.values()):
        _put(folder, **{f"marks-{i}-{name}": getattr(marks, name) for name in _MARK_ARRAYS})
        _put(folder, **{f"marks-{i}-codes": marks.value.codes})


def _load_documents(folder: Path) -> Documents:
    raw = _get_json(folder / "documents.json")
    return Documents(tuple(raw["ids"]), tuple(raw["texts"]), _get_columns(folder), _get_marks(folder))


def _get_marks(folder: Path) -> dict[str, Marks]:
    found = {}
    kept = folder / "marks.json"  # What was kept before there were marks has none.
    for i, declared in enumerate(_get_json(kept) if kept.exists() else []):
        spans = {name: _get(folder, f"marks-{i}-{name}") for name in _MARK_ARRAYS}
        found[declared["kind"]] = Marks(
            **spans, value=Column(_get(folder, f"marks-{i}-codes"), tuple(declared["values"]))
        )
    return found


def _save_chunks(value: Chunks, folder: Path) -> None:
    _put(folder, **{name: getattr(value, name) for name in _CHUNK_ARRAYS})
    _put_columns(folder, value.columns)


def _load_chunks(folder: Path) -> Chunks:
    arrays = {name: _get(folder, name) for name in _CHUNK_ARRAYS}
    return Chunks(**arrays, columns=_get_columns(folder))


def _load_vectors(folder: Path) -> FloatArray:
    return _get(folder, "vectors")


def _save_scores(value: Scores, folder: Path) -> None:
    _put(folder, values=value.values, reason=value.reason)
    metrics = [[m.name, m.family, m.higher_is_better, m.unit] for m in value.metrics]
    _put_json(folder / "scores.json", {"metrics": metrics, "reasons": value.reasons})


def _load_scores(folder: Path) -> Scores:
    raw = _get_json(folder / "scores.json")
    metrics = tuple(Metric(*row) for row in raw["metrics"])
    return Scores(metrics, _get(folder, "values"), _get(folder, "reason"), tuple(raw["reasons"]))


def _save_queries(value: Queries, folder: Path) -> None:
    _put(folder, question=value.question)
    texts = {"texts": value.texts, "meant": value.meant, "passages": value.passages}
    _put_json(folder / "queries.json", {"n_questions": value.n_questions, "rrf_k": value.rrf_k, **texts})


def _load_queries(folder: Path) -> Queries:
    raw = _get_json(folder / "queries.json")
    passages = tuple(tuple(own) for own in raw["passages"])
    texts, meant = tuple(raw["texts"]), tuple(raw["meant"])
    return Queries(_get(folder, "question"), texts, raw["n_questions"], raw["rrf_k"], meant, passages)


_SPENT = ("calls", "prompt_tokens", "answer_tokens", "seconds", "usd")


def paid(codec: Codec[T]) -> Codec[Paid[T]]:
    """Return the codec of such an output with what its language model took."""

    def save(value: Paid[T], folder: Path) -> None:
        codec.save(value.value, folder)
        _put(folder, **{f"spent-{name}": getattr(value.spent, name) for name in _SPENT})

    def load(folder: Path) -> Paid[T]:
        return Paid(codec.load(folder), Spent(*(_get(folder, f"spent-{name}") for name in _SPENT)))

    return Codec(save, load)


QUERIES: Codec[Queries] = Codec(_save_queries, _load_queries)
_MORE_OF_CANDIDATES = ("level", "bonus", "agreement")


def _save_candidates(value: Candidates, folder: Path) -> None:
    more = {name: array for name in _MORE_OF_CANDIDATES if (array := getattr(value, name)) is not None}
    _put(folder, mask=value.mask, allowed=value.allowed, **more)


def _load_candidates(folder: Path) -> Candidates:
    """Read them without their notes, which the store keeps for every output."""
    level, bonus, agreement = (
        _get(folder, name) if (folder / f"{name}.npy").exists() else None for name in _MORE_OF_CANDIDATES
    )
    return Candidates(_get(folder, "mask"), _get(folder, "allowed"), level, bonus, agreement)


DOCUMENTS: Codec[Documents] = Codec(_save_documents, _load_documents)
CHUNKS: Codec[Chunks] = Codec(_save_chunks, _load_chunks)
VECTORS: Codec[FloatArray] = Codec(lambda v, folder: _put(folder, vectors=v), _load_vectors)
RANKINGS: Codec[Rankings] = Codec(
    lambda v, folder: _put(folder, chunk=v.chunk, score=v.score),
    lambda folder: Rankings(_get(folder, "chunk"), _get(folder, "score")),
)
CANDIDATES: Codec[Candidates] = Codec(_save_candidates, _load_candidates)
SCORES: Codec[Scores] = Codec(_save_scores, _load_scores)
NUMBERS: Codec[list[float]] = Codec(
    lambda v, folder: _put_json(folder / "numbers.json", v), lambda folder: list(_get_json(folder / "numbers.json"))
)


def _load_training(folder: Path) -> Training:
    names = tuple(_get_json(folder / "names.json"))
    return Training(names, _get(folder, "features"), _get(folder, "relevant"), _get(folder, "question"))


def _save_training(value: Training, folder: Path) -> None:
    _put_json(folder / "names.json", value.names)
    _put(folder, features=value.features, relevant=value.relevant, question=value.question)


TRAINING: Codec[Training] = Codec(_save_training, _load_training)


def _load_pairs(folder: Path) -> TrainingPairs:
    raw = _get_json(folder / "pairs.json")
    return TrainingPairs(tuple(map(_pair, raw["pairs"])), tuple(LeftOut(**one) for one in raw["left_out"]))


def _pair(raw: Mapping[str, Any]) -> TrainingPair:
    passages = {"positive": Passage(**raw["positive"]), "negatives": tuple(Passage(**one) for one in raw["negatives"])}
    return TrainingPair(**{**raw, **passages})


PAIRS: Codec[TrainingPairs] = Codec(
    lambda v, folder: _put_json(folder / "pairs.json", asdict(v)),
    _load_pairs,
)

WRITTEN: Codec[tuple[Written, ...]] = Codec(
    lambda v, folder: _put_json(folder / "written.json", [asdict(one) for one in v]),
    lambda folder: tuple(Written(**one) for one in _get_json(folder / "written.json")),
)
