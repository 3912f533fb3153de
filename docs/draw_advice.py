"""Draw what the advice is worth compared with simple rules: plots/reference/advice.svg and .png.

    python docs/draw_advice.py

Every dot is a target of results/reference/advice.jsonl: the time of what a rule advises over that of the best way to run it.
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from measure_advice import ADVICE, CLOSE, OUT, by_rule, groups
from scipy.stats import binomtest

from gilbench.charts import image
from gilbench.charts.drawing import scales, style
from gilbench.files import write

FOLDER: Final = Path(__file__).parents[1] / "plots" / "reference"
ROW: Final = 0.27  # inches
OURS: Final = style.STYLES["threads"].color


def draw(lines: Sequence[Mapping[str, Any]]) -> Figure:
    """How far from the best is what a rule advises?"""
    tables = {name: by_rule(members) for name, members in groups(lines).items() if members}
    highest = max(1 + regret for table in tables.values() for regrets in table.values() for regret in regrets)
    heights = [len(table) * ROW + 0.3 for table in tables.values()]
    figure = style.page(
        message(tables),
        [],
        sum(heights) + 0.6,
        notes=[
            f"{lines[-1]['cpus']} CPUs, Python {lines[-1]['python'].split()[0]}. Dot: a workload or function; shaded: within 5 % "
            "of the best way to run it. Right: the share of dots within it, with its 95 % interval."
        ],
    )
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    for index, (name, table) in enumerate(tables.items()):
        axes = figure.add_subplot(grid[index, 0])
        scales.ratio_axis(axes, "x", 0.93, highest * 1.1)
        axes.set_title(f"{style.sentence(name)}: {len(table[ADVICE])}")
        _panel(axes, table)
    axes.set_xlabel("time of what the rule advises / time of the best way measured (x, log scale)")
    return figure


def message(tables: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Return the title: how often the advice is close to the best, and how often the best simple rule is."""
    together: dict[str, list[float]] = {}
    for table in tables.values():
        for rule, regrets in table.items():
            together.setdefault(rule, []).extend(regrets)
    rules = {rule: statistics.fmean(regret <= CLOSE for regret in regrets) for rule, regrets in together.items()}
    own = rules.pop(ADVICE)
    best = max(rules, key=lambda rule: rules[rule])
    return (
        f"{ADVICE} comes within 5 % of the best on {own:.0%} of {len(together[ADVICE])} kinds of work; "
        f"the best simple rule ({best}) on {rules[best]:.0%}"
    )


def _panel(axes: Axes, table: Mapping[str, Sequence[float]]) -> None:
    chance = random.Random(1)
    axes.axvspan(0.9, 1 + CLOSE, color=style.PALE, linewidth=0, zorder=0)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_yticks(range(len(table)), [style.plain(rule) for rule in table])
    axes.tick_params(axis="y", length=0)
    for row, (rule, regrets) in enumerate(table.items()):
        heights = [row + chance.uniform(-0.28, 0.28) for _ in regrets]
        color = OURS if rule == ADVICE else style.GRAY
        axes.plot(
            [1 + regret for regret in regrets], heights, "o", color=color, markersize=3.2, alpha=0.55, markeredgewidth=0
        )
        within = binomtest(sum(regret <= CLOSE for regret in regrets), len(regrets))
        bounds = within.proportion_ci(method="wilson")
        text = f"{within.statistic:.0%} ({bounds.low:.0%} to {bounds.high:.0%})"
        weight = "bold" if rule == ADVICE else "normal"
        axes.text(1.015, row, text, transform=axes.get_yaxis_transform(), va="center", weight=weight)


def main() -> None:
    """Draw the chart and write it in both formats."""
    with style.house_style():
        figure = draw([json.loads(line) for line in OUT.read_text().splitlines()])
    for format in ("svg", "png"):
        write(FOLDER / f"advice.{format}", image(figure, format))


if __name__ == "__main__":
    main()
