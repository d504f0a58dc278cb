"""Every embedder, on a few dozen sentences."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.errors import Cancelled
from pipelines.progress import silent
from pipelines.stages.embed import Embedded, Embedder
from pipelines.stages.embed.endpoint import EndpointEmbedder
from pipelines.stages.embed.finetuned import FinetunedEmbedder
from pipelines.stages.embed.static import StaticEmbedder

from .registry import build, registered
from .served import reached
from .trained import learnt

MORE = ({"adapter_side": "both"}, {"method": "full"}, {"method": "full", "blend": 0.5}, {"blend": 0.0})


@dataclass(frozen=True)
class Subject:
    """A component with knobs that make it another embedder."""

    component: type[Embedder]
    knobs: Mapping[str, Any]

    @property
    def model_fields(self) -> Mapping[str, Any]:
        return self.component.model_fields

    def build(self, **settings: Any) -> Any:
        return build(self.component, **{**reached(self.component), **self.knobs, **settings})

    @property
    def n_marks(self) -> int:
        """How many tokens mark the ends of a text."""
        return 0 if self.component is EndpointEmbedder else 2


class ready:  # noqa: N801
    """An embedder that is handed what it learnt, where it learns."""

    def __init__(self, subject: Subject, **settings: Any) -> None:
        self._one = subject.build(**settings)
        self._fitted = learnt(self._one)

    def embed_documents(self, texts: Any, progress: Any = silent, **more: Any) -> Embedded:
        return self._one.embed_documents(texts, progress, fitted=self._fitted, **more)

    def embed_queries(self, texts: Any, progress: Any = silent, **more: Any) -> Embedded:
        return self._one.embed_queries(texts, progress, fitted=self._fitted, **more)


EVERY = [
    *(pytest.param(Subject(one.values[0], {}), id=one.id) for one in registered("embed")),
    *(pytest.param(Subject(FinetunedEmbedder, knobs), id=f"finetuned {knobs}") for knobs in MORE),
]
DOCUMENTS = Path(__file__).parents[2] / "datasets" / "meridian" / "documents.jsonl"


def sentences(n: int) -> list[str]:
    """Sentences of the bundled dataset."""
    texts = [json.loads(line)["text"] for line in DOCUMENTS.read_text(encoding="utf-8").splitlines()]
    found = [part.strip() for text in texts[:6] for part in text.split(". ") if 20 < len(part) < 160]
    return list(dict.fromkeys(found))[:n]


TEXTS = sentences(16)


@pytest.mark.parametrize("component", EVERY)
def test_shape_type_and_unit_length(component: Subject) -> None:
    embedded = ready(component, precision="float32", device="cpu").embed_documents(TEXTS)
    assert embedded.vectors.dtype == np.float32
    assert embedded.vectors.shape[0] == len(TEXTS)
    assert np.all(np.isfinite(embedded.vectors))
    if "normalize" in component.model_fields:
        assert np.allclose(np.linalg.norm(embedded.vectors, axis=1), 1, atol=1e-6)
        free = ready(component, precision="float32", device="cpu", normalize=False).embed_documents(TEXTS).vectors
        scaled = free / np.linalg.norm(free, axis=1, keepdims=True)
        assert np.allclose(scaled, embedded.vectors, atol=1e-5)


@pytest.mark.parametrize("component", EVERY)
def test_equal_texts_get_equal_vectors(component: Subject) -> None:
    one, other = TEXTS[0], TEXTS[1]
    vectors = ready(component, device="cpu").embed_documents([one, other, one, *TEXTS, one]).vectors
    assert np.array_equal(vectors[0], vectors[2])
    assert np.array_equal(vectors[0], vectors[3])
    assert np.array_equal(vectors[0], vectors[-1])
    assert not np.array_equal(vectors[0], vectors[1])


@pytest.mark.parametrize("component", EVERY)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_neither_order_nor_company_nor_batch_size_nor_threads_matter(
    component: Subject, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [*TEXTS, " ".join(TEXTS), " ".join(TEXTS[:4]), "a", TEXTS[0] * 2]
    vectors = ready(component, precision=precision, device="cpu").embed_documents(texts).vectors
    random = np.random.default_rng(0)
    for batch_size, n_threads in ((1, 1), (5, 2), (7, 1), (32, 2)):
        monkeypatch.setenv("RAG_WORKBENCH_THREADS", str(n_threads))
        some = random.permutation(len(texts))[: 3 + 5 * n_threads]
        again = ready(component, precision=precision, device="cpu", batch_size=batch_size)
        assert np.array_equal(again.embed_documents([texts[i] for i in some]).vectors, vectors[some])
    asked = ready(component, precision=precision, device="cpu").embed_queries(texts).vectors
    alone = again.embed_queries([texts[3]]).vectors
    assert np.array_equal(alone, asked[3:4]), "a single question is the very same vector"


@pytest.mark.parametrize("component", EVERY)
def test_finished_work_is_handed_over_as_it_comes(component: Subject) -> None:
    kept: dict[int, Any] = {}
    sizes: list[int] = []

    def keep(positions: Any, rows: Any) -> None:
        sizes.append(len(positions))
        kept.update(zip(positions.tolist(), rows, strict=True))

    one = ready(component, device="cpu", batch_size=5)
    embedded = one.embed_documents(TEXTS, keep=keep)
    assert sorted(kept) == list(range(len(TEXTS)))
    assert max(sizes) <= 5
    rows = np.stack([kept[i] for i in range(len(TEXTS))])
    assert rows.dtype == np.float32
    assert np.array_equal(rows[:, :-2], embedded.vectors)
    assert np.all(rows[:, -1] == (embedded.max_tokens or np.inf))
    longer = one.embed_documents([TEXTS[0], TEXTS[0] + " and more"], keep=keep)
    assert kept[1][-2] == kept[0][-2] + 2, "the text's length in tokens: two words more"
    assert longer.n_truncated == 0


@pytest.mark.parametrize("component", EVERY)
def test_work_that_is_stopped_has_handed_over_what_was_finished(component: Subject) -> None:
    kept: list[int] = []

    def stop(done: int, total: int) -> None:
        if done:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        ready(component, device="cpu", batch_size=3).embed_documents(
            TEXTS, stop, keep=lambda positions, _: kept.extend(positions.tolist())
        )
    assert 0 < len(kept) <= 3


@pytest.mark.parametrize("component", EVERY)
def test_nearness_is_nearness_of_meaning(component: Subject) -> None:
    asked = ["The bank lent more money to companies.", "It rained all afternoon in the hills."]
    known = ["Corporate loans of the institution grew.", "The afternoon was wet in the mountains."]
    one = ready(component, device="cpu")
    nearness = one.embed_queries(asked).vectors @ one.embed_documents(known).vectors.T
    margin = 0.05 if component.component is StaticEmbedder else 0.2  # words that all have in common count in a mean
    assert nearness[0, 0] > nearness[0, 1] + margin
    assert nearness[1, 1] > nearness[1, 0] + margin


@pytest.mark.parametrize("component", EVERY)
def test_no_text_at_all_and_empty_texts(component: Subject) -> None:
    one = ready(component, device="cpu")
    width = one.embed_documents(["a"]).vectors.shape[1]
    nothing = one.embed_documents([])
    assert nothing.vectors.shape == (0, width)
    assert nothing.vectors.dtype == np.float32
    assert nothing.n_truncated == 0
    odd = one.embed_documents(["", " ", "\u200b", "👩‍👩‍👧‍👦", "\x00"])
    assert odd.vectors.shape == (5, width)
    assert np.all(np.isfinite(odd.vectors))


@pytest.mark.parametrize("component", EVERY)
def test_what_is_cut_is_counted(component: Subject) -> None:
    one = ready(component, device="cpu")
    limit = one.embed_documents(["a"]).max_tokens
    if limit is None:
        whole = one.embed_documents(["word " * 3000, "word " * 3000 + "ship"])
        assert whole.n_truncated == 0
        assert not np.array_equal(whole.vectors[0], whole.vectors[1])
        return
    limit -= component.n_marks
    fits, too_long = " ".join(["word"] * limit), " ".join(["word"] * (limit + 1))
    embedded = one.embed_documents([fits, too_long, "short", too_long])
    assert embedded.n_truncated == 2
    assert np.allclose(embedded.vectors[0], embedded.vectors[1], atol=1e-5)  # what lies beyond is not read


@pytest.mark.parametrize("component", EVERY)
def test_progress_is_told_batch_by_batch(component: Subject) -> None:
    told: list[tuple[int, int]] = []
    ready(component, device="cpu", batch_size=5).embed_documents(TEXTS[:12], lambda d, t: told.append((d, t)))
    done = list(dict.fromkeys([0, *(d for d, _ in told)]))
    assert done[-1] == 12
    assert {total for _, total in told} == {12}
    assert all(0 < after - before <= 5 for before, after in itertools.pairwise(done))


@pytest.mark.parametrize("component", [one for one in EVERY if "precision" in one.values[0].model_fields])
def test_half_the_precision_is_nearly_as_good(component: Subject) -> None:
    full, half = (
        ready(component, precision=p, device="cpu").embed_documents(TEXTS).vectors for p in ("float32", "bfloat16")
    )
    assert not np.array_equal(full, half)
    cosine = (full * half).sum(axis=1)
    assert cosine.mean() > 0.999
    assert cosine.min() > 0.995
    assert np.allclose(np.linalg.norm(half, axis=1), 1, atol=1e-6), "vectors are scaled in float32"


@pytest.mark.parametrize("component", EVERY)
def test_the_key_names_what_is_meant_by_auto(component: Subject) -> None:
    auto = component.build()
    resolved = auto.resolved().settings()
    assert "auto" not in resolved.values()
    assert auto.resolved().fingerprint() == auto.fingerprint()
    named = "endpoint" in component.model_fields  # whose weights nobody sees
    assert named or auto.extra_identity(), "the weights must be part of the key"
