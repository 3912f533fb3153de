"""Simulate what the statistics promise, and print the results as Markdown tables.

    python docs/simulate_statistics.py [--runs 10000] [--seed 1]

Part 1: the regression check (gilbench.checks.sequential) on whole families of cases. Part 2: the same with group-sequential
boundaries and with a confidence sequence. Part 3: intervals of plain results (gilbench.stats). It is seeded, and takes
about two minutes on one core.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gilbench import stats
from gilbench.checks import sequential
from gilbench.checks.sequential import Design

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Row = list[str]
Pair = tuple[stats.Estimate, stats.Estimate]
Draw = Callable[[np.random.Generator, int, int], Array]

EPOCH_SPREAD = 0.035
"""Standard deviation of an epoch's log ratio, as the prototype measured it for a pure-Python loop."""
RATES = Path(__file__).parents[1] / "results" / "reference" / "check-rates.jsonl"
BLOCK = 4  # consecutive epochs that are drawn together


def normal(rng: np.random.Generator, series: int, epochs: int) -> Array:
    """Independent normal noise."""
    return rng.standard_normal((series, epochs))


def heavy(rng: np.random.Generator, series: int, epochs: int) -> Array:
    """Student's t with 3 degrees of freedom, scaled to unit variance."""
    return rng.standard_t(3, (series, epochs)) / math.sqrt(3)


def outliers(rng: np.random.Generator, series: int, epochs: int) -> Array:
    """Normal noise, with one value in 20 far off to either side."""
    far = rng.random((series, epochs)) < 0.05
    return rng.standard_normal((series, epochs)) * np.where(far, 6, 1)


def correlated(rng: np.random.Generator, series: int, epochs: int) -> Array:
    """First-order autoregression, correlation of neighbors 0.3, unit variance."""
    noise = rng.standard_normal((series, epochs))
    for epoch in range(1, epochs):
        noise[:, epoch] = 0.3 * noise[:, epoch - 1] + math.sqrt(1 - 0.3**2) * noise[:, epoch]
    return noise


def drifting(amount: float) -> Draw:
    """Normal noise on a linear drift. amount: standard deviations from the first epoch to the last, up or down.

    The drift is that of the log ratio, which is what remains after the arms took turns. The truth is the mean of all
    epochs.
    """

    def draw(rng: np.random.Generator, series: int, epochs: int) -> Array:
        direction = rng.choice([-1.0, 1.0], (series, 1))
        return rng.standard_normal((series, epochs)) + direction * amount * np.linspace(-0.5, 0.5, epochs)

    return draw


