"""What is learnt from, as stage executions: pairs of the train split under the pipeline's own chunking."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self
from weakref import WeakKeyDictionary

from pipelines import codecs
from pipelines.component import digest
from pipelines.execution import Execution, Node, node_key
from pipelines.golden.dataset import Dataset
from pipelines.planning.asking import Asking
from pipelines.planning.rerank import RerankPlan
from pipelines.planning.searching import Search
from pipelines.planning.written import asked_on
from pipelines.records import Candidates, Paid, Queries, Question, Rankings
from pipelines.records.pairs import LeftOut, TrainingPairs, Written
from pipelines.stages.embed import Embedder
from pipelines.stages.filter.none import NoFilter
from pipelines.stages.index.exact import ExactIndex
from pipelines.stages.rerank.none import NoReranker
from pipelines.stages.retrieve import Retriever, Searcher
from pipelines.stages.retrieve.bm25 import BM25Retriever
from pipelines.stages.retrieve.dense import DenseRetriever
from pipelines.stages.transform.none import NoTransformer
from pipelines.training.evidence import HeldOut
from pipelines.training.guard import guarded
from pipelines.training.knobs import PairKnobs
from pipelines.training.material import Material, Searched
from pipelines.training.pairs import training_pairs
from pipelines.training.positives import any_long
from pipelines.training.strikes import read_strikes
from pipelines.training.synthetic import FIRST_RANKS, passages_to_ask_on, round_trip, sound_questions
from pipelines.training.writing import WRITING_VERSION

_Guarded = tuple[tuple[Question, ...], tuple[LeftOut, ...]]
_known_guarded: WeakKeyDictionary[Dataset, _Guarded] = WeakKeyDictionary()


@dataclass(frozen=True)
class PairsPlan(RerankPlan, ABC):
    """The stage executions of one pipeline that make training pairs of the golden set, as nodes of a graph."""

    @abstractmethod
    def searcher(self, retriever: Retriever) -> Node[Searcher]:
        """A retriever that has read the corpus."""

    @cached_property
    def _guarded(self) -> _Guarded:
        """The train questions that may be trained on, and those left out: worked out once a dataset, not a pipeline."""
        if self.dataset not in _known_guarded:
            _known_guarded[self.dataset] = guarded(self.dataset.questions)
        return _known_guarded[self.dataset]

    def plainly(self, questions: Sequence[Question], embed: Embedder) -> Self:
        """Return the plan that searches all chunks for `questions` exactly, as they are asked, by one embedder."""
        plain = self.with_components(
            embed=embed, index=ExactIndex(), transform=NoTransformer(), filter=NoFilter(), rerank=NoReranker()
        )
        return replace(plain, asking=Asking(tuple(questions)))

    def pairs(self, knobs: PairKnobs, base: Embedder) -> Node[TrainingPairs]:
        """The training pairs under this chunking, hard negatives mined by `base` and by words."""
        questions, left_out = self._guarded
        search = self.plainly(questions, base)
        rankings = {name: search.retrieved(one) for name, one in _miners(knobs).items()} if questions else {}
        vectors = (search.vectors, search.question_vectors)
        held_out = self._held_out(base) if knobs.augment != "none" or knobs.synthetic else None
        written = None if held_out is None else self._written(knobs, search, held_out)
        searchers = search.searchers(knobs) if written is not None else {}
        strikes = read_strikes(knobs.strikes) if knobs.strikes else ()
        inputs: tuple[Node[Any], ...] = (search.gold, search.documents, search.cut, search.embedded_texts)
        inputs += (*rankings.values(), *searchers.values())
        inputs += () if held_out is None else (held_out.gold,)
        inputs += () if written is None else (written,)

        def work(run: Execution) -> TrainingPairs:
            gold, chunks = run.get(search.gold), run.get(search.cut)
            # No input: where neither negatives are mined nor evidence is long, nothing need be embedded.
            embedded = [run.get(one) for one in vectors] if rankings or written or any_long(gold, chunks) else None
            material = Material(
                questions=run.get(search.resolution).questions,
                gold=gold,
                documents=run.get(search.documents),
                chunks=chunks,
                texts=run.get(search.embedded_texts),
                rankings={name: run.get(node) for name, node in rankings.items()},
                vectors=None if embedded is None else embedded[0],
                question_vectors=None if embedded is None else embedded[1],
                left_out=left_out,
                strikes=strikes,
                held_out_gold=None if held_out is None else run.get(held_out.gold),
            )
            if written is not None and held_out is not None:
                answers = run.get(written).value
                material = search.with_written(run, material, answers, held_out.questions, searchers)
            return training_pairs(material, knobs, run.note)

        told = [[one.question_id, one.why] for one in left_out]
        others = [one.key for one in vectors]
        # What dev and test ask counts where a language model's questions are held against it; else where they lie does.
        asked = [search._asked_for_pairs, held_out and written and held_out._asked_for_pairs]
        identity = [dict(knobs.pair_knobs()), asked, told, others]
        return Node("embed", node_key("pairs", identity, inputs), inputs, work, codecs.PAIRS)

    def taught_by(self, path: str) -> Self:
        """Return this plan over another dataset, whose train split is learnt from there as if it were evaluated."""
        learning = {"embed": self.pipeline.embed, "rerank": self.pipeline.rerank}
        own = {
            stage: one.model_copy(update={"learn_from": ""})
            for stage, one in learning.items()
            if isinstance(one, PairKnobs)
        }
        return replace(self.with_components(**own), dataset=Dataset.open(path))

    @cached_property
    def _asked_for_pairs(self) -> str:
        """A digest of the questions: which they are, what they ask for, and their evidence."""
        ids = [question.id for question in self.questions]
        return digest([ids, self.asking.texts_key, self.asking.asked_key, self.asking.evidence_key])

    def _held_out(self, base: Embedder) -> Self:
        """Return the plan of the dev and test questions: nothing is made of what they are answered by."""
        return self.plainly([one for one in self.dataset.questions if one.split in ("dev", "test")], base)

    # Questions that a language model writes -----------------------------------------------------------------------

    def searchers(self, knobs: PairKnobs) -> Mapping[str, Node[Searcher]]:
        """Both searches that a written question must be found by, whatever mines negatives."""
        return {name: self.searcher(one) for name, one in _retrievers(knobs.negatives_to).items()}

    def _written(self, knobs: PairKnobs, search: Self, held_out: Self) -> Node[Paid[tuple[Written, ...]]] | None:
        """What a language model answered that was asked for questions; None where none is asked."""
        writer = knobs.writer()
        if writer is None:
            return None
        inputs = (search.documents, search.cut, search.texts, search.gold, held_out.gold)
        identity = [WRITING_VERSION, knobs.synthetic, dict(writer.chat_identity())]

        def work(run: Execution) -> Paid[tuple[Written, ...]]:
            documents, chunks, texts = run.get(search.documents), run.get(search.cut), run.get(search.texts)
            kept_from = HeldOut(run.get(held_out.gold), documents, chunks)
            rows = passages_to_ask_on(documents, chunks, texts, run.get(search.gold), kept_from, knobs.synthetic)
            if len(rows) < knobs.synthetic:
                run.note(f"Questions were asked for on {len(rows):,} passages alone: no more are fit to be asked on.")
            return asked_on(run, writer, documents, chunks, texts, rows)

        return Node("embed", node_key("written", identity, inputs), inputs, work, codecs.paid(codecs.WRITTEN))

    def with_written(
        self,
        run: Execution,
        material: Material,
        answers: Sequence[Written],
        held_out: Sequence[Question],
        searchers: Mapping[str, Node[Searcher]],
    ) -> Material:
        """Return the material with the written questions that are sound; others are counted in a note."""
        sifted = sound_questions(answers, material.questions, held_out)
        found = self._searched_for(
            run, [one.text for one in sifted.kept], {n: run.get(s) for n, s in searchers.items()}
        )
        kept, found = round_trip(sifted, found, material.texts)
        run.note(kept.told())
        return replace(material, written=kept.kept, written_found=found)

    def _searched_for(self, run: Execution, texts: Sequence[str], searchers: Mapping[str, Searcher]) -> Searched:
        vectors = self._encoding(run, queries=True).vectors(run, texts)
        if not texts:
            return Searched({name: Rankings.empty(0, 1) for name in searchers}, vectors)
        search = Search(Queries.of(texts), Candidates.everything(len(texts), len(run.get(self.cut))), vectors)
        return Searched({name: search.by(one) for name, one in searchers.items()}, vectors)


def _retrievers(depth: int) -> dict[str, Retriever]:
    """Return the searches by name, deep enough for the round trip too."""
    depth = max(depth, FIRST_RANKS)
    return {"model": DenseRetriever(depth=depth), "bm25": BM25Retriever(depth=depth)}


def _miners(knobs: PairKnobs) -> dict[str, Retriever]:
    """Return the searches that mine negatives."""
    names = {"none": (), "model": ("model",), "bm25": ("bm25",), "both": ("model", "bm25")}[knobs.negatives]
    return {name: one for name, one in _retrievers(knobs.negatives_to).items() if name in names}
