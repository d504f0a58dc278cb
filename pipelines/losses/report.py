"""The losses of one run at one cut: the waterfall, and the questions behind each of its bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.losses.advice import Settings, advice
from pipelines.losses.behind import Behind, LostQuestion
from pipelines.losses.shares import LossesByCut
from pipelines.losses.stages import LABELS, stages_at


@dataclass(frozen=True)
class Bar:
    """What one stage lost: `mean` of the evidence, over `n` questions, with its 95 % interval.

    `left` is the recall that would be left if the stages up to this one were all. `questions` is how many lost anything
    here. `advice` says which knob to turn; None where nothing was lost.
    """

    stage: str
    label: str
    mean: float | None
    low: float | None
    high: float | None
    n: int
    left: float | None
    questions: int
    advice: str | None


@dataclass(frozen=True)
class Losses:
    """Where a run lost evidence, at one `cut` of those in `cuts`, such as recall@5 or recall@2000tok.

    `recall` is the mean over the `n` questions with evidence: 1 less all bars. `note` says why texts are missing where
    the dataset of the run cannot be opened any more.
    """

    run_id: str
    run_name: str
    cut: str
    by_cut: LossesByCut
    settings: Settings
    note: str | None
    _behind: Behind = field(repr=False)

    @property
    def cuts(self) -> tuple[str, ...]:
        """Every cut at which losses were measured."""
        return tuple(self.by_cut)

    @property
    def n(self) -> int:
        """How many questions have evidence, and so are counted."""
        return max((lost.n for lost in self.by_cut[self.cut].values()), default=0)

    @property
    def recall(self) -> float | None:
        """What no stage lost; None where no question has evidence."""
        bars = self.waterfall()
        return bars[-1].left if bars else None

    def waterfall(self) -> tuple[Bar, ...]:
        """Return one bar a stage, in the order of the flow, from all the evidence down to what was handed on."""
        bars, left = [], 1.0
        for stage in stages_at(self.cut):
            lost = self.by_cut[self.cut][stage]
            left -= lost.mean or 0.0
            told = advice(stage, self.settings, self.cut) if lost.mean else None
            rest = None if lost.mean is None else max(left, 0.0)
            n_questions = self._behind.n_questions(self.cut, stage)
            bars.append(Bar(stage, LABELS[stage], lost.mean, lost.low, lost.high, lost.n, rest, n_questions, told))
        return tuple(bars)

    def questions(self, stage: str | None = None) -> tuple[LostQuestion, ...]:
        """Return the questions that lost evidence at `stage` (None: at any), the greatest loss first.

        Raises:
            ConfigurationError: for a stage that cannot lose anything at this cut.
        """
        known = stages_at(self.cut)
        if stage is not None and stage not in known:
            guess = did_you_mean(stage, known)
            raise ConfigurationError(
                f"There is no stage '{shorten(stage)}' that loses evidence at {self.cut}; there are {', '.join(known)}."
                f"{guess}"
            )
        return self._behind.questions(self.cut, stage)

    def to_dict(self, stage: str | None = None) -> dict[str, Any]:
        """Return what `--json` prints: the waterfall, and the questions behind `stage` (None: behind all)."""
        return {
            "run": self.run_id,
            "name": self.run_name,
            "cut": self.cut,
            "cuts": list(self.cuts),
            "recall": self.recall,
            "n": self.n,
            "waterfall": [asdict(bar) for bar in self.waterfall()],
            "questions": [asdict(question) for question in self.questions(stage)],
            "note": self.note,
        }


def chosen_cut(asked: str, cuts: Sequence[str]) -> str:
    """Return the cut that is meant by recall@5, @5, 5, or 2000tok.

    Raises:
        ConfigurationError: for one that was not measured.
    """
    name = str(cut_name(asked))
    if name not in cuts:
        guess = did_you_mean(name, cuts)
        raise ConfigurationError(
            f"Losses were not measured at '{shorten(asked)}'; they were at {', '.join(cuts) or 'no cut'}.{guess}"
        )
    return name


def cut_name(asked: str | None) -> str | None:
    """Return the full name of a cut that may be written shortly: recall@5 for 5 or @5, recall@2000tok for 2000tok.

    Raises:
        ConfigurationError: for what names no cut.
    """
    if asked is None:
        return None
    what, _, size = asked.rpartition("@")
    if what not in ("", "recall") or not size.removesuffix("tok").isdecimal():
        raise ConfigurationError(
            f"'{shorten(asked)}' is no cut of a ranking; name one such as recall@5 or recall@2000tok."
        )
    return f"recall@{size}"
