"""What is told of a finetuning: before it, while it is done, and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pipelines.runs.jobs import Job

Part = Literal["embed", "rerank"]
Report = Mapping[str, Any]
"""What came of a finetuning or a learning curve, as plain JSON."""

Where = Literal["all", "seen", "unseen", "outside", "dev"]
"""On which questions a gain was measured: all of the reported split; those of them whose evidence lies in documents
that were learnt from, and those of which none does; all of the dataset `outside`; dev, which chose where to stop."""


@dataclass(frozen=True)
class Leak:
    """A train question that asks nearly what question `twin` of dev or test asks: it is not trained on."""

    question_id: str
    text: str
    twin: str
    twin_split: str
    twin_text: str
    why: str


@dataclass(frozen=True)
class Splits:
    """How the golden set is divided: questions with evidence, and the documents that these lie in, by split.

    `shared` is in how many documents two splits both have evidence, by "train and test" and so on.
    """

    questions: Mapping[str, int]
    documents: Mapping[str, int]
    shared: Mapping[str, int]
    sentence: str


@dataclass(frozen=True)
class TrainingEstimate:
    """One training of a finetuning, before it is begun.

    `key` names it in the store, `labels` the configurations that use it, `done` says that it is there already. `steps`
    are counted where weights are trained, hard negatives aside. `seconds` is None, with a `reason`, where this machine
    was never measured at such work; `memory_bytes` is what it takes at its height, None where that is next to nothing.
    `refused` says why it could not be done.
    """

    key: str
    label: str
    part: Part
    labels: tuple[str, ...]
    method: str
    model: str
    n_pairs: int | None
    steps: int | None
    done: bool
    seconds: float | None
    memory_bytes: int | None
    disk_bytes: int
    reason: str | None = None
    refused: str | None = None


@dataclass(frozen=True)
class FinetuneEstimate:
    """A finetuning before it is begun: what is learnt from, what is trained, what it costs.

    `left_out` are the train questions that are not trained on, with why; those that leak are in `leaks` too. `seconds`
    is the whole, evaluations included; None where `unknown` names work that this machine was never measured at.
    """

    labels: tuple[str, ...]
    split: str
    n_train: int
    n_dev: int
    n_reported: int
    left_out: tuple[tuple[str, str], ...]
    leaks: tuple[Leak, ...]
    splits: Splits
    trainings: tuple[TrainingEstimate, ...]
    seconds: float | None
    unknown: tuple[str, ...]
    memory_bytes: int | None
    memory_free_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    n_runs: int
    n_runs_there: int
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Finetuning:
    """A finetuning as it was asked for; `report` is None until it has ended. `created` is in seconds since 1970.

    `trainings` holds what is called what: the labels of trainings by their keys, None before the work has begun.
    """

    id: str
    name: str
    job_id: str
    dataset_name: str
    dataset_path: str
    dataset_version: str
    split: str
    settings: Mapping[str, Any]
    created: float
    trainings: Mapping[str, str] | None = None
    report: Report | None = None


@dataclass(frozen=True)
class FinetuneView:
    """A finetuning as it stands, with its job.

    `curves` holds the points of every training, by its label: `{"step", "steps", "epoch", "seconds", "loss",
    "learning_rate", "dev", "metric"}`, what was not measured there None. `report["kind"]` is "gains", then it is what
    `pipelines.finetune.report` describes, or "learning curve", then what `pipelines.finetune.curve` does.
    """

    finetuning: Finetuning
    job: Job
    curves: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The spec in plain values."""
        return self.finetuning.settings

    @property
    def state(self) -> str:
        """How the job stands: queued, running, paused, finished, failed, cancelled."""
        return self.job.state

    @property
    def report(self) -> Report | None:
        """What came of it; None until it has ended."""
        return self.finetuning.report
