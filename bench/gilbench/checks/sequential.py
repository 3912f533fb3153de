"""The decision of the regression check: one log ratio per epoch, looked at after every epoch, explored, then confirmed.

A case is first *explored*: after every epoch from `Design.first_look` on, its ratio has an interval. An interval wholly
inside the threshold ends the case as `same`. Evidence that the ratio lies beyond the threshold makes the case a candidate,
and a candidate is *confirmed*: fresh epochs, tested alone, have to show the same again before a change is called.

Allowing for early looks: group-sequential boundaries of Wang and Tsiatis (Biometrics 43, 1987), with a look after every
epoch and the largest number of epochs fixed beforehand. The crossing probability is integrated exactly for normal
increments (Armitage, McPherson, and Rowe, J. R. Stat. Soc. A 132, 1969); t statistics are carried to the normal scale by
their significance level (Jennison and Turnbull, Group Sequential Methods, 2000, chapters 2.5, 3.8, and 9: repeated
intervals). A confidence sequence (t mixture: Lai 1976, Wang and Ramdas 2024) needs no largest number of epochs, but with
the epochs that a check can afford it finds a +6 % slowdown less often: in 84 % of tries, against 96 % at the same error.

Allowing for a family of cases: a case's p-value for a slowdown is `gate * p1` once its confirmation has passed at level
`gate`, where p1 is the sequential p-value of exploring, and 1 before. For fresh, independent epochs,
P(gate * p1 <= x and confirmed) <= x / gate * gate = x, whatever the epoch at which either stage stopped. So these p-values
can be given to Holm's procedure. Because a sequential p-value only falls, its steps may be taken while cases still run:
with r regressions called, every other case is tested at alpha / (cases - r). docs/simulate_statistics.py shows how well
this holds.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from gilbench.stats import exp, student_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

Kind = Literal["regression", "improvement", "same", "inconclusive"]
Step = Literal["explore", "confirm", "stop"]

SHAPE = 0.25
"""Wang and Tsiatis' exponent: between O'Brien and Fleming's 0 (strict early on) and Pocock's 0.5 (equal at every look)."""
TRIM = 0.1
"""Share of epochs cut from each end. Together with the wider error for correlated neighbors, it finds 91 instead of 96 % of
+6 % slowdowns with normal noise, but 84 instead of 67 % with one outlier in 20."""
MOST_CORRELATED = 0.6
"""The highest correlation of neighboring epochs that is believed."""
POWER = 0.8
"""The chance of being found that makes a change detectable."""


@dataclass(frozen=True)
class Design:
    """What is fixed before the first epoch of a case. The guarantees hold for no plan that is changed on the way.

    threshold: the change that matters, as a fraction: 0.03 is between 1 / 1.03 and 1.03.
    cases: size of the family. alpha: chance that any case of the family without a slowdown is called a regression.
    confidence: of the interval that is shown and that decides on `same`.
    exploring, confirming: the most epochs of either stage. first_look: the fewest epochs that say anything.

    Raises ValueError for values that make no sense.
    """

    threshold: float = 0.03
    cases: int = 1
    alpha: float = 0.01
    confidence: float = 0.95
    exploring: int = 30
    confirming: int = 30
    first_look: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.threshold < math.inf:
            raise ValueError(f"the threshold must be above 0: {self.threshold}")
        if self.cases < 1 or not 0 < self.alpha < 1 or not 0 < self.confidence < 1:
            raise ValueError(f"at least one case, alpha and confidence between 0 and 1: {self}")
        if not 3 <= self.first_look <= min(self.exploring, self.confirming):
            raise ValueError(f"3 <= first_look <= exploring, confirming: {self}")

    @property
    def margin(self) -> float:
        """The threshold as a log ratio."""
        return math.log1p(self.threshold)

    @property
    def gate(self) -> float:
        """The level of the confirmation alone: as strict as exploring is for a family with no regression called yet."""
        return math.sqrt(self.alpha / self.cases)


@dataclass(frozen=True)
class Verdict:
    """What is known about a case after its epochs so far, and what to do next.

    ratio, low, high: head over base and its interval, which holds even though the data was looked at after every epoch.
    detectable: the smallest slowdown, as a fraction, that would be found in 80 % of tries at this case's spread: with all the
    exploring that the design allows or, where the case was cut short (next is not stop), with the epochs so far.
    p_value: for a slowdown beyond the threshold, before Holm; 1 until confirmed.
    explored, confirmed: epochs in each stage.
    next: the stage that the next epoch belongs to, or `stop`.
    """

    kind: Kind
    ratio: float
    low: float
    high: float
    detectable: float
    p_value: float
    explored: int
    confirmed: int
    next: Step

    @property
    def n(self) -> int:
        """Epochs behind the ratio."""
        return self.explored + self.confirmed


@dataclass(frozen=True)
class Look:
    """Location of log ratios, of one series or of an array of them.

    center: trimmed mean. error: its standard error. df: degrees of freedom of Student's t. epochs: how many were seen,
    of a shape that broadcasts against the others.
    """

    center: FloatArray
    error: FloatArray
    df: FloatArray
    epochs: FloatArray


def decide(
    exploring: Sequence[float], confirming: Sequence[float] = (), *, design: Design, regressions: int = 0
) -> Verdict:
    """Return the verdict on a case so far, and which stage its next epoch belongs to.

    exploring, confirming: natural logs of head / base for the epochs of each stage, in the order measured.
    regressions: how many other cases of the family are called regressions by now (Holm's steps). When it grows, the cases
    that stopped have to be decided again: one that ended inconclusive may continue with `confirm`.

    Assumes that epochs are independent of each other (a weak correlation of neighbors widens the error), that none is left
    out because of its value, and that there are no more than the design allows. Before `first_look` epochs, the interval
    is 0 to infinity.

    The ratio is NaN without any epoch.

    Raises ValueError for more epochs than the design allows, confirming ones before the first look, infinite log ratios,
    and an impossible number of `regressions`.
    """
    _check(exploring, confirming, design, regressions)
    if len(exploring) < design.first_look:
        return _too_early(exploring)
    level = design.alpha / (design.cases - regressions) / design.gate  # Holm's step; Bonferroni for improvements
    bars = {
        1: critical(level, design.exploring, design.first_look),
        -1: critical(design.gate, design.exploring, design.first_look),
    }
    peaks = {side: _peak(exploring, side, design.exploring, design) for side in bars}
    side = next((side for side, bar in bars.items() if peaks[side] >= bar), 0)
    center, half = _interval(exploring, confirming, design)
    kind, step = _judge(side, center, half, exploring, confirming, design)
    chance = crossing_probability(peaks[1], design.exploring, design.first_look) if kind == "regression" else 1.0
    return Verdict(
        kind=kind,
        ratio=math.exp(center),
        low=math.exp(center - half),
        high=exp(center + half),
        detectable=_detectable(exploring, bars[1], step == "stop", design),
        p_value=design.gate * chance if kind == "regression" else 1.0,
        explored=len(exploring),
        confirmed=len(confirming),
        next=step,
    )


def look(log_ratios: FloatArray) -> Look:
    """Return the location of log ratios (shape (..., k), k >= 2, in the order measured): arrays of shape (...).

    Trimmed mean with its winsorized standard error; Student's t with as many degrees of freedom as values are left,
    less one (Tukey and McLaughlin, Sankhya A 25, 1963; Yuen, Biometrika 61, 1974). Fewer than ten are not trimmed. The
    squared error is widened by (1 + r) / (1 - r) where neighbors correlate: r is the correlation of the winsorized
    values plus 1 / k for its bias (Kendall, Biometrika 41, 1954), if positive.
    """
    import numpy as np

    k = log_ratios.shape[-1]
    cut = int(TRIM * k)
    left = k - 2 * cut
    ordered = np.sort(log_ratios, axis=-1)
    winsorized = np.clip(log_ratios, ordered[..., cut, None], ordered[..., k - 1 - cut, None])
    deviations = winsorized - winsorized.mean(axis=-1, keepdims=True)
    squares = (deviations**2).sum(axis=-1)
    products = (deviations[..., 1:] * deviations[..., :-1]).sum(axis=-1)
    correlation = np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0)
    believed = np.clip(correlation + 1 / k, 0, MOST_CORRELATED)
    error = np.sqrt(squares / (left * (left - 1)) * (1 + believed) / (1 - believed))
    return Look(ordered[..., cut : k - cut].mean(axis=-1), error, np.full_like(error, left - 1), np.asarray(float(k)))


def looks(log_ratios: FloatArray, first: int) -> Look:
    """Return what could be seen after each epoch from `first` on: log ratios (..., n) to arrays (..., n - first + 1)."""
    import numpy as np

    each = [look(log_ratios[..., :k]) for k in range(first, log_ratios.shape[-1] + 1)]
    return Look(
        center=np.stack([seen.center for seen in each], axis=-1),
        error=np.stack([seen.error for seen in each], axis=-1),
        df=np.stack([seen.df for seen in each], axis=-1),
        epochs=np.stack([seen.epochs for seen in each], axis=-1),
    )


def scores(seen: Look, margin: float, side: int, horizon: int) -> FloatArray:
    """Return each look's evidence that the ratio lies beyond the margin, on the scale of `critical`.

    margin: as a log ratio. side: 1 for slower than it, -1 for faster. horizon: the most epochs there may be.
    """
    import numpy as np
    from scipy.special import ndtri, stdtr

    beyond = side * seen.center - margin
    t = np.divide(beyond, seen.error, out=np.where(beyond == 0, 0.0, np.copysign(np.inf, beyond)), where=seen.error > 0)
    return np.asarray(-ndtri(stdtr(seen.df, -t)) * (seen.epochs / horizon) ** (0.5 - SHAPE))


def half_widths(seen: Look, confidence: float, horizon: int, first: int) -> FloatArray:
    """Return half the width of each look's interval, as a log ratio. These repeated intervals all hold at once."""
    import numpy as np
    from scipy.special import ndtr, stdtrit

    normal = critical((1 - confidence) / 2, horizon, first) * (seen.epochs / horizon) ** (SHAPE - 0.5)
    return np.asarray(-stdtrit(seen.df, ndtr(-normal)) * seen.error)


@lru_cache(maxsize=1024)
def critical(level: float, horizon: int, first: int) -> float:
    """Return the score that pure chance reaches, with probability `level`, at any look from `first` to `horizon`.

    level: one-sided; taken as 0.5 if larger.
    """
    low, high = 0.0, 10.0
    for _ in range(32):
        middle = (low + high) / 2
        low, high = (middle, high) if crossing_probability(middle, horizon, first) > min(level, 0.5) else (low, middle)
    return high


def crossing_probability(score: float, horizon: int, first: int) -> float:
    """Return the chance that a case without a difference beyond the margin reaches a score at any look: its p-value.

    The sum of k standard normals crosses score * k**SHAPE * horizon**(1/2 - SHAPE) for some k of first ... horizon.
    Integrated look by look over the sums that have not crossed, by Gauss-Legendre quadrature; the relative error is below
    1e-5.
    """
    import numpy as np
    from scipy.special import ndtr

    if math.isinf(score):
        return 0.0 if score > 0 else 1.0
    nodes, weights = _quadrature(24 + int(8 * math.sqrt(horizon)))
    bounds = score * np.arange(horizon + 1.0) ** SHAPE * horizon ** (0.5 - SHAPE)
    crossed = float(ndtr(-bounds[first] / math.sqrt(first)))
    sums: FloatArray = np.zeros(1)
    mass: FloatArray = np.ones(1)
    variance = float(first)
    for k in range(first, horizon):
        lowest = min(-7 * math.sqrt(k), bounds[k] - 1)
        scale = (bounds[k] - lowest) / 2
        reached = lowest + scale * (nodes + 1)
        density = np.exp(-((reached[:, None] - sums) ** 2) / (2 * variance)) @ mass / math.sqrt(2 * math.pi * variance)
        sums, mass, variance = reached, scale * weights * density, 1.0
        crossed += float(mass @ ndtr(sums - bounds[k + 1]))
    return min(1.0, crossed)


@lru_cache(maxsize=16)
def _quadrature(points: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes in -1 ... 1 and their weights. Cached: computing them takes longer than using them."""
    import numpy as np

    nodes, weights = np.polynomial.legendre.leggauss(points)
    return nodes, weights


def _check(exploring: Sequence[float], confirming: Sequence[float], design: Design, regressions: int) -> None:
    if len(exploring) > design.exploring or len(confirming) > design.confirming:
        raise ValueError(f"more epochs than planned: {len(exploring)} and {len(confirming)}, {design}")
    if confirming and len(exploring) < design.first_look:
        raise ValueError(f"nothing to confirm after {len(exploring)} epochs, before the first look")
    if not all(map(math.isfinite, (*exploring, *confirming))):
        raise ValueError("log ratios must be finite")
    if not 0 <= regressions < design.cases:
        raise ValueError(f"{regressions} other regressions in a family of {design.cases}")


def _too_early(exploring: Sequence[float]) -> Verdict:
    ratio = math.exp(statistics.median(exploring)) if exploring else math.nan
    return Verdict("inconclusive", ratio, 0.0, math.inf, math.inf, 1.0, len(exploring), 0, "explore")


def _peak(log_ratios: Sequence[float], side: int, horizon: int, design: Design) -> float:
    """Return the highest score of all looks so far; minus infinity before the first."""
    import numpy as np

    if len(log_ratios) < design.first_look:
        return -math.inf
    return float(scores(looks(np.array(log_ratios), design.first_look), design.margin, side, horizon).max())


def _interval(exploring: Sequence[float], confirming: Sequence[float], design: Design) -> tuple[float, float]:
    """Return center and half width of the interval over all epochs so far, as log ratios."""
    import numpy as np

    seen = look(np.array([*exploring, *confirming]))
    horizon = design.exploring + (design.confirming if confirming else 0)
    return float(seen.center), float(half_widths(seen, design.confidence, horizon, design.first_look))


def _judge(
    side: int,
    center: float,
    half: float,
    exploring: Sequence[float],
    confirming: Sequence[float],
    design: Design,
) -> tuple[Kind, Step]:
    """Return the kind and the next step. side: 1 or -1 for a candidate in that direction, 0 for no candidate."""
    inside = abs(center) + half <= design.margin
    if inside and not confirming:
        return "same", "stop"
    if side and not confirming:
        return "inconclusive", "confirm"
    if not confirming:
        return "inconclusive", "stop" if len(exploring) == design.exploring else "explore"
    again = _peak(confirming, side, design.confirming, design) if side else -math.inf
    if again >= critical(design.gate, design.confirming, design.first_look) and side * center - half > design.margin:
        return ("regression" if side > 0 else "improvement"), "stop"
    if side and len(confirming) < design.confirming:
        return "inconclusive", "confirm"
    return ("same" if inside else "inconclusive"), "stop"


def _detectable(exploring: Sequence[float], bar: float, complete: bool, design: Design) -> float:
    """Return the smallest slowdown that exploring and confirming together would find with a chance of `POWER`.

    bar: the score that exploring has to reach. complete: whether to assume all the exploring that the design allows.
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    seen, n = look(np.array(exploring)), len(exploring)
    epochs = design.exploring if complete else n
    t = -student_quantile(
        epochs - 2 * int(TRIM * epochs) - 1, float(ndtr(-bar * (epochs / design.exploring) ** (SHAPE - 0.5)))
    )
    error = float(seen.error) * math.sqrt(n / epochs)
    return math.expm1(design.margin + (t + float(ndtri(math.sqrt(POWER)))) * error)
