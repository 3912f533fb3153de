"""Axes with units: linear and logarithmic scales, with ticks at round figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from gilbench.charts.drawing.intervals import open_below
from gilbench.charts.drawing.style import PALE, tick
from gilbench.stats import Estimate

FINE: Final = (0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0)  # ticks over a short range
REACH: Final = 3.0  # an interval stretches an axis to at most this many times the outermost value


def log_limits(estimates: Iterable[Estimate], include: Iterable[float] = (), pad: float = 1.15) -> tuple[float, float]:
    """Return limits for a log axis around all values and, up to REACH, their intervals. Wider ones are cut off."""
    found = list(estimates)
    values = [*(estimate.value for estimate in found), *include]
    low, high = min(values), max(values)
    lows = [estimate.low for estimate in found if not open_below(estimate)]
    highs = [estimate.high for estimate in found if math.isfinite(estimate.high)]
    return max(min([low, *lows]), low / REACH) / pad, min(max([high, *highs]), high * REACH) * pad


def fixed(axis: Axis, ticks: Sequence[float], labels: Sequence[str]) -> None:
    """Set the ticks by hand: on log axes matplotlib labels them in mathtext, and too sparsely over a short range."""
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_major_formatter(FixedFormatter(list(labels)))
    axis.set_minor_locator(NullLocator())
    axis.grid(True, color=PALE, linewidth=0.6)


def ratio_axis(axes: Axes, which: str, low: float, high: float, ticks: int = 9) -> None:
    """Make an axis ("x" or "y") logarithmic in steps of two (1/2x, 1x, 2x), or in finer steps over a short range."""
    _log(axes, which, low, high, base=2)
    axis = axes.xaxis if which == "x" else axes.yaxis
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    if last - first < 2:
        fine = [value for value in FINE if low <= value <= high]
        fixed(axis, fine, [f"{value:g}x" for value in fine])
        return
    step = math.ceil((last - first + 1) / ticks)
    powers = [power for power in range(first, last + 1) if power % step == 0]
    labels = [f"{2**power}x" if power >= 0 else f"1/{2**-power}x" for power in powers]
    fixed(axis, [2.0**power for power in powers], labels)


def unit_axis(axes: Axes, which: str, low: float, high: float, name: Callable[[float], str], ticks: int = 6) -> None:
    """Make an axis ("x" or "y") logarithmic, with ticks at 1, 2 and 5 times powers of ten. `name` adds their units."""
    _log(axes, which, low, high, base=10)
    found = log_ticks(low, high, ticks)
    fixed(axes.xaxis if which == "x" else axes.yaxis, found, [tick(name(value)) for value in found])


def _log(axes: Axes, which: str, low: float, high: float, base: int) -> None:
    if which == "x":
        axes.set_xscale("log", base=base)
        axes.set_xlim(low, high)
    else:
        axes.set_yscale("log", base=base)
        axes.set_ylim(low, high)


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most `most` round values in [low, high], fairly evenly spaced on a log axis; at least two if any fit."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in ((1, 2, 5), (1, 3), (1,)):
        values = [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
        inside = [value for value in values if low <= value <= high]
        if 3 <= len(inside) <= most:
            return inside
    if len(inside) > most:
        every = math.ceil(len(inside) / most)
        return inside[::every]
    even = MaxNLocator(max(2, most - 2), steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(value) for value in even if low <= value <= high]


def size_axis(axes: Axes, low: float, high: float, sizes: Sequence[float], name: Callable[[float], str]) -> None:
    """Make the x axis logarithmic in bytes, with at most four ticks, all at sizes that were measured."""
    _log(axes, "x", low, high, base=2)
    distance = (math.log2(high) - math.log2(low)) / 4.5
    ticks: list[float] = []
    for size in sizes:
        if not ticks or math.log2(size / ticks[-1]) >= distance:
            ticks.append(size)
    fixed(axes.xaxis, ticks, [tick(name(value)) for value in ticks])
