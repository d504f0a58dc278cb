"""What is kept by text: a text is embedded once, and a pair of texts scored once, a model, wherever they occur."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.component import digest
from pipelines.execution import Execution
from pipelines.progress import Keep
from pipelines.records import BoolArray, FloatArray, LongArray, Rankings
from pipelines.rows import Rows, remembered, text_key
from pipelines.stages.embed import Embedder
from pipelines.stages.rerank import PairReranker, Retrieved, pairs_of


@dataclass(frozen=True)
class Encoding:
    """One model as it embeds documents or queries: `fitted` is what was made from the corpus for it, under `key`.

    `stage` is where it is at work: a chunker reads sentences by it, to find out where to cut.
    """

    embedder: Embedder
    fitted: Path | None
    key: str
    queries: bool
    stage: str = "embed"

    @property
    def space(self) -> str:
        """Return the name of the vectors' space: equal names, equal vectors for equal texts."""
        what, beneath = "query vectors" if self.queries else "vectors", self.embedder.beneath()
        return digest({"what": what, "by": beneath.fingerprint(), "fitted": self.key if beneath.fits() else ""})

    def vectors(self, run: Execution, texts: Sequence[str]) -> FloatArray:
        """Return one vector a text, float32 [n_texts, dimensions]; what other chunkings embedded is looked up."""
        return self.embedder.shape(self._kept(run, texts), queries=self.queries, fitted=self.fitted)

    def _kept(self, run: Execution, texts: Sequence[str]) -> FloatArray:
        beneath = self.embedder.beneath()
        embed = beneath.embed_queries if self.queries else beneath.embed_documents

        def compute(missing: LongArray, keep: Keep) -> None:
            started, new = time.perf_counter(), [texts[i] for i in missing]
            found = embed(new, run.progress(self.stage), fitted=self.fitted, keep=keep)
            if found.note:
                run.note(found.note)
            run.on_worked(work_name(beneath), sum(map(len, new)), time.perf_counter() - started)

        rows = remembered(_rows(run, self.space), [text_key(text) for text in texts], compute)
        if len(rows) == 0:
            return embed([], fitted=self.fitted).vectors
        self._tell_of_cuts(run, rows)
        return np.ascontiguousarray(rows[:, :-2])

    def known(self, run: Execution, texts: Sequence[str]) -> BoolArray:
        """Return which texts have a vector already, bool [n_texts]."""
        return _rows(run, self.space).known([text_key(text) for text in texts])

    def _tell_of_cuts(self, run: Execution, rows: FloatArray) -> None:
        """Note how many texts were longer than the model reads: the last two columns are their length and its own."""
        cut = int((rows[:, -2] > rows[:, -1]).sum())
        if cut and not self.queries and self.stage == "embed":
            run.note(
                f"{cut} of {len(rows)} chunks are longer than the {int(rows[0, -1])} tokens that "
                f"{self.embedder.name} reads: what lies beyond was not embedded."
            )


def work_name(embedder: Embedder) -> str:
    """Return what the pace of embedding is kept under, characters a second: the model, and how it is computed."""
    actual = embedder.resolved()
    how = [str(getattr(actual, name)) for name in ("model", "backend", "precision", "device") if hasattr(actual, name)]
    return " ".join(["embed", actual.name, *how])[:200]


def _rows(run: Execution, space: str) -> Rows:
    return Rows(run.cache.root / "rows", space, run.cache.on_damage)


def reranked_by_pairs(run: Execution, reranker: PairReranker, retrieved: Retrieved) -> Rankings:
    """Return what `reranker` makes of the rankings; pairs that were scored before, in any pipeline, are looked up."""
    pairs = pairs_of(retrieved, reranker.depth)

    def compute(missing: LongArray, keep: Keep) -> None:
        reranker.score_pairs([pairs[i] for i in missing], run.progress("rerank"), keep=keep)

    space = digest({"what": "pairs", "by": dict(reranker.pair_identity())})
    scores = remembered(_rows(run, space), [text_key(*pair) for pair in pairs], compute)
    return reranker.ranked(retrieved, scores)