def resampled(rng: np.random.Generator, series: int, epochs: int) -> Array:
    """Epochs of real checks whose arms were equal (docs/measure_check.py), drawn in blocks of four consecutive ones.

    Each series is of one case. With equal arms a block could just as well have had the opposite sign, so its sign is random.
    """
    found = np.empty((series, epochs))
    blocks = real_blocks()
    for index, case in enumerate(rng.integers(len(blocks), size=series)):
        chosen = blocks[case][rng.integers(len(blocks[case]), size=-(-epochs // BLOCK))]
        signs = rng.choice([-1.0, 1.0], (len(chosen), 1))
        found[index] = (chosen * signs).ravel()[:epochs]
    return found / EPOCH_SPREAD


@functools.cache
def real_blocks() -> list[Array]:
    """Return, for each case, all blocks of consecutive epochs: log ratios of shape (blocks, BLOCK)."""
    blocks: dict[str, list[list[float]]] = {}
    for line in map(json.loads, RATES.read_text().splitlines()):
        if line["what"] in ("equal", "unrelated"):
            logs = line["logs"]
            blocks.setdefault(line["case"], []).extend(logs[i : i + BLOCK] for i in range(len(logs) - BLOCK + 1))
    return [np.array(found) for found in blocks.values()]


def slow_outliers(rng: np.random.Generator, series: int, values: int) -> Array:
    """Normal noise, with one value in 20 slower by up to about ten standard deviations; median zero within 0.06."""
    late = (rng.random((series, values)) < 0.05) * rng.exponential(5, (series, values))
    return rng.standard_normal((series, values)) + late


def skewed(rng: np.random.Generator, series: int, values: int) -> Array:
    """Log-normal noise of skewness 1.75, median zero."""
    return (np.exp(0.5 * rng.standard_normal((series, values))) - 1) / 0.6


CHECK_NOISE: dict[str, Draw] = {
    "normal": normal,
    "heavy-tailed (t3)": heavy,
    "1 outlier in 20": outliers,
    "autocorrelated (0.3)": correlated,
    "drifting (0.5 sd)": drifting(0.5),
    "drifting (1 sd)": drifting(1.0),
    "real epochs, resampled": resampled,
}
PLAIN_NOISE: dict[str, Draw] = {
    "normal": normal,
    "heavy-tailed (t3)": heavy,
    "1 slow outlier in 20": slow_outliers,
    "skewed": skewed,
}


@dataclass(frozen=True)
class Outcome:
    """How series of epochs ended; all arrays have shape (series,). covered: the last interval contains the truth."""

    regression: Flags
    improvement: Flags
    same: Flags
    covered: Flags
    epochs: NDArray[np.int_]


def replay(log_ratios: Array, truth: float, design: Design, regressions: int = 0) -> Outcome:
    """Run `sequential.decide` epoch by epoch over many series at once: (series, exploring + confirming) log ratios.

    truth: the log ratio that the intervals should contain. tests/checks/test_sequential.py checks that every series ends as
    it does with `decide`.
    """
    first, fresh = design.first_look, log_ratios[:, design.exploring :]
    seen = sequential.looks(log_ratios[:, : design.exploring], first)
    half = sequential.half_widths(seen, design.confidence, design.exploring, first)
    inside = np.abs(seen.center) + half <= design.margin
    level = design.alpha / (design.cases - regressions) / design.gate
    slower = _reached(seen, 1, level, design.exploring, design)
    faster = _reached(seen, -1, design.gate, design.exploring, design)
    stop = _first(inside | slower | faster)
    same, center, width = (_at(values, stop) for values in (inside, seen.center, half))
    side = np.select([same, _at(slower, stop), _at(faster, stop)], [0, 1, -1], 0)
    called, epochs = np.zeros(len(side), bool), stop + first
    for direction in (1, -1):
        chosen = np.flatnonzero(side == direction)
        if not len(chosen):
            continue
        again = _reached(sequential.looks(fresh[chosen], first), direction, design.gate, design.confirming, design)
        for index, passed in zip(chosen, again, strict=True):
            explored = log_ratios[index, : epochs[index]]
            called[index], center[index], width[index], more = _confirm(
                explored, fresh[index], direction, passed, design
            )
            same[index] = not called[index] and abs(center[index]) + width[index] <= design.margin
            epochs[index] += more
    return Outcome(called & (side > 0), called & (side < 0), same, np.abs(center - truth) <= width, epochs)


def _reached(seen: sequential.Look, side: int, level: float, horizon: int, design: Design) -> Flags:
    bar = sequential.critical(level, horizon, design.first_look)
    return np.asarray(np.maximum.accumulate(sequential.scores(seen, design.margin, side, horizon), axis=-1) >= bar)


def _confirm(explored: Array, fresh: Array, side: int, passed: Flags, design: Design) -> tuple[bool, float, float, int]:
    """Return whether a candidate is called, center and half width of the interval, and the number of fresh epochs used."""
    first, horizon = design.first_look, design.exploring + design.confirming
    for n in [*(int(look) + first for look in np.flatnonzero(passed)), design.confirming]:
        seen = sequential.look(np.concatenate([explored, fresh[:n]]))
        center, half = float(seen.center), float(sequential.half_widths(seen, design.confidence, horizon, first))
        if passed[n - first] and side * center - half > design.margin:
            return True, center, half, n
    return False, center, half, design.confirming


def _first(hit: Flags) -> NDArray[np.int_]:
    """Return the index of the first true look of each series, or of its last look where there is none."""
    return np.asarray(np.where(hit.any(axis=1), hit.argmax(axis=1), hit.shape[1] - 1))


def _at(values: NDArray[Any], index: NDArray[np.int_]) -> NDArray[Any]:
    return np.take_along_axis(values, index[:, None], axis=1)[:, 0].copy()


def checked(draw: Draw, change: float, series: int, seed: int, design: Design, regressions: int = 0) -> Outcome:
    """Replay series of epochs in which head is slower. change: by what fraction."""
    truth = math.log1p(change)
    noise = draw(np.random.default_rng(seed), series, design.exploring + design.confirming)
    return replay(truth + EPOCH_SPREAD * noise, truth, design, regressions)


def families(runs: int, seed: int) -> Iterable[Row]:
    """Yield one row per noise: families of six cases without a change, and a single case with a change."""
    design = Design(cases=6)
    yield ["noise", "false alarms", "false improvements", "coverage", "`same`", "epochs"] + [
        "+6 % found",
        "+10 % found",
    ]
    for name, draw in CHECK_NOISE.items():
        equal = checked(draw, 0.0, runs * design.cases, seed, design)
        slower = [checked(draw, change, runs, seed, design) for change in (0.06, 0.10)]
        yield [
            name,
            percent(any_in_family(equal.regression, design.cases)),
            percent(any_in_family(equal.improvement, design.cases)),
            percent(equal.covered),
            percent(equal.same),
            epochs(equal),
            *(f"{percent(found.regression)} in {epochs(found)}" for found in slower),
        ]


def boundary(runs: int, seed: int) -> Iterable[Row]:
    """Yield one row per noise: a change exactly as large as the threshold, where false alarms are most likely."""
    design = Design(cases=6)
    yield ["noise", "false alarms, six such cases", "three such cases, three called", "coverage"]
    for name, draw in CHECK_NOISE.items():
        at_threshold = checked(draw, design.threshold, runs * design.cases, seed, design)
        others_called = checked(draw, design.threshold, runs * 3, seed + 1, design, regressions=3)
        yield [
            name,
            percent(any_in_family(at_threshold.regression, design.cases)),
            percent(any_in_family(others_called.regression, 3)),
            percent(at_threshold.covered),
        ]


def spreads(runs: int, seed: int) -> Iterable[Row]:
    """Yield one row per spread of an epoch: what is found, and what the check says it could find."""
    design = Design(cases=6)
    yield ["spread of an epoch", "+6 % found", "+10 % found", "equal: `same`", "`detectable` says", "of which found"]
    for spread in (0.02, 0.035, 0.05, 0.07):
        noise = normal(np.random.default_rng(seed), runs, design.exploring + design.confirming) * spread
        detectable = float(
            np.median(
                [sequential.decide(logs.tolist(), design=design).detectable for logs in noise[:200, : design.exploring]]
            )
        )
        found = [
            replay(math.log1p(change) + noise, math.log1p(change), design) for change in (0.06, 0.10, 0.0, detectable)
        ]
        shares = [percent(found[0].regression), percent(found[1].regression), percent(found[2].same)]
        yield [f"{100 * spread:.1f} %", *shares, f"+{100 * detectable:.1f} %", percent(found[3].regression)]


def lengths(runs: int, seed: int) -> Iterable[Row]:
    """Yield one row per number of epochs allowed: what more, shorter epochs would find."""
    spreads = (0.035, 0.05, 0.07)
    yield ["epochs allowed", *(f"+6 % found at {100 * spread:.1f} %" for spread in spreads), "equal at 3.5 %: `same`"]
    for most in (20, 30, 45, 60):
        design = Design(cases=6, exploring=most, confirming=most)
        noise = normal(np.random.default_rng(seed), runs, 2 * most)
        found = [replay(math.log1p(0.06) + spread * noise, math.log1p(0.06), design) for spread in spreads]
        equal = replay(EPOCH_SPREAD * noise, 0.0, design)
        cells = [f"{percent(outcome.regression)} in {epochs(outcome)}" for outcome in found]
        yield [f"{most} + {most}", *cells, f"{percent(equal.same)} in {epochs(equal)}"]


def rivals(runs: int, seed: int) -> Iterable[Row]:
    """Yield one row per rule: one stage of 40 epochs at the level of one case in six at 1 %, no confirmation."""
    horizon, first, level, margin = 40, 5, 0.01 / 6, math.log1p(0.03)
    yield ["rule", "location", "normal: +6 % found", "+10 % after", "outliers: +6 % found", "boundary: false alarms"]
    noises = [EPOCH_SPREAD * draw(np.random.default_rng(seed), runs, horizon) for draw in (normal, outliers)]
    for rule, location, evidence, bar in (
        ("group-sequential", "trimmed mean, error widened", _boundary, sequential.critical(level, horizon, first)),
        ("group-sequential", "mean", _mean_boundary, sequential.critical(level, horizon, first)),
        ("confidence sequence", "mean", _mixture, -math.log(level)),
    ):
        hits = [
            evidence(noise + math.log1p(change) - margin, first) >= bar
            for noise, change in ((noises[0], 0.06), (noises[0], 0.10), (noises[1], 0.06), (noises[0], 0.03))
        ]
        found = [percent(any_in_family(hit, horizon - first + 1)) for hit in hits]
        yield [rule, location, found[0], f"{np.median(_first(hits[1])) + first:.0f} epochs", found[2], found[3]]


def _boundary(excess: Array, first: int) -> Array:
    return sequential.scores(sequential.looks(excess, first), 0.0, 1, excess.shape[1])


def _mean_boundary(excess: Array, first: int) -> Array:
    return sequential.scores(_plain_looks(excess, first), 0.0, 1, excess.shape[1])


def _mixture(excess: Array, first: int) -> Array:
    """Return the log e-value of Student's t mixed over effects (Lai 1976; Wang and Ramdas 2024), doubled for one side."""
    seen, spread = _plain_looks(excess, first), 0.5
    n, squared = seen.epochs, (seen.center / seen.error) ** 2
    gain = np.log1p(squared / (n - 1)) - np.log1p(squared / (n - 1) / (1 + n * spread))
    return np.asarray(np.where(seen.center > 0, math.log(2) + n / 2 * gain - np.log1p(n * spread) / 2, -np.inf))


def _plain_looks(log_ratios: Array, first: int) -> sequential.Look:
    """Return the mean and its ordinary standard error after each epoch."""
    n = np.arange(1.0, log_ratios.shape[1] + 1)
    center = log_ratios.cumsum(axis=1) / n
    squares = np.maximum((log_ratios**2).cumsum(axis=1) - n * center**2, 0)
    error = np.sqrt(squares / np.maximum(n - 1, 1) / n)
    return sequential.Look(
        *(values[..., first - 1 :] for values in (center, error, np.broadcast_to(n - 1, error.shape), n))
    )


def plain(runs: int, seed: int) -> Iterable[Row]:
    """Yield one row per noise: coverage of `stats.estimate` by number of processes, without help from other cases."""
    counts = (2, 3, 5, 10, 30)
    yield ["noise", *(f"n = {n}" for n in counts), "mean instead of median, n = 30"]
    for name, draw in PLAIN_NOISE.items():
        rng = np.random.default_rng(seed)
        truth = float(np.median(draw(rng, 1000, 1000)))
        samples = [0.03 * (draw(rng, runs, n) - truth) for n in counts]
        mean = _plain_looks(samples[-1], counts[-1])
        around_mean = np.abs(mean.center) <= stats.student_quantile(counts[-1] - 1, 0.975) * mean.error
        yield [
            name,
            *(percent(_contains_one(map(stats.estimate, np.exp(sample).tolist()))) for sample in samples),
            percent(around_mean),
        ]


def shared(runs: int, seed: int) -> Iterable[Row]:
    """Yield one row per number of cases and processes: what sharing the spread between cases does."""
    yield ["cases", "processes", "coverage", "width, of unshared", "coverage of ratios", "width, of unshared"]
    rng = np.random.default_rng(seed)
    for cases in (6, 20, 60):
        for n in (2, 3, 5):
            figures = [_one_family(rng, cases, n) for _ in range(max(1, runs // cases))]
            singles, ratios = ([pair for family in figures for pair in family[part]] for part in (0, 1))
            cells = []
            for pairs in (singles, ratios):
                cells += [
                    percent(_contains_one(with_prior for with_prior, _ in pairs)),
                    f"{_relative_width(pairs):.2f}",
                ]
            yield [str(cases), str(n), *cells]


def _one_family(rng: np.random.Generator, cases: int, n: int) -> tuple[list[Pair], list[Pair]]:
    """Return estimates and ratios of cases with equal medians and log-normal spreads, shared and unshared."""
    spread = 0.03 * np.exp(0.35 * rng.standard_normal((cases, 1)))
    samples: list[list[float]] = np.exp(spread * rng.standard_normal((cases, n))).tolist()
    own = [stats.log_spread(sample) for sample in samples]
    prior = stats.moderated([spread.variance for spread in own], [spread.df for spread in own])
    singles = [
        (stats.estimate(sample, variance=with_prior.variance, df=with_prior.df), stats.estimate(sample))
        for sample, with_prior in zip(samples, prior, strict=True)
    ]
    ratios = [
        (
            stats.ratio(samples[i], samples[i + 1], numerator_spread=prior[i], denominator_spread=prior[i + 1]),
            stats.ratio(samples[i], samples[i + 1]),
        )
        for i in range(0, cases - 1, 2)
    ]
    return singles, ratios


def stopping(runs: int, seed: int) -> Iterable[Row]:
    """Yield one row per rule: coverage of 30 cases that each stop at 3 % precision, 2 to 15 processes."""
    yield ["spread of log values", "coverage", "processes per case"]
    for name, share in (("shared between cases", True), ("each case's own", False)):
        rng, covered, used = np.random.default_rng(seed), [], []
        for _ in range(max(1, runs // 300)):
            estimates = _until_precise(rng, share)
            covered += _contains_one(estimates)
            used += [estimate.n for estimate in estimates]
        yield [name, percent(covered), f"{np.mean(used):.1f}"]


def _until_precise(
    rng: np.random.Generator, share: bool, precision: float = 0.03, most: int = 15
) -> list[stats.Estimate]:
    """Return the final estimates of 30 cases, each measured until its interval is narrow enough."""
    spread = 0.03 * np.exp(0.35 * rng.standard_normal((30, 1)))
    values = np.exp(spread * rng.standard_normal((30, most)))
    counts = np.full(30, 2)
    while True:
        samples = [row[:n].tolist() for row, n in zip(values, counts, strict=True)]
        own = [stats.log_spread(sample) for sample in samples]
        used = stats.moderated([spread.variance for spread in own], [spread.df for spread in own]) if share else own
        estimates = [
            stats.estimate(sample, variance=spread.variance, df=spread.df)
            for sample, spread in zip(samples, used, strict=True)
        ]
        wide = [stats.relative_half_width(estimate) > precision and estimate.n < most for estimate in estimates]
        if not any(wide):
            return estimates
        counts[wide] += 1


def any_in_family(flags: Flags, cases: int) -> Flags:
    """Return, for each family of `cases` cases, whether any case has the flag."""
    return np.asarray(flags.reshape(-1, cases).any(axis=1))


def percent(flags: Iterable[bool] | Flags) -> str:
    """Return the percentage of true flags."""
    return f"{100 * float(np.mean(list(flags))):.2f} %"


def epochs(outcome: Outcome) -> str:
    """Return the median and the 95th percentile of the number of epochs used."""
    return f"{np.median(outcome.epochs):.0f} ({np.quantile(outcome.epochs, 0.95):.0f})"


def _contains_one(estimates: Iterable[stats.Estimate]) -> list[bool]:
    return [estimate.low <= 1 <= estimate.high for estimate in estimates]


def _relative_width(pairs: Sequence[Pair]) -> float:
    """Return the median width of intervals with a shared spread, relative to those without, on the log scale."""
    widths = np.log([[estimate.high / estimate.low for estimate in pair] for pair in pairs])
    return float(np.median(widths[:, 0]) / np.median(widths[:, 1]))


PARTS: dict[str, Callable[[int, int], Iterable[Row]]] = {
    "The check: six cases, threshold 3 %, an epoch's spread 3.5 %. Epochs: median (95th percentile)": families,
    "At the threshold: every case really 3 % slower, which is not yet a regression": boundary,
    "Noisier and quieter cases (normal noise)": spreads,
    "More epochs, exploring + confirming (normal noise)": lengths,
    "Choice of rule: one stage, 40 epochs, 0.17 % false alarms wanted": rivals,
    "Plain results: coverage of 95 % intervals for one case alone": plain,
    "Plain results: spreads shared between cases": shared,
    "Plain results: coverage after stopping at 3 % precision": stopping,
}


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="families, or series, for each figure")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for title, rows in PARTS.items():
        header, *body = rows(options.runs, options.seed)
        lines = [header, ["---"] * len(header), *body]
        print(f"\n**{title}**\n", *("| " + " | ".join(line) + " |" for line in lines), sep="\n", flush=True)


if __name__ == "__main__":
    main()
