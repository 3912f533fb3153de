"""Estimates drawn with their intervals, and how to read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from gilbench.charts.drawing.style import Style
from gilbench.stats import Estimate

HOW_TO_READ: Final = "Mark: median over fresh processes; line: its 95 % interval."
ALONE: Final = "Hollow: a single process."
UNBOUNDED: Final = "Arrowhead: no known bound."


def alone(estimate: Estimate) -> bool:
    """Return whether an estimate rests on a single process; its mark is then hollow."""
    return estimate.n < 2


def open_below(estimate: Estimate) -> bool:
    """Return whether an estimate has no known lower bound. (Everything measured here is positive.)"""
    return estimate.low <= 0


def reading(estimates: Iterable[Estimate]) -> str:
    """Return a note on how to read the marks of these estimates."""
    found = list(estimates)
    parts = [HOW_TO_READ]
    parts += [ALONE] if any(map(alone, found)) else []
    parts += [UNBOUNDED] if any(open_below(estimate) or math.isinf(estimate.high) for estimate in found) else []
    return " ".join(parts)


def draw(
    axes: Axes,
    across: Sequence[float],
    up: Sequence[float],
    estimates: Sequence[Estimate],
    look: Style,
    *,
    vertical: bool = False,
    line: str = "none",
    size: float = 5.5,
    label: str = "",
    opacity: float = 1.0,
) -> None:
    """Draw estimates with their intervals along x, or along y if `vertical`. An unbounded end is an arrowhead.

    across, up: positions in data units; one of them holds the estimates' own values. line: linestyle between marks.
    """
    open_low = [open_below(estimate) for estimate in estimates]
    open_high = [math.isinf(estimate.high) for estimate in estimates]
    below = [0.0 if is_open else max(0.0, e.value - e.low) for e, is_open in zip(estimates, open_low, strict=True)]
    above = [0.0 if is_open else max(0.0, e.high - e.value) for e, is_open in zip(estimates, open_high, strict=True)]
    error = {"yerr" if vertical else "xerr": [below, above]}
    axes.errorbar(across, up, **error, fmt="none", ecolor=look.color, elinewidth=1.3, alpha=opacity, label=label)  # type: ignore[arg-type]
    if line != "none":
        axes.plot(across, up, color=look.color, linestyle=line, linewidth=1.1, alpha=0.75)
    for hollow in (False, True):
        chosen = [i for i, estimate in enumerate(estimates) if alone(estimate) is hollow]
        if not chosen:
            continue
        face = "white" if hollow else look.color
        x, y = [across[i] for i in chosen], [up[i] for i in chosen]
        axes.plot(
            x,
            y,
            color=look.color,
            marker=look.marker,
            linestyle="none",
            markersize=size,
            alpha=opacity,
            markerfacecolor=face,
            markeredgewidth=0.9,
            zorder=3,
        )
    for is_open, head, side in ((open_low, "v" if vertical else "<", -1), (open_high, "^" if vertical else ">", 1)):
        if chosen := [i for i, flag in enumerate(is_open) if flag]:
            _arrowheads(axes, [across[i] for i in chosen], [up[i] for i in chosen], head, side, vertical, look.color)


def _arrowheads(
    axes: Axes, x: Sequence[float], y: Sequence[float], head: str, side: int, vertical: bool, color: str
) -> None:
    """Put an arrowhead next to each mark, at the same distance on every scale."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    away = side * 6.5 / 72
    shift = ScaledTranslation(0 if vertical else away, away if vertical else 0, figure.dpi_scale_trans)
    axes.plot(x, y, head, color=color, markersize=3, transform=axes.transData + shift)
