"""The grid that the benchmark of sweeps runs, and the data that it runs on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.golden.write import write_dataset
from pipelines.records import Document
from pipelines.settings import REPOSITORY
from pipelines.sweeps.spec import SweepSpec

CHUNKING_EVALUATION = REPOSITORY.parent / "shared" / "data" / "chunking_evaluation"
CHUNKERS, SIZES, DEPTHS = ("fixed", "recursive", "sentence"), (128, 256), (5, 10, 20)
OBJECTIVE = "recall@5"


@dataclass(frozen=True)
class Field:
    """A condition on one metadata field, in Chroma's syntax: `{name: {operator: value}}`."""

    name: str
    operator: str
    value: Any

    @property
    def where(self) -> dict[str, Any]:
        """Return the condition."""
        return {self.name: {self.operator: self.value}}


@dataclass(frozen=True)
class Data:
    """A dataset with a condition that some of its documents meet, and what it is called in the figures."""

    what: str
    dataset: Dataset
    field: Field

    def spec(self, quick: bool = False) -> SweepSpec:
        """Return 3 chunkers x 2 sizes x dense, bm25, hybrid x 3 depths x none, MMR x none, filter: 216; quick: 16."""
        chunkers, sizes, depths = (CHUNKERS, SIZES, DEPTHS) if not quick else (CHUNKERS[:2], SIZES[1:], DEPTHS[1:2])
        retrievers = ["dense", "bm25"] if quick else ["dense", "bm25", "hybrid"]
        values = {
            "chunk": [{"use": name, "size": list(sizes)} for name in chunkers],
            "retrieve": {"use": retrievers, "depth": list(depths)},
            "rerank": ["none", "mmr"],
            "filter": ["none", {"use": "where", "where": self.field.where}],
            "search": {"strategy": "grid", "objectives": [OBJECTIVE]},
        }
        return SweepSpec.parse(values)


def data(folder: Path, bundled: bool = False) -> Data:
    """Return the chunking-evaluation corpora where they lie beside the checkout, else the bundled set."""
    if bundled or not CHUNKING_EVALUATION.is_dir():
        return Data("meridian, bundled", api.open_dataset("meridian"), Field("year", "$gte", 2022))
    api.import_golden("chroma-chunking", CHUNKING_EVALUATION, folder / "imported")
    read = api.open_dataset(folder / "imported")
    found = read.documents()
    # The corpora come without metadata: each document is given the name of its corpus, to filter on.
    documents = [Document(i, text, {"corpus": i}) for i, text in zip(found.ids, found.texts, strict=True)]
    path = write_dataset(folder / "corpora", documents, read.questions, name="chunking-evaluation")
    field = Field("corpus", "$in", ["finance", "pubmed", "wikitexts"])
    return Data("chunking-evaluation corpora", api.open_dataset(path), field)


def tiny(folder: Path, of: Data) -> Data:
    """Return a small part of a dataset, to load libraries and models with before a clock starts."""
    found = of.dataset.documents()
    met = of.field.value[0] if isinstance(of.field.value, list) else of.field.value
    documents = [Document(found.ids[i], found.texts[i][:3000], {of.field.name: met}) for i in range(4)]
    questions = [replace(question, evidence=()) for question in of.dataset.questions[:8]]
    path = write_dataset(folder / "tiny", documents, questions, name="tiny")
    return Data("tiny", api.open_dataset(path), of.field)
