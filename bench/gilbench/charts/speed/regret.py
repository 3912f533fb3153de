"""Regret: what each collection's default scheduler costs against the best one measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilbench import units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import axes as axis
from gilbench.charts.drawing import style as style
from gilbench.explain import series as data
from gilbench.results.summary import CaseSummary, Estimate, Summary

DEFAULT: Final = "default"
CLOSE: Final = 1.2  # as long as the best at most: near enough to call the default a good choice
ROW: Final = 0.42  # inches


@dataclass(frozen=True)
class Regret:
    """One collection's. ratio: the default's time over the best other case's."""

    label: str
    default: CaseSummary
    best: CaseSummary
    ratio: Estimate

    @property
    def verdict(self) -> str:
        """Return "close" where the interval ends below CLOSE, "worse" where it lies above 1, else "unclear"."""
        if self.ratio.high <= CLOSE:
            return "close"
        return "worse" if self.ratio.low > 1 else "unclear"


def draw(summaries: Sequence[Summary]) -> Figure:
    """What does it cost to leave the choice of scheduler to dask?"""
    tables = [regrets(summary) for summary in summaries]
    found = [regret for table in tables for regret in table]
    if not found:
        raise NothingToDraw(
            "this result has no cases of the default scheduler beside others: run `gilbench run dask_collections`"
        )
    limits = axis.log_limits([regret.ratio for regret in found], include=(1, 0.9, 2.2), pad=1.1)
    heights = [len(table) * ROW + (0.3 if len(tables) > 1 else 0.1) for table in tables if table]
    figure = style.page(
        style.messages(summaries, lambda summary: message(regrets(summary))),
        summaries,
        sum(heights) + 0.55,
        notes=[f"{axis.reading(regret.ratio for regret in found)} Each bears the mark of the best scheduler."],
    )
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    shown = [(summary, table) for summary, table in zip(summaries, tables, strict=True) if table]
    for index, (summary, table) in enumerate(shown):
        axes = figure.add_subplot(grid[index, 0])
        axis.ratio_axis(axes, "x", *limits)
        _panel(axes, table)
        if len(summaries) > 1:
            axes.set_title(style.plain(summary.name))
    axes.set_xlabel("time of dask's default / time of the best scheduler (x, log scale)")
    return figure


def regrets(summary: Summary) -> list[Regret]:
    """Return the regret of every workload and size with a default, largest first. The best may be sync, too."""
    found = []
    groups = data.grouped(data.timed(summary), lambda case: (case.case.workload, case.case.size, case.case.pinned))
    several = data.grouped(groups, lambda key: key[0])
    for (workload, size, _), cases in groups.items():
        others = [case for case in cases if case.case.scheduler != DEFAULT]
        for default in (case for case in cases if case.case.scheduler == DEFAULT):
            if others:
                best = min(others, key=lambda case: case.estimate.value)
                label = f"{workload}, {size}" if len(several[workload]) > 1 else workload
                found.append(Regret(label, default, best, summary.ratio(default, best)))
    return sorted(found, key=lambda regret: -regret.ratio.value)


def message(table: Sequence[Regret]) -> str:
    """Return how often the default is close to the best, and the largest regret."""
    if not table:
        return "no cases of the default scheduler"
    words = Counter(regret.verdict for regret in table)
    margin = f"{100 * (CLOSE - 1):.0f}{style.NO_BREAK}%"
    parts = [
        f"dask's default is within {margin} of the best on {words['close']} of {style.count(len(table), 'collection')}"
    ]
    if words["unclear"]:
        parts.append(f"{words['unclear']} {'is' if words['unclear'] == 1 else 'are'} unclear")
    for worst in [regret for regret in table if regret.verdict == "worse"][:1]:
        ratio = units.times(worst.ratio.value)
        parts.append(f"{style.plain(worst.label)} takes {ratio} as long as on {_name(worst.best)}")
    return "; ".join(parts)


def _name(case: CaseSummary) -> str:
    return style.plain("sync" if case.case.scheduler == "sync" else f"{case.case.scheduler} {case.case.shape}")


def _panel(axes: Axes, table: Sequence[Regret]) -> None:
    """Draw one result: a row per collection, and which scheduler would have been best."""
    axes.axvline(1, color="black", linewidth=1.1, zorder=1)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_yticks(range(len(table)), [style.plain(regret.label) for regret in table])
    axes.tick_params(axis="y", length=0)
    for row, regret in enumerate(table):
        if row % 2 == 0:
            axes.axhspan(row - 0.5, row + 0.5, color=style.BAND, linewidth=0, zorder=0)
        # Marked and coloured as the scheduler that is best, because that is what to use instead.
        look = style.style_of(data.series(regret.best.case))
        axis.marks(axes, [regret.ratio.value], [row], [regret.ratio], look, size=7, label=style.plain(regret.label))
        default, best = units.seconds(regret.default.estimate.value), units.seconds(regret.best.estimate.value)
        text = f"default {default}\nbest {best}: {_name(regret.best)}"
        axes.text(1.015, row, text, transform=axes.get_yaxis_transform(), va="center", linespacing=1.1)
