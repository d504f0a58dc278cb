"""A small learned combiner: gradient-boosted trees over how a chunk was found, what it says and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from pydantic import Field, PrivateAttr

from pipelines.progress import Progress, silent
from pipelines.records import BoolArray, FloatArray, Rankings
from pipelines.records.training import Training
from pipelines.stages.rerank import FittedReranker, Retrieved, ordered
from pipelines.stages.rerank.features import VERSION, Pairs
from pipelines.stages.rerank.words import Stemmer


class LearnedReranker(FittedReranker, name="learned", version=1):
    """Learn from the train split how to weigh ranks, scores, words, metadata and place. It wants 50 of them or more.

    Gradient boosting (scikit-learn) over some thirty features of a question and a chunk, fitted on what this very
    pipeline retrieves for the train questions; no dev or test question is ever looked at. It needs a train split with
    evidence; figures of the train split itself are optimistic, and the run says so.

    Choose it where the train split is large enough, and metadata tell documents apart. It costs retrieval for the
    train questions, once, and some 10 ms a question.
    """

    trees: int = Field(100, ge=1, le=1000, description="Trees that are added up")
    learning_rate: float = Field(0.1, gt=0.0, le=1.0, description="How much each tree counts")
    leaves: int = Field(8, ge=2, le=64, description="Most leaves of a tree: more fit finer, and sooner too well")
    leaf_pairs: int = Field(
        20, ge=1, le=1000, description="Fewest training pairs in a leaf", json_schema_extra={"unit": "pairs"}
    )
    column_share: float = Field(
        0.5, gt=0.0, le=1.0, description="Share of the features that each split may choose from, drawn by the seed"
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of what is drawn")
    stemmer: Stemmer = Field("english", description="Language whose endings are cut off before words are compared")
    known_values: bool = Field(
        False, description="Also look at the values that questions are labelled with; what people ask brings none"
    )
    _model: Any = PrivateAttr(None)

    def table_identity(self) -> Mapping[str, object]:
        """Return the knobs that decide the table that is learnt from, and not how it is learnt."""
        own = {"depth": self.depth, "coverage": self.coverage, "stemmer": self.stemmer, "known": self.known_values}
        return {"use": self.name, "features": VERSION, **own}

    def table(self, retrieved: Retrieved, relevant: BoolArray) -> Training:
        """Return a row for each of the first `depth` chunks of every question."""
        pairs = Pairs.of(retrieved, self.depth, self.stemmer)
        names, features = pairs.table(self.known_values)
        return Training(names, features, relevant[pairs.row, pairs.rank], pairs.row.astype(np.int32))

    def learnt(self, training: Training) -> Self:
        """Return the reranker with its trees; none are grown where all pairs are alike."""
        own = self.model_copy()
        own._model = _Alike() if len(np.unique(training.relevant)) < 2 else self._grown(training)
        return own

    def _grown(self, training: Training) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier

        trees = HistGradientBoostingClassifier(
            max_iter=self.trees,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.leaf_pairs,
            max_features=self.column_share,
            early_stopping=False,
            random_state=self.seed,
        )
        with _one_thread():
            return trees.fit(training.features, training.relevant)

    def rerank(self, retrieved: Retrieved, progress: Progress = silent) -> Rankings:
        """Return the first `depth` chunks of each question by the trees' log-odds of relevance."""
        if self._model is None:
            raise TypeError("the learned reranker must learn before it reranks")
        pairs = Pairs.of(retrieved, self.depth, self.stemmer)
        scores: FloatArray = np.zeros(0, dtype=np.float32)
        if len(pairs.row):
            scores = self._model.decision_function(pairs.table(self.known_values)[1]).astype(np.float32)
        progress(retrieved.rankings.n_questions, retrieved.rankings.n_questions)
        return ordered(retrieved, self.depth, scores)


class _Alike:
    """What is learnt where all training pairs are relevant, or none: to leave the order as it is."""

    def decision_function(self, features: FloatArray) -> FloatArray:
        return np.zeros(len(features), dtype=np.float32)


def _one_thread() -> Any:
    """Have the trees use one thread: how sums are split up among several would change their bits."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(limits=1, user_api="openmp")
