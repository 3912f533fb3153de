"""Statistics of plain results: medians, ratios and their intervals from a handful of processes per case.

Everything here works on the log scale, because timings are positive and compared by ratio, and on one number per
process, because values from the same process are not independent. docs/simulate_statistics.py shows how well it holds.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

MINIMUM_TO_SHARE = 4
"""With fewer cases than this, the spread of variances over cases is unknown, and `moderated` leaves them alone."""
NO_VARIANCE = 1e-12
"""A variance of logs up to this (a relative spread of a millionth) is below what a clock resolves."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval, all in the same unit. n: the number of independent processes behind it.

    Without an interval (n < 2), low is 0 and high is infinite.
    """

    value: float
    low: float
    high: float
    n: int


class Spread(NamedTuple):
    """Variance of the logs of a case's values (dimensionless), and its degrees of freedom; both 0 where it is unknown."""

    variance: float
    df: float


def estimate(
    values: Sequence[float], *, variance: float | None = None, df: float | None = None, confidence: float = 0.95
) -> Estimate:
    """Return the median of positive values, in their unit, with an interval for the median of the population.

    values: one per process. variance, df: spread of the log values to use instead of the sample's own, as `moderated`
    returns it; give both or neither. confidence: of the interval, between 0 and 1.
    The median of an even number of values is the geometric mean of the two in the middle.

    The interval is Student's t around the log median. It assumes independent values whose logs are symmetric about the
    median and not far from normal. Being centered on the median, it also withstands rare slow outliers, which an
    interval around the mean of the logs does not: at n = 30 with a skewness of 1.75, that one covers 84%, this one 97%.
    Sample variance and median of normal logs are nearly independent, and the median's variance is larger than the
    mean's by the factor that `_median_factor` returns.

    Raises ValueError for no values, for values that are not positive and finite, and for variance or df alone.
    """
    logs = _logs(values)
    spread = _given_or_own(logs, variance, df)
    return _on_ratio_scale(statistics.median(logs), squared_error(spread, len(logs)), spread.df, confidence, len(logs))


