"""Training as stage executions: models made of the pairs of the train split, and what decides where they stop."""

from __future__ import annotations

import time
from abc import ABC
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from pipelines.component import Component
from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.execution import Execution, Node, node_key
from pipelines.planning.by_text import Encoding
from pipelines.planning.effort import training_units, training_work
from pipelines.planning.folders import FOLDER, made_aside
from pipelines.planning.pairs import PairsPlan
from pipelines.records import SPLITS, Candidates, FloatArray, Question, Rankings
from pipelines.records.pairs import TrainingPairs
from pipelines.stages.embed import TrainedEmbedder
from pipelines.stages.embed.minilm import MiniLMEmbedder
from pipelines.stages.index.exact import ExactIndex
from pipelines.stages.rerank import Retrieved, TrainedReranker, ordered, pairs_of
from pipelines.stages.retrieve.hybrid import HybridRetriever
from pipelines.stages.score import Evaluation, Scorer
from pipelines.stages.score.standard import StandardScorer
from pipelines.training.lesson import Dev, Lesson, PairDev, PairLesson, Point, Workshop

_NO_DEV = "the dataset has no dev question with evidence"
_NOT_ASKED = "patience is 0, so all epochs were trained, and the last is taken"
_DEV_DEPTH = 100
_DEV_PAIRS = 20
"""How many chunks of a hybrid search are reranked for each dev question, whatever depth is reranked at last."""
_DEV_QUESTIONS = 200
"""Of how many dev questions, evenly drawn: a model reads each of their chunks after every epoch."""


