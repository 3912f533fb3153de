"""Forest: every case of a check with its ratio, interval and verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilbench import units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import style
from gilbench.results.verdicts import KINDS, Kind, Line, Verdicts, ordered

OF: Final = "verdicts"  # it draws these instead of results
ROW: Final = 0.24  # inches
WIDEST: Final = 0.5  # largest ln(ratio) on the axis; beyond it, an arrow at the edge
STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # between ticks
# Okabe and Ito's colors, as in the other charts. The marks identify the verdicts without colors.
LOOKS: Final[dict[Kind, tuple[str, str]]] = {
    "regression": ("#D55E00", ">"),
    "failed": ("#000000", "X"),
    "inconclusive": ("#7F7F7F", "D"),
    "improvement": ("#009E73", "<"),
    "same": ("#0072B2", "o"),
}


def draw(verdicts: Sequence[Verdicts]) -> Figure:
    """Which cases became slower or faster, by how much, and how certain is that?"""
    found = [(check, ordered(check.lines)) for check in verdicts if check.lines]
    if not found:
        raise NothingToDraw("these verdicts have no case")
    heights = [len(lines) * ROW + (0.55 if len(found) > 1 else 0.3) for _, lines in found]
    kinds = {line.kind for _, lines in found for line in lines}
    figure = style.page(
        "\n".join(message(check) for check, _ in found),
        [],
        sum(heights) + 0.45,
        notes=[
            *(f"base: {style.plain(check.base, 90)}, head: {style.plain(check.head, 90)}" for check, _ in found),
            "Mark: the ratio; line: its 95 % interval. Changes within the band do not matter. "
            "Numbers: the change, and the epochs (or processes) behind it.",
        ],
        legend=[
            Line2D([], [], color=LOOKS[kind][0], marker=LOOKS[kind][1], markersize=6, label=kind)
            for kind in KINDS
            if kind in kinds
        ],
    )
    grid = figure.add_gridspec(len(found), 1, height_ratios=heights)
    reach = _reach([line for _, lines in found for line in lines])
    for index, (check, lines) in enumerate(found):
        axes = figure.add_subplot(grid[index, 0])
        _panel(axes, lines, reach)
        if len(found) > 1:
            axes.set_title(style.plain(f"{check.base} against {check.head}", 80))
    unit = "time of head / time of base" if verdicts[0].of == "time" else "speed-up of base / speed-up of head"
    axes.set_xlabel(f"{unit}, as a change (log scale): head is worse to the right")
    return figure


def message(verdicts: Verdicts) -> str:
    """Return the title: what got worse and by how much, or that nothing did."""
    worse = [line for line in ordered(verdicts.lines) if line.kind == "regression"]
    what = "slower" if verdicts.of == "time" else "worse"
    if worse:
        more = f", and {units.count(len(worse) - 1, 'more case')}" if len(worse) > 1 else ""
        how = "fails in head" if worse[0].reason else f"is {worse[0].ratio - 1:.0%} {what}"
        return f"{style.plain(worse[0].case, 60)} {how}{more}: {verdicts.headline}"
    return f"no case is {what} beyond doubt: {verdicts.headline}".capitalize()


def _reach(lines: Sequence[Line]) -> float:
    """Return how far the axis extends to either side, as ln(ratio)."""
    ends = [
        max(abs(math.log(line.high)), abs(math.log(line.low)))
        for line in lines
        if math.isfinite(line.ratio) and line.low > 0 and math.isfinite(line.high)
    ]
    return min(WIDEST, max([2.5 * math.log1p(line.threshold) for line in lines] + ends) * 1.08)


def _ticks(reach: float) -> list[float]:
    """Return round changes, as fractions, that fit between -reach and reach on the log scale."""
    step = next((step for step in STEPS if math.expm1(reach) <= 4 * step), STEPS[-1])
    changes = [step * i for i in range(-9, 10)]
    return [change for change in changes if change > -1 and abs(math.log1p(change)) <= reach]


def _panel(axes: Axes, lines: Sequence[Line], reach: float) -> None:
    """Draw one row per case on a log scale, where half and twice the time are equally far from 0."""
    axes.set_xlim(-reach, reach)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_yticks(range(len(lines)), [style.plain(line.case, 46) for line in lines])
    axes.tick_params(axis="y", length=0)
    changes = _ticks(reach)
    axes.set_xticks(
        [math.log1p(change) for change in changes], [f"{change:+.0%}" if change else "0" for change in changes]
    )
    for row, line in enumerate(lines):
        margin = math.log1p(line.threshold)
        axes.barh(row, 2 * margin, left=-margin, height=1, color=style.BAND, edgecolor="none", zorder=0)
        _row(axes, row, line, reach)
    axes.axvline(0, color="black", linewidth=1, zorder=1)


def _row(axes: Axes, row: int, line: Line, reach: float) -> None:
    color, marker = LOOKS[line.kind]
    beside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": style.TEXT}
    if line.reason or not math.isfinite(line.ratio):
        axes.text(0.01, row, style.plain(line.reason or "not measured", 70), color=color, **beside)
        return
    low, high = (
        math.log(end) if 0 < end < math.inf else math.copysign(math.inf, end - 1) for end in (line.low, line.high)
    )
    axes.plot([max(low, -reach), min(high, reach)], [row, row], color=color, linewidth=1.6, solid_capstyle="butt")
    axes.plot([min(max(math.log(line.ratio), -reach), reach)], [row], color=color, marker=marker, markersize=5.5)
    for beyond, end, arrow in ((low < -reach, -reach, "<"), (high > reach, reach, ">")):
        if beyond:
            axes.plot([end], [row], color=color, marker=arrow, markersize=4, clip_on=False)
    axes.text(1.01, row, f"{line.ratio - 1:+.1%}  {line.n}", **beside)