def ratio(
    numerator: Sequence[float],
    denominator: Sequence[float],
    *,
    numerator_spread: Spread | None = None,
    denominator_spread: Spread | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the ratio of the medians of two unpaired samples of positive values (dimensionless), with its interval.

    numerator, denominator: one value per process, both in the same unit. numerator_spread, denominator_spread: used
    instead of the samples' own, as `moderated` returns them. confidence: of the interval, between 0 and 1.

    Welch's t on the logs (Welch, Biometrika 34, 1947), centered on the medians; the value equals the quotient of
    what `estimate` returns for both; the assumptions are the same. The degrees of freedom are Satterthwaite's for the
    samples' own spreads. Moderated spreads share a prior, so their errors are not independent, as his formula assumes
    (it would cover 90 to 96%); for them the smaller of the two degrees of freedom is used (95 to 99%). n is that of the
    smaller sample.

    Raises ValueError for no values, and for values that are not positive and finite.
    """
    above, below = _logs(numerator), _logs(denominator)
    spreads = (numerator_spread or own_spread(above), denominator_spread or own_spread(below))
    errors = (squared_error(spreads[0], len(above)), squared_error(spreads[1], len(below)))
    moderate = numerator_spread is not None or denominator_spread is not None
    df = min(spread.df for spread in spreads) if moderate else _satterthwaite(errors, spreads)
    center, n = statistics.median(above) - statistics.median(below), min(len(above), len(below))
    return _on_ratio_scale(center, sum(errors), df, confidence, n)


def paired_ratio(
    log_ratios: Sequence[float], *, variance: float | None = None, df: float | None = None, confidence: float = 0.95
) -> Estimate:
    """Return the ratio behind log ratios that were each measured on a pair (an epoch), with its interval.

    log_ratios: natural logs, independent of each other. The value is their median on the ratio scale; everything else is
    as in `estimate`. For a fixed number of pairs: a rule that decides after every pair needs gilbench.checks.sequential.

    Raises ValueError for no log ratios, for infinite ones, and for variance or df alone.
    """
    if not log_ratios or not all(map(math.isfinite, log_ratios)):
        raise ValueError(f"log ratios must be finite, and at least one: {list(log_ratios)}")
    spread, n = _given_or_own(log_ratios, variance, df), len(log_ratios)
    return _on_ratio_scale(statistics.median(log_ratios), squared_error(spread, n), spread.df, confidence, n)


def log_spread(values: Sequence[float]) -> Spread:
    """Return the sample variance of the logs of positive values, and its degrees of freedom, n - 1.

    Raises ValueError for no values, and for values that are not positive and finite.
    """
    return own_spread(_logs(values))


def moderated(variances: Sequence[float], dfs: Sequence[float]) -> list[Spread]:
    """Return each case's variance, shrunk toward what all cases have in common, with its new degrees of freedom.

    variances, dfs: sample variances of log values and their degrees of freedom (n - 1), one per case. The result has the
    same length and order. Two processes say next to nothing about their own spread, but sixty cases say a lot about
    spreads.

    Empirical Bayes with a scaled inverse chi-squared prior (Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004: limma), its
    parameters from the moments of the log variances, weighted as Paule and Mandel do, because dfs differ between cases.
    It departs from limma in two ways, both toward wider intervals: the prior's degrees of freedom are computed from a
    spread over cases one standard error above its estimate, and from the uncertainty of the prior's location. With 6 to
    20 cases and two processes per case, limma's own cover 91 to 95%; these cover 94 to 98%.

    Cases with df 0 (a single process) get the prior itself. With fewer than four cases that show any spread, nothing is
    shared and variances are returned as they are. Cases that show none (equal values, at the clock's resolution) do not
    shape the prior, but are moved toward it. Raises ValueError for different lengths, and for negative or infinite input.
    """
    own = [Spread(variance, df) for variance, df in zip(variances, dfs, strict=True)]
    if not all(math.isfinite(number) and number >= 0 for spread in own for number in spread):
        raise ValueError(f"variances and degrees of freedom must be finite and not negative: {own}")
    known = [spread for spread in own if spread.df > 0 and spread.variance > NO_VARIANCE]
    if len(known) < MINIMUM_TO_SHARE:
        return [spread if spread.df > 0 else Spread(0.0, 0.0) for spread in own]
    prior, pooled_df = _prior(known), sum(spread.df for spread in known)
    return [_posterior(spread, prior, pooled_df) for spread in own]


def spatial_median(rows: Sequence[Sequence[float]], steps: int = 200) -> list[float]:
    """Return the point with the smallest sum of distances to all rows, which are points too: a robust center.

    Unlike the medians of the columns it is additive: where a column is the sum of others in every row, so it is in the center,
    nearly as in a mean. By Weiszfeld's iteration (Tohoku Mathematical Journal 43, 1937) with the step of Vardi and Zhang (PNAS
    97, 2000) replaced by a least distance. For up to two rows it is their mean. Raises ValueError without rows.

    >>> [round(part, 3) for part in spatial_median([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1], [9.0, 9.0]])]
    [0.05, 0.05]
    """
    if not rows:
        raise ValueError("a center needs at least one row")
    center = [statistics.fmean(column) for column in zip(*rows, strict=True)]
    if len(rows) <= 2:
        return center
    for _ in range(steps):
        weights = [1 / max(math.dist(row, center), 1e-9) for row in rows]
        before, center = (
            center,
            [
                math.fsum(weight * part for weight, part in zip(weights, column, strict=True)) / math.fsum(weights)
                for column in zip(*rows, strict=True)
            ],
        )
        if math.dist(before, center) < 1e-9:
            break
    return center


def quotient(above: Estimate, below: Estimate) -> Estimate:
    """Return above / below (dimensionless) for two independent estimates in the same unit, with an interval from theirs.

    MOVER on logs (Zou and Donner, Stat. Med. 27, 2008): the squared distances to the ends add up. For figures whose
    single values are not available. Moderated intervals keep what other cases contributed to them.
    """
    value = above.value / below.value
    down = math.hypot(_log_distance(above.low, above.value), _log_distance(below.value, below.high))
    up = math.hypot(_log_distance(above.value, above.high), _log_distance(below.low, below.value))
    high = math.inf if math.isinf(up) else value * math.exp(up)
    return Estimate(value, value * math.exp(-down), high, min(above.n, below.n))


def scaled(figure: Estimate, factor: float) -> Estimate:
    """Return the estimate in another unit: value and interval times a positive factor."""
    return Estimate(figure.value * factor, figure.low * factor, figure.high * factor, figure.n)


def total(first: Estimate, second: Estimate) -> Estimate:
    """Return first + second, measured in the same processes. The interval is the widest that both allow."""
    n = min(first.n, second.n)
    return Estimate(first.value + second.value, first.low + second.low, first.high + second.high, n)


def apart(first: Estimate, second: Estimate) -> bool:
    """Return whether two intervals do not overlap."""
    return first.low > second.high or second.low > first.high


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for being a family, in the order given (Holm, Scand. J. Stat. 6, 1979).

    Rejecting those at or below alpha keeps the probability of any false rejection in the family at alpha or less,
    however the tests depend on each other. Raises ValueError for a p-value outside 0 to 1.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values must lie between 0 and 1: {list(p_values)}")
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def relative_half_width(figure: Estimate) -> float:
    """Return half the interval's width over the value: the precision of a case, a fraction. Infinite where it is unknown."""
    return (figure.high - figure.low) / (2 * figure.value)


def student_quantile(df: float, probability: float) -> float:
    """Return a quantile of Student's t distribution. df may be infinite, which gives the normal distribution."""
    from scipy.special import ndtri, stdtrit  # 0.3 s to import

    return float(ndtri(probability) if math.isinf(df) else stdtrit(df, probability))


def _log_distance(low: float, high: float) -> float:
    return math.inf if low <= 0 or math.isinf(high) else math.log(high / low)


