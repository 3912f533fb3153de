"""Axes with units, and figures with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from gilbench.charts.drawing.style import PALE, Style, tick
from gilbench.results.summary import Estimate

HOW_TO_READ: Final = "Mark: median over fresh processes; line: its 95 % interval."
ALONE: Final = "Hollow: a single process."
UNBOUNDED: Final = "Arrow heads: no bound known."
FINE: Final = (0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0)  # ticks over a short range
REACH: Final = 3.0  # an interval stretches an axis at most so many times beyond the outermost value


def alone(estimate: Estimate) -> bool:
    """Tell whether a single process stands behind an estimate: drawn hollow."""
    return estimate.n < 2


def open_below(estimate: Estimate) -> bool:
    """Tell whether nothing is known of how low it may be: everything measured here is positive."""
    return estimate.low <= 0


def reading(estimates: Iterable[Estimate]) -> str:
    """Return how to read the marks of these estimates."""
    found = list(estimates)
    parts = [HOW_TO_READ]
    parts += [ALONE] if any(map(alone, found)) else []
    parts += [UNBOUNDED] if any(open_below(estimate) or math.isinf(estimate.high) for estimate in found) else []
    return " ".join(parts)


def marks(
    axes: Axes,
    across: Sequence[float],
    up: Sequence[float],
    estimates: Sequence[Estimate],
    style: Style,
    *,
    vertical: bool = False,
    line: str = "none",
    size: float = 5.5,
    label: str = "",
    opacity: float = 1.0,
) -> None:
    """Draw estimates with their intervals: along x, or along y where `vertical`. An unbounded end is an arrow head.

    across, up: positions in data units; the estimates' own values are one of them. line: linestyle between marks.
    """
    open_low = [open_below(estimate) for estimate in estimates]
    open_high = [math.isinf(estimate.high) for estimate in estimates]
    below = [0.0 if is_open else max(0.0, e.value - e.low) for e, is_open in zip(estimates, open_low, strict=True)]
    above = [0.0 if is_open else max(0.0, e.high - e.value) for e, is_open in zip(estimates, open_high, strict=True)]
    error = {"yerr" if vertical else "xerr": [below, above]}
    axes.errorbar(across, up, **error, fmt="none", ecolor=style.colour, elinewidth=1.3, alpha=opacity, label=label)  # type: ignore[arg-type]
    if line != "none":
        axes.plot(across, up, color=style.colour, linestyle=line, linewidth=1.1, alpha=0.75)
    for hollow in (False, True):
        chosen = [i for i, estimate in enumerate(estimates) if alone(estimate) is hollow]
        if not chosen:
            continue
        face = "white" if hollow else style.colour
        x, y = [across[i] for i in chosen], [up[i] for i in chosen]
        look = {
            "color": style.colour,
            "marker": style.marker,
            "linestyle": "none",
            "markersize": size,
            "alpha": opacity,
        }
        axes.plot(x, y, markerfacecolor=face, markeredgewidth=0.9, zorder=3, **look)  # type: ignore[arg-type]
    for is_open, head, side in ((open_low, "v" if vertical else "<", -1), (open_high, "^" if vertical else ">", 1)):
        if chosen := [i for i, flag in enumerate(is_open) if flag]:
            _arrow_heads(axes, [across[i] for i in chosen], [up[i] for i in chosen], head, side, vertical, style.colour)


def _arrow_heads(
    axes: Axes, x: Sequence[float], y: Sequence[float], head: str, side: int, vertical: bool, colour: str
) -> None:
    """Put an arrow head next to each mark, at the same distance whatever the scale."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    away = side * 6.5 / 72
    shift = ScaledTranslation(0 if vertical else away, away if vertical else 0, figure.dpi_scale_trans)
    axes.plot(x, y, head, color=colour, markersize=3, transform=axes.transData + shift)


def log_limits(estimates: Iterable[Estimate], include: Iterable[float] = (), pad: float = 1.15) -> tuple[float, float]:
    """Return limits for a log axis around all values and, within reason, their intervals. A wide one is cut off."""
    found = list(estimates)
    values = [*(estimate.value for estimate in found), *include]
    low, high = min(values), max(values)
    lows = [estimate.low for estimate in found if not open_below(estimate)]
    highs = [estimate.high for estimate in found if math.isfinite(estimate.high)]
    return max(min([low, *lows]), low / REACH) / pad, min(max([high, *highs]), high * REACH) * pad


def fixed(axis: Axis, ticks: Sequence[float], labels: Sequence[str]) -> None:
    """Set the ticks by hand: matplotlib's own labels of log axes are mathtext, and too few over a short range."""
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_major_formatter(FixedFormatter(list(labels)))
    axis.set_minor_locator(NullLocator())
    axis.grid(True, color=PALE, linewidth=0.6)


def ratio_axis(axes: Axes, which: str, low: float, high: float, ticks: int = 9) -> None:
    """Make an axis ("x" or "y") logarithmic in steps of two: 1/2, 1, 2; in finer ones over a short range."""
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
    """Make an axis logarithmic with ticks at 1, 2 and 5 times powers of ten, labelled with their units by `name`."""
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
    """Return at most `most` round values in [low, high], fairly even on a log axis; at least two where any fit."""
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
    """Make the x axis logarithmic in bytes, with at most four ticks: at the sizes that were measured."""
    _log(axes, "x", low, high, base=2)
    apart = (math.log2(high) - math.log2(low)) / 4.5
    ticks: list[float] = []
    for size in sizes:
        if not ticks or math.log2(size / ticks[-1]) >= apart:
            ticks.append(size)
    fixed(axes.xaxis, ticks, [tick(name(value)) for value in ticks])
