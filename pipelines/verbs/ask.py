"""The verb of a single question: what a pipeline finds for it, as a person asks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipelines.errors import ConfigurationError
from pipelines.execution import Execution, Watch, unwatched
from pipelines.golden.dataset import Dataset
from pipelines.live import Live
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import plan
from pipelines.records import PADDING, Chunks, MetadataValue
from pipelines.stages.filter import Asked
from pipelines.verbs.home import cache


@dataclass(frozen=True)
class Passage:
    """What one hit hands on: `text` is the document's from `start` to `end`, its context span.

    `rank` counts from 1; `tokens` are those of the context span; `metadata` are the chunk's, its page and section among
    them.
    """

    rank: int
    score: float
    document_id: str
    start: int
    end: int
    tokens: int
    text: str
    metadata: Mapping[str, MetadataValue]


@dataclass(frozen=True)
class Asking:
    """A question with the passages found for it, and how many of the chunks the filter let pass."""

    question: str
    passages: tuple[Passage, ...]
    n_chunks: int
    n_allowed: int
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def ask(
    pipeline: Pipeline,
    dataset: Dataset,
    question: str,
    *,
    k: int = 5,
    known: Mapping[str, MetadataValue] | None = None,
    watch: Watch = unwatched,
) -> Asking:
    """Return the first `k` passages for a question, in this process; what the cache lacks of the corpus is computed.

    `known` are the values that a `known` filter or boost goes by.

    Raises:
        ConfigurationError: for an empty question.
        WorkbenchError: for what the user can mend.
    """
    if not question.strip():
        raise ConfigurationError("The question is empty; write one, such as 'What did the board decide in March?'.")
    run = Execution(cache(), watch)
    live = Live.open(plan(pipeline, dataset, ()), run)
    given = dict(known or {})
    found = live.answer(question, given).cut(k)
    hits = found.chunk[0][found.chunk[0] != PADDING].tolist()
    documents = run.get(live.plan.documents)
    names, texts = documents.ids, live.chunks.context_texts(documents) if hits else []
    passages = tuple(
        _passage(live.chunks, i, rank, float(found.score[0, rank - 1]), names, texts[i])
        for rank, i in enumerate(hits, start=1)
    )
    allowed = live.sieve.candidates([Asked(question, given)])
    mask = int(allowed.mask[0])
    n_allowed = len(live.chunks) if mask == PADDING else int(np.count_nonzero(allowed.allowed[mask]))
    return Asking(question, passages, len(live.chunks), n_allowed, tuple(dict.fromkeys(run.notes)))


def _passage(chunks: Chunks, i: int, rank: int, score: float, names: tuple[str, ...], text: str) -> Passage:
    values = {name: column[i] for name, column in chunks.columns.items()}
    metadata = {name: value for name, value in values.items() if value is not None}
    start, end = int(chunks.context_start[i]), int(chunks.context_end[i])
    return Passage(rank, score, names[int(chunks.document[i])], start, end, int(chunks.tokens[i]), text, metadata)
