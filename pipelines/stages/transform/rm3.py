"""RM3: the words of what is found first join the question, for retrievers by words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import Field

from pipelines.stages.transform import FeedbackTransformer, Terms


class RM3Knobs(FeedbackTransformer):
    """The feedback of words, with its knobs."""

    feeds_words = True

    documents: int = Field(
        10,
        ge=1,
        le=200,
        description="Chunks of the first search that are taken for relevant",
        json_schema_extra={"unit": "chunks"},
    )
    terms_added: int = Field(
        10, ge=1, le=500, description="Words that they add to the question", json_schema_extra={"unit": "words"}
    )
    original_weight: float = Field(
        0.5, ge=0.0, le=1.0, description="Weight of the question's own words; those that are added have the rest"
    )

    def feeding(self, *, words: bool) -> Mapping[str, object]:
        """Return all that decides what is fed back to retrievers by words."""
        knobs = {name: getattr(self, name) for name in RM3Knobs.model_fields}
        return {"feeds": "rm3", "version": self.version, **knobs}

    def looks_at(self, *, words: bool) -> int:
        """Return how many chunks of the first search are needed."""
        return self.documents

    def terms(self, asked: Sequence[str], found: Sequence[Sequence[str]], scores: Sequence[float]) -> Terms:
        """Return original_weight x P(w | question) + (1 - original_weight) x P(w | relevance model), by word."""
        own, model = _shares(Counter(asked)), relevance_model(found, scores, self.terms_added)
        if not own or not model:
            return own or model
        added = 1 - self.original_weight
        joined = {w: self.original_weight * own.get(w, 0.0) + added * model.get(w, 0.0) for w in (*own, *model)}
        return {word: weight for word, weight in joined.items() if weight > 0}


class RM3Transformer(RM3Knobs, name="rm3", version=1):
    """Add the words of the first chunks found to the question, weighted (RM3). For BM25 and the BM25 half of hybrid.

    Choose it where questions and texts use different words for one thing, and the first hits are mostly right: then
    recall rises at depth. Where they are wrong, it drifts away with them. Costs a second BM25 search.

    The first search's scores weigh the chunks: P(w) = sum over chunks of score x count(w) / length, of which the
    greatest are kept and made to sum to 1; then they are mixed with the question's own words (Abdul-Jaleel et al.,
    UMass at TREC 2004; Lavrenko and Croft, 2001; as Anserini reckons it). A score is then a weighted mean over words.
    """


def relevance_model(found: Sequence[Sequence[str]], scores: Sequence[float], n_terms: int) -> dict[str, float]:
    """Return the weights, which sum to 1, of the `n_terms` best words of the chunks; of equal ones the first by name.

    P(w | R) = sum over chunks d of score(d) x count(w, d) / length(d), scaled
    """
    weights: dict[str, float] = {}
    for words, score in zip(found, scores, strict=True):
        for word, share in _shares(Counter(words)).items():
            weights[word] = weights.get(word, 0.0) + score * share
    best = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:n_terms]
    total = sum(weight for _, weight in best)
    return {word: weight / total for word, weight in best} if total > 0 else {}


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = counts.total()
    return {word: count / total for word, count in counts.items()}
