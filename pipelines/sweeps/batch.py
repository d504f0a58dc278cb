"""Evaluates a batch of configurations as one graph of distinct stage executions, and writes their runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipelines.audit import audit
from pipelines.component import digest
from pipelines.errors import WorkbenchError
from pipelines.execution import Execution
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import plans
from pipelines.records import Question
from pipelines.runs.measure import Evaluation, Known, made_run, measured
from pipelines.runs.store import RunStore
from pipelines.runs.versions import versions
from pipelines.sweeps.accounts import Accounts, Executions
from pipelines.sweeps.engine import Engine
from pipelines.sweeps.kinds import kinds
from pipelines.sweeps.pieces import Graph, Piece
from pipelines.training.knobs import PairKnobs

_ROWS_TOGETHER = 16


@dataclass(frozen=True)
class Asked:
    """A configuration to be evaluated: its number in the sweep, its pipeline, and what its run will be called."""

    number: int
    pipeline: Pipeline
    name: str


@dataclass(frozen=True)
class On:
    """The questions of a dataset on which a batch is evaluated; `split` is None for all of them."""

    dataset: Dataset
    split: str | None
    seed: int = 0

    def questions(self) -> tuple[Question, ...]:
        """Return them."""
        return self.dataset.select(self.split)

    def identity(self, pipeline: Pipeline) -> str:
        """Return what tells whether a run is the result of the very same work."""
        fingerprints = {stage: component.fingerprint() for stage, component in pipeline.components.items()}
        made_with = [self.dataset.version, self.split, self.seed, versions().code]
        lessons = [[Dataset.open(path).version for path in learnt_from(pipeline)]] if learnt_from(pipeline) else []
        return digest([*made_with, pipeline.settings(), fingerprints, *lessons])


def learnt_from(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the folders of other datasets that parts of a pipeline learn from."""
    components: list[object] = list(pipeline.components.values())
    named = [one.learn_from for one in components if isinstance(one, PairKnobs)]
    return tuple(dict.fromkeys(path for path in named if path))


@dataclass(frozen=True)
class Kept:
    """Where the runs of a batch go, and who is told of them: `finished` by number, `failed` with the reason."""

    runs: RunStore
    finished: Callable[[Mapping[int, str]], None]
    failed: Callable[[int, str], None]


class Batch:
    """Configurations over the same questions. Those whose runs are there already are finished before any work."""

    def __init__(self, asked: Sequence[Asked], on: On, execution: Execution, kept: Kept, proposed: float) -> None:
        self._on, self._run, self._kept = on, execution, kept
        self._intervals: Known = {}
        identities = {one.number: on.identity(one.pipeline) for one in asked}
        self._identities = identities
        left = self._found(asked)
        made = plans([one.pipeline for one in left], on.dataset, on.questions())
        self.evaluations = [
            (one.number, Evaluation(plan, on.split, one.name, on.seed, identities[one.number]))
            for one, plan in zip(left, made, strict=True)
        ]
        self._accounts = Accounts(execution.cache, proposed, self.evaluations)
        self.graph = Graph(execution.cache, kinds(made))
        self._waits = {number: self.graph.add(evaluation.needs) for number, evaluation in self.evaluations}

    def executions(self) -> Executions:
        """Return how many outputs were needed and computed; asked for when all is done."""
        return self._accounts.executions()

    def n_chars(self) -> int:
        """Return the characters of all documents; they are read, if need be."""
        if not self.evaluations:
            return 0
        return sum(len(text) for text in self._run.get(self.evaluations[0][1].plan.documents).texts)

    def pieces(self) -> list[Piece]:
        """Return the stage executions that are missing, and the writing of the runs, some at a time."""
        return [*self.graph.pieces(), *self._rows()]

    def carry_out(self, engine: Engine, look_up: Callable[[], None] = lambda: None) -> None:
        """Do it all, sharing the work with other processes that do the same.

        Raises:
            StorageError: when the disk or the store refuses.
            Cancelled: when it was asked to stop.
        """
        failed = engine.carry_out(self.pieces(), self.graph.shared(), look_up)
        for number, waits in self._waits.items():
            bad = sorted(waits & failed.keys())
            if bad:
                self._kept.failed(number, failed[bad[0]])
        self._tell_of_broken_rows(failed)

    def _tell_of_broken_rows(self, failed: Mapping[str, str]) -> None:
        for key, block in self._blocks.items():
            if key in failed:
                for number, _ in block:
                    self._kept.failed(number, failed[key])

    def _found(self, asked: Sequence[Asked]) -> list[Asked]:
        known = self._kept.runs.by_identity(list(self._identities.values()))
        there = {n: known[identity] for n, identity in self._identities.items() if identity in known}
        if there:
            self._kept.finished(there)
        return [one for one in asked if one.number not in there]

    def _rows(self) -> list[Piece]:
        pieces = []
        self._blocks: dict[str, list[tuple[int, Evaluation]]] = {}
        for group, members in groupby(self.evaluations, lambda one: self.graph.group([one[1].plan.scores])):
            all_of_group = list(members)
            for at in range(0, len(all_of_group), _ROWS_TOGETHER):
                block = all_of_group[at : at + _ROWS_TOGETHER]
                piece = self._row_piece(block, group)
                self._blocks[piece.key] = block
                pieces.append(piece)
        return pieces

    def _row_piece(self, block: list[tuple[int, Evaluation]], group: str | None) -> Piece:
        identities = [evaluation.identity or "" for _, evaluation in block]
        needs = frozenset().union(*(self._waits[number] for number, _ in block))

        def do(run: Execution, failed: frozenset[str]) -> None:
            there = self._kept.runs.by_identity(identities)
            sound = [one for one in block if not self._waits[one[0]] & failed and one[1].identity not in there]
            if sound:
                self._write(sound, run)

        def done() -> bool:
            return len(self._kept.runs.by_identity(identities)) == len(set(identities))

        return Piece(digest(["rows", identities]), "score", group, needs, do, done, copes=True, n_runs=len(block))

    def _write(self, block: Sequence[tuple[int, Evaluation]], run: Execution) -> None:
        found = measured([evaluation for _, evaluation in block], run, self._intervals)
        made = {
            number: made_run(evaluation, numbers, self._accounts.of(number, evaluation), run)
            for (number, evaluation), numbers in zip(block, found, strict=True)
        }
        self._kept.runs.add_all([(one.run, one.details) for one in made.values()])
        for _, evaluation in block:
            audit("measured", "run", evaluation.identity or "")
        self._kept.finished({number: one.run.id for number, one in made.items()})


def parsed(number: int, settings: Mapping[str, object], name: str) -> Asked | str:
    """Return a trial ready to be evaluated, or the sentence that says why it cannot be built here."""
    try:
        pipeline = Pipeline.parse(settings, f"configuration {number}")
        for component in pipeline.components.values():
            component.fingerprint()
    except WorkbenchError as error:
        return str(error)
    return Asked(number, pipeline, name)
