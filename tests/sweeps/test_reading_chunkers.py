"""Chunkers for which a model reads: estimated without reading, read once for all knobs, changed on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipelines import api
from pipelines.pipeline import Pipeline
from pipelines.stages.embed import Embedded
from pipelines.stages.embed.sentence_transformer import SentenceTransformerEmbedder

CHUNKS = [
    {"use": "semantic", "breakpoint": [50, 90], "size": 32},
    {"use": "cluster", "piece": 16, "size": [32, 64]},
    {"use": "sentence-window"},
    {"use": "parent", "size": 16, "parent_size": 64},
]


def spec() -> api.SweepSpec:
    """Six chunkings by words."""
    settings = {"chunk": CHUNKS, "retrieve": "bm25", "search": {"strategy": "grid", "objectives": ["recall@2000tok"]}}
    return api.SweepSpec.parse(settings)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All texts that the model is given, in the order in which it gets them."""
    texts: list[str] = []
    plain = SentenceTransformerEmbedder.embed_documents

    def embed(self: SentenceTransformerEmbedder, some: Sequence[str], *more: object, **named: object) -> Embedded:
        texts.extend(some)
        return plain(self, some, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(SentenceTransformerEmbedder, "embed_documents", embed)
    return texts


def test_an_estimate_counts_what_is_to_be_read_and_a_sweep_reads_it_once(
    home: Path, towns: Path, read: list[str]
) -> None:
    dataset = api.open_dataset(towns)
    before = api.preflight(spec(), dataset)
    assert read == []
    assert not before.exact
    assert before.n_chunkings == 6
    runs = [
        api.evaluate(Pipeline.parse({"chunk": {**chunk, name: value}, "retrieve": "bm25"}), dataset).run
        for chunk, name, values in ((CHUNKS[0], "breakpoint", (50, 90)), (CHUNKS[1], "size", (32, 64)))
        for value in values
    ]
    assert len(read) == len(set(read)) == before.n_to_embed
    assert len({run.n_chunks for run in runs[:2]}) == 2
    after = api.preflight(spec(), dataset)
    assert after.exact
    assert after.n_to_embed == 0


def test_what_is_handed_on_is_what_is_scored(home: Path, towns: Path) -> None:
    dataset = api.open_dataset(towns)
    narrow, wide = (
        api.evaluate(Pipeline.parse({"chunk": {"use": "sentence-window", "window": n}, "retrieve": "bm25"}), dataset)
        for n in (0, 20)
    )
    assert narrow.run.n_chunks == wide.run.n_chunks
    tokens = [run.run.measured("context_tokens@1") for run in (narrow, wide)]
    assert tokens[1].mean > 4 * tokens[0].mean  # type: ignore[union-attr,operator]
    recalls = [run.run.measured("recall@1") for run in (narrow, wide)]
    assert recalls[1].mean == 1.0 or recalls[1].mean >= recalls[0].mean  # type: ignore[union-attr,operator]


@pytest.mark.parametrize(
    "chunk", [{"use": "semantic", "breakpoint": 50}, {"use": "parent"}], ids=["semantic", "parent"]
)
def test_such_a_run_is_opened_for_changes_on_the_spot(home: Path, towns: Path, chunk: dict[str, object]) -> None:
    made = api.evaluate(Pipeline.parse({"chunk": chunk, "retrieve": "bm25"}), api.open_dataset(towns)).run
    opened = api.what_if(made.id)
    answer = opened.evaluate(Pipeline.parse({**made.settings, "retrieve": {"use": "bm25", "b": 0.1}}))
    assert answer.comparison is not None
