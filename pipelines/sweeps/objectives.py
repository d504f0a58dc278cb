"""What a sweep improves: metrics of a run with the direction that each declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.component import components
from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.records import Metric
from pipelines.stages.score import Scorer
from pipelines.stages.score.families import FAMILIES, Family
from pipelines.sweeps.space import Space

_DEFAULT_CUT = 10
MEASURED_OUTSIDE: tuple[Family, ...] = (
    Family("latency_ms_p50", "Time that one query takes, median", "none", "none", False, "ms"),
    Family("latency_ms_p95", "Time that one query takes, 95th percentile", "none", "none", False, "ms"),
    Family("usd", "What the endpoints charge for a question", "none", "none", False, "USD"),
    Family("ann_recall", "Share of the exactly nearest chunks that an approximate index finds", "documents", "none"),
)
"""What `evaluate` adds to the score stage's metrics; ann_recall has cut-offs and no token budgets."""
_BY_NAME = {family.name: family for family in (*FAMILIES, *MEASURED_OUTSIDE)}


@dataclass(frozen=True)
class Objective:
    """A metric to improve, named in full (`ndcg@10`)."""

    metric: str
    family: str
    higher_is_better: bool
    unit: str | None = None

    @classmethod
    def parse(cls, text: str, where: str = "search.objectives", cut: str = "") -> Objective:
        """Read an objective such as `ndcg@10` or `-context_tokens`; `cut` completes a metric without its cut-off.

        Raises:
            ConfigurationError: for an unknown metric, or a leading - on one that is better when higher.
        """
        name = text.strip().removeprefix("-")
        bare, at, _ = name.partition("@")
        family = _BY_NAME.get(bare)
        if family is None:
            guess = did_you_mean(bare, _BY_NAME)
            raise ConfigurationError(
                f"{where} names '{shorten(text)}', but there is no such metric; there are {', '.join(_BY_NAME)}.{guess}"
            )
        if text.strip().startswith("-") and family.higher_is_better:
            raise ConfigurationError(
                f"{where} names '{shorten(text)}', but {bare} is better when higher; write '{shorten(name)}'."
            )
        if family.cut == "none" and at:
            raise ConfigurationError(f"{where} names '{shorten(text)}', but {bare} has no cut-off; write '{bare}'.")
        metric = name if family.cut == "none" or at else f"{bare}@{cut}"
        return cls(
            metric, "latency_ms" if bare.startswith("latency_ms") else bare, family.higher_is_better, family.unit
        )

    @property
    def declared(self) -> Metric:
        """Return the metric's declaration, as tables and comparisons take it."""
        return Metric(self.metric, self.family, self.higher_is_better, self.unit)

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """Return what Optuna calls it."""
        return "maximize" if self.higher_is_better else "minimize"

    def gain(self, value: float) -> float:
        """Return the value so that greater is better."""
        return value if self.higher_is_better else -value


def objectives_of(texts: Sequence[str], space: Space, where: str = "sweep") -> tuple[Objective, ...]:
    """Return the objectives of a sweep, each of which every configuration of the space measures.

    A metric without its cut-off takes that of the first objective that names one, where it is computed; else the
    greatest computed cut-off of at most 10.

    Raises:
        ConfigurationError: for an unknown metric, a cut-off that is not computed, or a metric named twice.
    """
    owner = f"{where}: search.objectives"
    computed = metrics_computed(space)
    named = [text.strip().partition("@")[2] for text in texts if "@" in text]
    found: list[Objective] = []
    for text in texts:
        objective = Objective.parse(text, owner, _cut(text, named, computed))
        _refuse_unmeasured(objective, space, computed, owner)
        if objective in found:
            raise ConfigurationError(f"{owner} names {objective.metric} twice; name it once.")
        found.append(objective)
    return tuple(found)


def metrics_computed(space: Space) -> tuple[str, ...]:
    """Return the metrics that every scorer of the space computes, in their order."""
    stage = space.stage("score")
    scorers = [stage.component(choice) for choice in stage.listed(at_ends=True) if stage.refusal(choice) is None]
    sets = [[metric.name for metric in scorer.metrics()] for scorer in scorers if isinstance(scorer, Scorer)]
    common = set(sets[0]).intersection(*sets[1:]) if sets else set()
    ranks = [set(scorer.ranks()) for scorer in scorers if isinstance(scorer, Scorer)]
    cuts = sorted(ranks[0].intersection(*ranks[1:])) if ranks else []
    outside = [metric.name for family in MEASURED_OUTSIDE for metric in family.metrics(cuts, ())]
    return (*(name for name in (sets[0] if sets else []) if name in common), *outside)


def _cut(text: str, named: Sequence[str], computed: Sequence[str]) -> str:
    """Return the cut-off for a metric that names none."""
    family = text.strip().removeprefix("-").partition("@")[0]
    own = [name.partition("@")[2] for name in computed if name.partition("@")[0] == family]
    if named and named[0] in own:
        return named[0]
    counts = sorted(int(cut) for cut in own if cut.isdigit())
    fitting = [k for k in counts if k <= _DEFAULT_CUT] or counts[:1]
    return str(fitting[-1]) if fitting else str(_DEFAULT_CUT)


def _refuse_unmeasured(objective: Objective, space: Space, computed: Sequence[str], owner: str) -> None:
    if objective.metric not in computed:
        bare = objective.metric.partition("@")[0]
        own = [name for name in computed if name.partition("@")[0] == bare]
        raise ConfigurationError(
            f"{owner} names '{shorten(objective.metric)}', which is not measured in every configuration; of "
            f"{bare} there are {', '.join(own) or 'none'}: name one of these, or set the score stage's "
            "cutoffs and budgets_tokens."
        )
    if objective.family != "ann_recall":
        return
    known = components("index")
    exact = [one.label for one in space.stage("index").alternatives if getattr(known[one.component], "exact", True)]
    if exact:
        raise ConfigurationError(
            f"{owner} names '{objective.metric}', which only an approximate index has, but the space holds "
            f"index: {exact[0]}; leave one of them out."
        )
