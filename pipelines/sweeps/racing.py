"""Racing: configurations that are surely not the best are dropped before they have answered every question."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from pipelines.errors import ConfigurationError
from pipelines.records import BoolArray, DoubleArray, LongArray, Metric
from pipelines.sweeps.betting import SLACK, log_winnings


@dataclass(frozen=True)
class Dropped:
    """Configuration `index` left the race after `after_n` questions, above all because of `by`.

    `difference` is its mean minus that of `by` over the `n_shared` questions that both scored, `mean` and `by_mean`.
    `log_e` is the natural log of the evidence, at least log(1 / alpha); None where the questions still to come could
    not have turned the lead, whatever they brought.
    """

    index: int
    by: int
    after_n: int
    log_e: float | None
    difference: float
    mean: float
    by_mean: float
    n_shared: int

    def to_dict(self) -> dict[str, object]:
        """Return what JSON can hold."""
        return asdict(self)

    def sentence(self, n_questions: int, alpha: float, by_number: int) -> str:
        """Say it in a table's words; `by_number` is the number under which the user knows `by`."""
        return (
            f"dropped after {self.after_n:,} of {n_questions:,} questions: worse than #{by_number} "
            f"({self.mean:.2f} against {self.by_mean:.2f}), error rate {100 * alpha:g} % over the sweep"
        )


class Race:
    """A paired sequential test over many configurations, valid at every look, that may drop all but the leader.

    All answer the same questions in the same random order. For every pair, `log_winnings` bets that the rival is
    better over the whole table. A configuration is dropped at the first look by which the average of its rivals'
    winnings, once, has reached 1 / alpha.

    Error rate: let b be the best row of the full table. Against b, no rival's sum of differences is above 0, so each
    of its n_configurations - 1 rivals' winnings is a nonnegative supermartingale that begins with 1, in the one
    filtration of the questions seen; so is their average, which therefore reaches 1 / alpha with probability alpha at
    most. Leaving out a rival (it was dropped itself, or does not lead) only makes the sum smaller, while the divisor
    stays, so b is dropped with probability alpha at most, over all rivals, rounds and looks. This contains the union
    bound (one rival at (n_configurations - 1) / alpha suffices), and gains where several rivals are better.

    Decisions follow from the values and the settings alone: a resumed sweep decides the same.
    """

    def __init__(
        self,
        n_questions: int,
        n_configurations: int,
        *,
        alpha: float = 0.05,
        rounds: int = 5,
        seed: int = 0,
        higher_is_better: bool = True,
    ) -> None:
        """Set up a race of `n_configurations` over `n_questions`, looked at `rounds` times.

        Raises:
            ConfigurationError: for counts below 1, a negative seed or alpha outside 0 to 0.5.
        """
        for name, value, least in (
            ("n_questions", n_questions, 1),
            ("n_configurations", n_configurations, 1),
            ("rounds", rounds, 1),
            ("seed", seed, 0),
        ):
            if value < least:
                raise ConfigurationError(f"A race's {name} must be {least} or greater, but got {value}.")
        if not 0 < alpha <= 0.5:
            raise ConfigurationError(f"A race's alpha must be above 0 and at most 0.5, but got {alpha}; 0.05 is usual.")
        self.n_questions, self.n_configurations = n_questions, n_configurations
        self.alpha, self.n_rounds, self.seed = alpha, rounds, seed
        self.higher_is_better = higher_is_better

    def rounds(self) -> list[LongArray]:
        """Return the questions of each look: growing prefixes of one random order of positions, the last is all."""
        order = np.random.default_rng([self.seed, 2]).permutation(self.n_questions).astype(np.int64)
        sizes = {math.ceil(self.n_questions * r / self.n_rounds) for r in range(1, self.n_rounds + 1)}
        return [order[:size] for size in sorted(sizes)]

    def drop(self, values: DoubleArray, alive: BoolArray) -> list[Dropped]:
        """Return which of `alive`, bool [n_configurations], to drop at this look; all looks are independent calls.

        `values` is float64 [n_configurations, n_seen], the metric in [0, 1] in the order of `rounds()`, NaN where
        unscored; rows that are not alive are not looked at. A question that either of a pair did not score counts as
        a difference of 0 for that pair, which leaves the sum, and so the test, unharmed. Once all questions are seen
        nobody is dropped: the rows are full.

        Raises:
            ConfigurationError: for another shape, or values outside [0, 1].
        """
        self._check(values, alive)
        if values.shape[1] >= self.n_questions or self.n_configurations == 1:
            return []
        runners = np.flatnonzero(alive)
        better = values[runners] if self.higher_is_better else -values[runners]
        found = (self._against_all(better, i) for i in range(len(runners)))
        return [self._dropped(values, int(runners[i]), int(runners[f[0]]), f[1]) for i, f in enumerate(found) if f]

    def _against_all(self, better: DoubleArray, i: int) -> tuple[int, float] | None:
        """Return the rival that leads row `i` of `better` most surely, and the log evidence; None to keep it."""
        differences = np.nan_to_num(better - better[i], nan=0.0)
        rivals = np.flatnonzero(differences.sum(axis=1) > SLACK)
        if not len(rivals):
            return None
        won = log_winnings(differences[rivals], self.n_questions)
        evidence = _log_sum(won) - math.log(self.n_configurations - 1)
        look = int(evidence.argmax())
        if evidence[look] < -math.log(self.alpha):
            return None
        return int(rivals[won[:, look].argmax()]), float(evidence[look])

    def _dropped(self, values: DoubleArray, index: int, by: int, log_e: float) -> Dropped:
        shared = ~np.isnan(values[index]) & ~np.isnan(values[by])
        mean, by_mean = float(values[index, shared].mean()), float(values[by, shared].mean())
        evidence = log_e if math.isfinite(log_e) else None
        n_shared = int(np.count_nonzero(shared))
        return Dropped(index, by, values.shape[1], evidence, mean - by_mean, mean, by_mean, n_shared)

    def _check(self, values: DoubleArray, alive: BoolArray) -> None:
        if len(values) != self.n_configurations or alive.shape != (self.n_configurations,):
            raise ConfigurationError(
                f"The race was set up for {self.n_configurations} configurations, but got {len(values)} rows and "
                f"{alive.size} marks; give one of each for every configuration."
            )
        if values.shape[1] > self.n_questions:
            raise ConfigurationError(
                f"The race was set up for {self.n_questions} questions, but got values of {values.shape[1]}."
            )
        running = values[alive]
        if ((running < -SLACK) | (running > 1 + SLACK)).any():
            raise ConfigurationError(
                f"Racing needs values in [0, 1], but got {np.nanmin(running):g} to {np.nanmax(running):g}; "
                "race on a share such as recall, or turn racing off."
            )


def check_raceable(metric: Metric) -> None:
    """Refuse a metric whose range is not known: without bounds no number of questions makes a lead sure.

    Raises:
        ConfigurationError: for a metric with a unit.
    """
    if metric.unit is not None:
        raise ConfigurationError(
            f"Racing needs a first objective between 0 and 1, but {metric.name} is in {metric.unit}, without an upper "
            "bound; put a share such as recall first, or turn racing off."
        )


def _log_sum(logs: DoubleArray) -> DoubleArray:
    """Return log(sum(exp)) over the rows of [n_rows, n]; inf where one is."""
    top = logs.max(axis=0)
    base = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(over="ignore"):
        return np.asarray(base + np.log(np.exp(logs - base).sum(axis=0)))