def _logs(values: Sequence[float]) -> list[float]:
    if not values or not all(math.isfinite(value) and value > 0 for value in values):
        raise ValueError(f"values must be positive and finite, and at least one: {list(values)}")
    return [math.log(value) for value in values]


def own_spread(logs: Sequence[float]) -> Spread:
    """Return the sample variance of log values, and its degrees of freedom; both 0 for fewer than two."""
    return Spread(statistics.variance(logs), len(logs) - 1) if len(logs) > 1 else Spread(0.0, 0.0)


def _given_or_own(logs: Sequence[float], variance: float | None, df: float | None) -> Spread:
    if variance is None and df is None:
        return own_spread(logs)
    if variance is None or df is None:
        raise ValueError("give both variance and df, or neither")
    return Spread(variance, df)


def _median_factor(n: int) -> float:
    """Return the variance of the median of n normal values over that of their mean: 1 for n <= 2, rising to pi / 2.

    A closed form with the right limits, within 3% of the exact values (David and Nagaraja, Order Statistics, 2003).
    """
    return math.pi / 2 * n / (n + math.pi / 2 - 1 if n % 2 else n + math.pi - 2)


def squared_error(spread: Spread, n: int) -> float:
    """Return the squared standard error of the median of the logs of n values with this spread."""
    return _median_factor(n) * spread.variance / n


def _satterthwaite(errors: Sequence[float], spreads: Sequence[Spread]) -> float:
    """Return the degrees of freedom of a sum of squared errors; 0 where one of them is unknown."""
    smallest = min(spread.df for spread in spreads)
    if smallest == 0 or sum(errors) == 0:
        return smallest
    inverse = sum((error / sum(errors)) ** 2 / spread.df for error, spread in zip(errors, spreads, strict=True))
    return 1 / inverse if inverse else math.inf


def _on_ratio_scale(center: float, squared_error: float, df: float, confidence: float, n: int) -> Estimate:
    """Return exp(center) with the interval of Student's t, from 0 to infinity where there are no degrees of freedom."""
    if df == 0:
        return Estimate(math.exp(center), 0.0, math.inf, n)
    half = student_quantile(df, (1 + confidence) / 2) * math.sqrt(squared_error)
    return Estimate(math.exp(center), math.exp(center - half), exp(center + half), n)


def exp(x: float) -> float:
    """Return e to the power of x, or infinity where a float cannot hold that."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _prior(known: Sequence[Spread]) -> Spread:
    """Return location and degrees of freedom of the prior of the variances. known: at least four cases, all with df > 0."""
    import numpy as np
    from scipy.special import digamma, polygamma

    variances, dfs = np.array(known).T
    logs = np.log(variances) - digamma(dfs / 2) + np.log(dfs / 2)
    noise = polygamma(1, dfs / 2)
    between = _paule_mandel(logs, noise)
    weights = 1 / (noise + between)
    center = float(np.average(logs, weights=weights))
    cautious = between + math.sqrt(2 / float(np.sum(weights**2))) + 1 / float(np.sum(weights))
    df = 2 * _inverse_trigamma(between) if between > 0 else math.inf
    bias = float(digamma(df / 2) - np.log(df / 2)) if math.isfinite(df) else 0.0
    return Spread(math.exp(center + bias), 2 * _inverse_trigamma(cautious))


def _posterior(own: Spread, prior: Spread, pooled_df: float) -> Spread:
    """Return the variance combined with the prior, with no more degrees of freedom than all cases have together."""
    df = own.df + prior.df
    return Spread((own.df * own.variance + prior.df * prior.variance) / df, min(df, pooled_df))


def _paule_mandel(figures: FloatArray, noise: FloatArray) -> float:
    """Return the variance between cases that explains how far the figures differ beyond their noise; 0 if none is needed.

    figures, noise: one per case; noise is a variance. Paule and Mandel, J. Res. Natl. Bur. Stand. 87, 1982: the root of
    the weighted sum of squares less its expectation, which falls with the variance between cases, found by bisection.
    """
    import numpy as np

    def excess(between: float) -> float:
        weights = 1 / (noise + between)
        center = np.average(figures, weights=weights)
        return float(np.sum(weights * (figures - center) ** 2)) - (len(figures) - 1)

    low, high = 0.0, float(np.var(figures, ddof=1))
    if excess(low) <= 0:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def _inverse_trigamma(x: float) -> float:
    """Return y with trigamma(y) = x > 0, by Newton's method on 1 / trigamma, which is convex (Smyth 2004, appendix)."""
    from scipy.special import polygamma

    if x > 1e7:
        return 1 / math.sqrt(x)
    if x < 1e-6:
        return 1 / x
    y = 0.5 + 1 / x
    for _ in range(50):
        trigamma = float(polygamma(1, y))
        step = trigamma * (1 - trigamma / x) / float(polygamma(2, y))
        y += step
        if -step < 1e-10 * y:
            break
    return y
