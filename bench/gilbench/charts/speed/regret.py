"""Regret: what the default scheduler of each collection costs compared with the best one measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilbench import units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, scales, style
from gilbench.charts.table import Table
from gilbench.explain import selected, series
from gilbench.explain.grouping import grouped
from gilbench.results.summary import CaseSummary, Summary
from gilbench.stats import Estimate

DEFAULT: Final = "default"
CLOSE: Final = 1.2  # times as long as the best: up to this the default counts as a good choice
ROW: Final = 0.42  # inches


@dataclass(frozen=True)
class Regret:
    """The regret of one collection. ratio: time of its default over that of the best other case."""

    label: str
    default: CaseSummary
    best: CaseSummary
    ratio: Estimate

    @property
    def rating(self) -> str:
        """Return "close" if the interval ends below CLOSE, "worse" if it lies above 1, and "unclear" otherwise."""
        if self.ratio.high <= CLOSE:
            return "close"
        return "worse" if self.ratio.low > 1 else "unclear"


def draw(summaries: Sequence[Summary]) -> Figure:
    """What does it cost to leave the choice of scheduler to dask?"""
    tables = [regrets(summary) for summary in summaries]
    found = [regret for table in tables for regret in table]
    if not found:
        raise NothingToDraw(
            "this result has no case of the default scheduler to compare with others: run `gilbench run dask_collections`"
        )
    limits = scales.log_limits([regret.ratio for regret in found], include=(1, 0.9, 2.2), pad=1.1)
    heights = [len(table) * ROW + (0.3 if len(tables) > 1 else 0.1) for table in tables if table]
    figure = style.page(
        style.messages(summaries, lambda summary: message(regrets(summary))),
        summaries,
        sum(heights) + 0.55,
        notes=[f"{intervals.reading(regret.ratio for regret in found)} Each has the mark of the best scheduler."],
    )
    shown = [(summary, table) for summary, table in zip(summaries, tables, strict=True) if table]
    panels = style.panels(figure, [summary for summary, _ in shown], heights, named=len(summaries) > 1)
    for axes, (_, table) in zip(panels, shown, strict=True):
        scales.ratio_axis(axes, "x", *limits)
        _panel(axes, table)
    axes.set_xlabel("time of dask's default / time of the best scheduler (x, log scale)")
    return figure


def regrets(summary: Summary) -> list[Regret]:
    """Return the regret of every workload and size with a default, largest first. The best may also be sync."""
    found = []
    groups = grouped(selected.timed(summary), lambda case: (case.case.workload, case.case.size, case.case.pinned))
    several = grouped(groups, lambda key: key[0])
    for (workload, size, _), cases in groups.items():
        others = [case for case in cases if case.case.scheduler != DEFAULT]
        for default in (case for case in cases if case.case.scheduler == DEFAULT):
            if others:
                best = min(others, key=lambda case: case.estimate.value)
                label = f"{workload}, {size}" if len(several[workload]) > 1 else workload
                found.append(Regret(label, default, best, summary.ratio(default, best)))
    return sorted(found, key=lambda regret: -regret.ratio.value)


def tabulate(summary: Summary) -> Table:
    """Return what the default costs."""
    rows = [
        (regret.label, regret.default.ran_on, series.name_of(regret.best.case), regret.ratio)
        for regret in regrets(summary)
    ]
    return Table(
        (("collection", "text"), ("default", "text"), ("best", "text"), ("time over the best", "ratio")), tuple(rows)
    )


def message(table: Sequence[Regret]) -> str:
    """Return the title: how often the default is close to the best, and the largest regret."""
    if not table:
        return "no cases of the default scheduler"
    count = Counter(regret.rating for regret in table)
    margin = f"{100 * (CLOSE - 1):.0f}{style.NO_BREAK}%"
    parts = [
        f"dask's default is within {margin} of the best on {count['close']} of {units.count(len(table), 'collection')}"
    ]
    if count["unclear"]:
        parts.append(f"{count['unclear']} {'is' if count['unclear'] == 1 else 'are'} unclear")
    for worst in [regret for regret in table if regret.rating == "worse"][:1]:
        ratio = units.times(worst.ratio.value)
        parts.append(f"{style.plain(worst.label)} takes {ratio} as long as on {style.case_name(worst.best.case)}")
    return "; ".join(parts)


def _panel(axes: Axes, table: Sequence[Regret]) -> None:
    """Draw one result: a row per collection, with the scheduler that would have been best."""
    axes.axvline(1, color="black", linewidth=1.1, zorder=1)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_yticks(range(len(table)), [style.plain(regret.label) for regret in table])
    axes.tick_params(axis="y", length=0)
    for row, regret in enumerate(table):
        if row % 2 == 0:
            axes.axhspan(row - 0.5, row + 0.5, color=style.BAND, linewidth=0, zorder=0)
        # Marked and colored like the best scheduler, because that is the one to use instead.
        look = style.style_of(series.name_of(regret.best.case))
        intervals.draw(axes, [regret.ratio.value], [row], [regret.ratio], look, size=7, label=style.plain(regret.label))
        default, best = units.seconds(regret.default.estimate.value), units.seconds(regret.best.estimate.value)
        text = f"default {default}\nbest {best}: {style.case_name(regret.best.case)}"
        axes.text(1.015, row, text, transform=axes.get_yaxis_transform(), va="center", linespacing=1.1)
