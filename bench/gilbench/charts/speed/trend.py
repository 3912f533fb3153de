"""Trend: each benchmark over the revisions of a project, with the changes that were found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gilbench import units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import style
from gilbench.explain.change_points import LEAST
from gilbench.explain.tracks import Change, Track

OF: Final = "history"  # it draws tracks instead of results
PANEL: Final = 1.85  # inches
MOST: Final = 8  # panels
SHORT: Final = 9  # characters of a commit
# Okabe and Ito's colors, as in the chart of a check. The marks tell slower from faster without colors.
SLOWER, FASTER, CHECK, LEVEL = "#D55E00", "#009E73", "#0072B2", "#000000"
STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # between ticks


def draw(tracks: Sequence[Track]) -> Figure:
    """Since which revision is each benchmark slower or faster, and by how much?"""
    found = sorted((track for track in tracks if track.points), key=lambda t: (not t.changes, t.benchmark))
    if not found:
        raise NothingToDraw("this history has no check: add one with `gilbench check --history FILE`")
    shown = found[:MOST]
    notes = [
        "Time against the first revision. Mark: a check, at the level of its base times the ratio measured; "
        "line: its 95 % interval. Black: the level found.",
        "Both sides of a check took turns on one machine, so a change of machine changes nothing here.",
    ]
    if len(found) > len(shown):
        notes.append(f"{units.count(len(found) - len(shown), 'more benchmark')}, with fewer changes: see the table.")
    figure = style.page(message(tracks), [], len(shown) * PANEL + 0.35, notes=notes, legend=_legend(shown))
    grid = figure.add_gridspec(len(shown), 1)
    for index, track in enumerate(shown):
        axes = figure.add_subplot(grid[index, 0])
        axes.set_title(style.plain(track.benchmark, 80))
        _panel(axes, track)
    figure.axes[-1].set_xlabel("revisions that were checked, by the time of their commits (number)")
    figure.axes[len(shown) // 2].set_ylabel("time (change)")
    return figure


def message(tracks: Sequence[Track]) -> str:
    """Return the title: the newest slowdown that lasts, or else the newest change, or that there is none."""
    newest = [
        (track.revisions[change.first].time, track.benchmark, change, track)
        for track in tracks
        for change in track.changes
    ]
    if not newest:
        count = max((len(track.revisions) for track in tracks), default=0)
        return f"No benchmark has changed in {units.count(count, 'revision')}"
    lasting = [item for item in newest if item[2].ratio.value > 1 and item[3].levels[-1] > math.exp(LEAST)]
    _, name, change, track = max(lasting or newest, key=lambda item: item[:2])
    word = "slower" if change.ratio.value > 1 else "faster"
    more = f"; {units.count(len(newest) - 1, 'more change')}" if len(newest) > 1 else ""
    commit = track.revisions[change.first].commit[:SHORT]
    return f"{style.plain(name, 60)} is {abs(change.ratio.value - 1):.0%} {word} since {commit}{more}"


def _legend(tracks: Sequence[Track]) -> list[Line2D]:
    kinds = {_look(change) for track in tracks for change in track.changes}
    entries = [("slower from here on", SLOWER, "^"), ("faster from here on", FASTER, "v")]
    return [
        Line2D([], [], color=CHECK, marker="o", markersize=3.5, label="check"),
        *(
            Line2D([], [], color=color, marker=marker, markersize=7, linestyle=":", label=label)
            for label, color, marker in entries
            if (color, marker) in kinds
        ),
    ]


def _look(change: Change) -> tuple[str, str]:
    return (SLOWER, "^") if change.ratio.value > 1 else (FASTER, "v")


def _panel(axes: Axes, track: Track) -> None:
    numbers = [point.revision for point in track.points]
    values, lows, highs = (
        [math.log(getattr(point.level, name)) for point in track.points] for name in ("value", "low", "high")
    )
    errors = [
        [value - low for value, low in zip(values, lows, strict=True)],
        [high - value for value, high in zip(values, highs, strict=True)],
    ]
    crowded = len(numbers) > 120
    axes.errorbar(
        numbers,
        values,
        yerr=errors,
        fmt="o",
        color=CHECK,
        ecolor=CHECK,
        markersize=1.8 if crowded else 3.5,
        elinewidth=0.5 if crowded else 1.1,
        alpha=0.45 if crowded else 0.8,
        zorder=2,
    )
    levels = [math.log(level) for level in track.levels]
    axes.step(range(len(levels)), levels, where="post", color=LEVEL, linewidth=1.5, zorder=3)
    # Room above for the names of the changes: in two rows, because changes may be close to each other.
    low, high = min([*levels, *values]) - 0.02, max([*levels, *values]) + 0.02
    span = high - low
    top = high + span * (0.5 if track.changes else 0.1)
    axes.set_ylim(low - 0.05 * span, top)
    last = len(track.revisions) - 1
    axes.set_xlim(-0.02 * last - 0.5, last * 1.02 + 0.5)
    ends = [-math.inf, -math.inf]  # of the names in each row
    for change in track.changes:
        color, marker = _look(change)
        axes.axvline(change.first, color=color, linestyle=":", linewidth=1.2, zorder=1)
        axes.plot([change.first], [levels[change.first]], color=color, marker=marker, markersize=7, zorder=4)
        text = f"{change.ratio.value - 1:+.0%} {track.revisions[change.first].commit[:SHORT]}"
        width = style.text_width(text) / 6.9 * last * 1.1
        left = min(change.first, last - width)
        row = next((row for row in (0, 1) if ends[row] < left), None)
        if row is not None:
            ends[row] = left + width
            place = top - span * (0.06 + 0.22 * row)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85}
            axes.text(left, place, f" {text}", color=color, va="top", fontsize=style.TEXT, zorder=5, bbox=box)
    step = next((step for step in STEPS if math.expm1(high) - math.expm1(low) <= 5 * step), STEPS[-1])
    ticks = [step * i for i in range(-40, 400) if step * i > -1 and low <= math.log1p(step * i) <= high]
    axes.set_yticks([math.log1p(tick) for tick in ticks], [f"{tick:+.0%}" if tick else "0" for tick in ticks])
    axes.grid(True, axis="y", color=style.PALE, linewidth=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
