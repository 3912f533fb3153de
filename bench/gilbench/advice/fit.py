"""One fit over all heats of a race: how long each contender takes relative to the others, so that all ratios agree.

Contenders leave, and some race in one heat only. The ratio of two comes from every heat, also through a third that both raced
against: if a is twice b, and b three times c, then a is six times c.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gilbench.advice.racing import Contender, Heat
from gilbench.advice.thresholds import NOISE
from gilbench.stats import Estimate, Spread, moderated, own_spread, squared_error, student_quantile

JOINED: Final = 1e-6  # how far rounding may keep two contenders that did meet from being comparable


class Fit:
    """Generalized least squares: ln(seconds) = contender + round + process + chunk + noise.

    Contenders and rounds are fixed effects. Two processes of the same case differ permanently by NOISE.layout. The contenders
    in one process share that difference; they differ in their chunks only, and each by NOISE.chunk more. A contender counts in
    a heat by the median over its rounds; the noise of few rounds is estimated together with that of all others
    (`stats.moderated`). Mixed linear models: Searle, Casella and McCulloch, Variance Components, 1992, chapter 7.
    """

    def __init__(self, heats: Sequence[Heat]) -> None:
        self._relative = [_relative_to_pace(heat) for heat in heats]
        met = dict.fromkeys(contender for heat in heats for contender in heat.times)
        self._place = {contender: place for place, contender in enumerate(met)}
        own = [own_spread(logs) for relative in self._relative for logs in relative.values()]
        spreads = iter(moderated([spread.variance for spread in own], [spread.df for spread in own]))
        size = len(self._place)
        self._information, weighted = np.zeros((size, size)), np.zeros(size)
        for relative in filter(None, self._relative):
            weights = _weights(list(relative), [_error(next(spreads), len(logs)) for logs in relative.values()])
            places = [self._place[contender] for contender in relative]
            self._information[np.ix_(places, places)] += weights
            weighted[places] += weights @ [statistics.median(logs) for logs in relative.values()]
        self._covariance = np.linalg.pinv(self._information, rcond=1e-10, hermitian=True)
        self._effects = self._covariance @ weighted

    def ratio(self, above: Contender, below: Contender) -> Estimate | None:
        """Return the time of one over the other's, with a 95 % interval; None where they never met, even through others.

        Its `n` counts the heats that both ran in.
        """
        if above not in self._place or below not in self._place:
            return None
        contrast = np.zeros(len(self._place))
        contrast[self._place[above]] += 1.0
        contrast[self._place[below]] -= 1.0
        if not np.allclose(self._information @ (self._covariance @ contrast), contrast, atol=JOINED):
            return None
        center = float(contrast @ self._effects)
        half = student_quantile(NOISE.freedom, 0.975) * math.sqrt(
            max(0.0, float(contrast @ self._covariance @ contrast))
        )
        both = sum(above in relative and below in relative for relative in self._relative)
        return Estimate(math.exp(center), math.exp(center - half), math.exp(center + half), both)


def _relative_to_pace(heat: Heat) -> dict[Contender, list[float]]:
    """Return contender -> ln(seconds) in each of its rounds, relative to the pace of that round.

    The pace is the mean of those that took part in all rounds: what a round has in common cancels. Contenders without a
    finished round are left out.
    """
    logs = {
        contender: {i: math.log(seconds) for i, seconds in enumerate(times) if seconds is not None}
        for contender, times in heat.times.items()
    }
    steady = max(logs, key=lambda contender: (len(logs[contender]), -heat.median(contender)), default=None)
    if steady is None:
        return {}
    setters = [known for known in logs.values() if known.keys() >= logs[steady].keys()]
    pace = {i: statistics.fmean(known[i] for known in setters) for i in logs[steady]}
    return {
        contender: [known[i] - pace[i] for i in known if i in pace]
        for contender, known in logs.items()
        if known.keys() & pace
    }


def _error(spread: Spread, rounds: int) -> float:
    return squared_error(spread, rounds) if spread.df else NOISE.single_turn**2


def _weights(contenders: Sequence[Contender], errors: Sequence[float]) -> NDArray[np.float64]:
    """Return the information that one heat holds on its contenders' effects. Their common level is the heat's own: left open.

    errors: squared standard error of each within the heat.
    """
    alike = [[contender.process == other.process for other in contenders] for contender in contenders]
    weights = np.linalg.inv(NOISE.layout**2 * np.array(alike) + np.diag(np.array(errors) + NOISE.chunk**2 / 2))
    sums = weights.sum(axis=0)
    return np.asarray(weights - np.outer(sums, sums) / sums.sum(), dtype=float)