@dataclass(frozen=True)
class LearningPlan(PairsPlan, ABC):
    """The stage executions of one pipeline that learn from the golden set, as nodes of a graph."""

    # What learns --------------------------------------------------------------------------------------------------

    @cached_property
    def trained(self) -> Node[Path] | None:
        """What the embedder learns from the train split; None for one that learns nothing."""
        embed = self.pipeline.embed
        if not isinstance(embed, TrainedEmbedder):
            return None
        if embed.learn_from:
            return self.taught_by(embed.learn_from).trained
        pairs, base = self.pairs(embed, embed.base()), embed.base()
        dev = self.plainly(self._dev_questions(embed.chosen_by()), base)
        inputs = (pairs, dev.cut, dev.embedded_texts, *((dev.gold,) if dev.questions else ()))
        decided = [dev.asking.texts_key, embed.chosen_by()] if dev.questions else []
        key = node_key("trained", [dict(embed.training_identity()), decided], inputs)

        def work(run: Execution) -> Path:
            def encode(texts: Sequence[str], *, queries: bool) -> FloatArray:
                return Encoding(base, None, "", queries, stage="train").vectors(run, texts)

            lesson = Lesson(
                run.get(pairs),
                run.get(dev.embedded_texts),
                encode,
                dev.dev(run, embed.chosen_by()) if dev.questions else None,
                "" if dev.questions else _no_dev(embed.chosen_by()),
            )
            workshop = self._workshop(run, key)
            return _paced(run, embed, lesson.pairs, lambda folder: embed.train(lesson, folder, workshop))

        return Node("embed", key, inputs, work, FOLDER)

    @cached_property
    def trained_reranker(self) -> Node[Path] | None:
        """What a cross-encoder learns from the train split; None for other rerankers."""
        rerank = self.pipeline.rerank
        if not isinstance(rerank, TrainedReranker):
            return None
        if rerank.learn_from:
            return self.taught_by(rerank.learn_from).trained_reranker
        base = MiniLMEmbedder(header=rerank.header)
        pairs = self.pairs(rerank, base)
        dev_questions = self._dev_questions(rerank.chosen_by())
        dev = self.plainly(dev_questions[:: max(1, -(-len(dev_questions) // _DEV_QUESTIONS))], base)
        found = dev.retrieved(HybridRetriever(depth=_DEV_PAIRS))
        inputs: tuple[Node[Any], ...] = (
            pairs,
            *((dev.gold, dev.embedded_texts, dev.cut, found) if dev.questions else ()),
        )
        decided = [dev.asking.texts_key, rerank.chosen_by()] if dev.questions else []
        key = node_key("trained reranker", [dict(rerank.training_identity()), decided], inputs)

        def work(run: Execution) -> Path:
            held_out = dev.pair_dev(run, rerank.chosen_by(), found) if dev.questions else None
            lesson = PairLesson(run.get(pairs), held_out, "" if dev.questions else _no_dev(rerank.chosen_by()))
            workshop = self._workshop(run, key)
            return _paced(run, rerank, lesson.pairs, lambda folder: rerank.train(lesson, folder, workshop))

        return Node("rerank", key, inputs, work, FOLDER)

    def _workshop(self, run: Execution, key: str) -> Workshop:
        def tell(point: Point) -> None:
            run.on_learnt(key, point.to_dict())

        return Workshop(
            checkpoints=run.cache.root / "training" / key,
            progress=run.progress("train"),
            tell=tell,
            note=run.note,
            worked=run.on_worked,
            about={"dataset": self.dataset.name, "dataset_version": self.dataset.version, "splits": self._split()},
        )

    def _split(self) -> str:
        """Say how many questions with evidence each split has."""
        asked = Counter(one.split for one in self.dataset.questions if one.answerable)
        return ", ".join(f"{split} {asked[split]:,}" for split in SPLITS) + " questions with evidence"

    # What decides where training stops ----------------------------------------------------------------------------

    def _dev_questions(self, metric: str) -> tuple[Question, ...]:
        if not metric:
            return ()
        return tuple(one for one in self.dataset.questions if one.split == "dev" and one.answerable)

    def dev(self, run: Execution, metric: str) -> Dev:
        """Return the questions of this plan on its corpus, scored by `metric` from vectors."""

        def by_vectors(chunks: FloatArray, questions: FloatArray) -> float:
            found = ExactIndex().open(chunks, None).search(questions, min(_DEV_DEPTH, len(chunks)), None)
            return self._scored(run, metric, found)

        return Dev(metric, self.asking.texts, by_vectors)

    def pair_dev(self, run: Execution, metric: str, found: Node[Rankings]) -> PairDev:
        """Return the questions of this plan with the chunks found for them, scored by `metric` from pair scores."""
        retrieved = Retrieved(run.get(found), self.asking.texts, run.get(self.embedded_texts))

        def by_scores(scores: FloatArray) -> float:
            return self._scored(run, metric, ordered(retrieved, _DEV_PAIRS, scores))

        before = self._scored(run, metric, retrieved.rankings)
        return PairDev(metric, tuple(pairs_of(retrieved, _DEV_PAIRS)), by_scores, len(self.questions), before)

    def _scored(self, run: Execution, metric: str, found: Rankings) -> float:
        """Return the mean of a metric over the questions that have one."""
        chunks, gold = run.get(self.cut), run.get(self.gold)
        n_documents = len(run.get(self.documents))
        scorer = _scorer(metric)
        scores = scorer.score(
            Evaluation(gold, chunks, n_documents, found, Candidates.everything(gold.n_questions, len(chunks)))
        )
        values = scores.values[:, [one.name for one in scores.metrics].index(metric)]
        return float(np.nanmean(values))


def _paced(run: Execution, component: Component, pairs: TrainingPairs, train: Callable[[Path], None]) -> Path:
    """Train into a folder aside, and tell how long as many pairs took: the whole of it, where it stops early too."""
    started = time.perf_counter()
    folder = made_aside(run, "model", train)
    units = training_units(component, len(pairs.pairs))
    run.on_worked(training_work(component), units, time.perf_counter() - started)
    return folder


def _no_dev(metric: str) -> str:
    """Say why no dev question decided."""
    return _NO_DEV if metric else _NOT_ASKED


def _scorer(metric: str) -> Scorer:
    """Return what scores a metric, at its cut-off.

    Raises:
        ConfigurationError: for one that there is not, of which less is better, or whose cut-off is none.
    """
    cut = metric.partition("@")[2]
    budget = cut.endswith("tok")
    knobs = {"budgets_tokens": (int(cut[:-3]),)} if budget else {"cutoffs": (int(cut),), "budgets_tokens": ()}
    try:
        scorer = StandardScorer(**knobs)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].replace("Input", "what stands behind the @")
        raise ConfigurationError(f"There is no metric '{shorten(metric)}' to choose by: {said}.") from error
    better = [one.name for one in scorer.metrics() if one.higher_is_better and "@" in one.name]
    if metric not in better:
        raise ConfigurationError(
            f"There is no metric '{shorten(metric)}' to choose by; there are {', '.join(better)}."
            f"{did_you_mean(metric, better)}"
        )
    return scorer
