"""Evidence that a rival is better, as the winnings of a bet: it may be looked at after every question."""

from __future__ import annotations

import numpy as np

from pipelines.records import DoubleArray

# The share of the most that may be staked: 0.85 lost the fewest questions of 0.5 to 0.95, by a little.
BOLDNESS = 0.85
# Counts as one question that has been seen before the first: keeps the first bets small.
PRIOR_VARIANCE = 0.25
# Rounding must not make a lead look certain, nor a bet boundless.
SLACK = 1e-9


def log_winnings(differences: DoubleArray, n_questions: int) -> DoubleArray:
    """Return the log of what a bettor against "the `n_questions` differences sum to 0 or less" owns after each.

    `differences` is float64 [..., n_seen], each in [-1, 1], drawn without replacement from a table of `n_questions`;
    the answer has its shape, inf where what is unseen cannot turn the sum any more. The bettor begins with 1 and
    stakes a share l(t) >= 0 on the next difference being above what the hypothesis allows for it:

        c(t) = -(d(1) + ... + d(t-1)) / (n_questions - t + 1)    the greatest mean of the unseen under the hypothesis
        owns(t) = owns(t-1) * (1 + l(t) * (d(t) - c(t)))

    Under the hypothesis E[d(t) | seen] <= c(t), so the bet is not favourable whatever has been seen before, and the
    winnings are a nonnegative supermartingale: they ever reach 1 / alpha with probability alpha at most (Ville 1939).
    l(t) only needs to be chosen before d(t) is seen and to leave the bettor solvent, l(t) <= 1 / (1 + c(t)); it is
    g / (variance + g**2), about what makes the winnings grow fastest, for g = mean so far - c(t) (Waudby-Smith and
    Ramdas 2024, sampling without replacement and approximate GRAPA).
    """
    d = differences
    t = np.arange(1, d.shape[-1] + 1)
    total, squares = (np.cumsum(a, axis=-1) - a for a in (d, d * d))  # before question t
    c = -total / (n_questions - t + 1)
    mean = total / t
    variance = (PRIOR_VARIANCE + squares - 2 * mean * total + (t - 1) * mean**2) / t
    edge = mean - c
    stake = edge / (np.maximum(variance, SLACK) + edge**2)
    stake = np.clip(stake, 0.0, BOLDNESS / np.maximum(1.0 + c, SLACK))
    won = np.cumsum(np.log1p(stake * (d - c)), axis=-1)
    return np.where(c < -1.0 - SLACK, np.inf, won)
