"""Causes: each speed-up taken apart by intervention, as a waterfall from 1x to what users get, and where the ideal is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gilbench import units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, scales, style
from gilbench.charts.table import SERIES, Column, Row, Table
from gilbench.explain import chains, efficiencies, selected, series
from gilbench.explain.chains import ALLOCATOR, ALLOCATOR_AGAIN, ONE_WORKER, WORKERS, Chain
from gilbench.results.summary import Summary

ROW: Final = 0.78  # inches
THICK: Final = 0.17  # of a bar, as a fraction of the row
# Okabe and Ito's orange and gray, with hatches for those who do not see colors; the workers' bar has the scheduler's own.
LOOKS: Final = {ALLOCATOR: ("#E69F00", "//"), ALLOCATOR_AGAIN: ("#E69F00", "\\\\"), ONE_WORKER: ("#9A9A9A", "")}
LABELS: Final = {
    ALLOCATOR: "allocator leveled, under sync",
    ONE_WORKER: "one worker of the scheduler in place of the main thread",
    WORKERS: "all workers, in the color of the scheduler",
    ALLOCATOR_AGAIN: "allocator as it is, under the scheduler",
}
# Outlined: where the workers would have ended, and what keeps them from it.
IDEAL: Final = "what the workers would bring in an ideal case, and what that is lost to"
SHORT: Final = {
    efficiencies.SLOWER: "memory or caches",
    efficiencies.INNER: "inner threads",
    efficiencies.GIL: "the GIL",
    efficiencies.LOCK: "a lock",
    efficiencies.GIL_OR_LOCK: "the GIL or a lock",
    efficiencies.CPU: "waiting for a CPU, a disk or a lock",
    efficiencies.UNEVEN: "uneven tasks",
    efficiencies.FEW_TASKS: "too few tasks",
    efficiencies.DEPENDENT: "dependent tasks",
    efficiencies.TASK_COST: "cost per task",
    efficiencies.COPYING: "copying",
    efficiencies.IDLE: "gaps",
}


def draw(summaries: Sequence[Summary]) -> Figure:
    """Where does each speed-up come from?"""
    found = [(summary, _shown(summary)) for summary in summaries]
    shown = [(summary, mine) for summary, mine in found if mine]
    if not shown:
        raise NothingToDraw("this result has no cases as users get them beside leveled ones: run `gilbench run`")
    heights = [len(mine) * ROW + 0.3 for _, mine in shown]
    ends = [chain.speedup for _, mine in shown for chain in mine]
    reached = [value for _, mine in shown for chain in mine for value in (*_cumulative(chain), _reach(chain))]
    legend = [
        Patch(facecolor=_look(name)[0], hatch=_look(name)[1], edgecolor="white", label=LABELS[name]) for name in LABELS
    ]
    legend.append(Patch(facecolor="none", edgecolor=style.GRAY, linestyle=":", label=IDEAL))
    figure = style.page(
        style.messages([summary for summary, _ in shown], lambda summary: chains.headline(_shown(summary))),
        summaries,
        sum(heights) + 0.55,
        notes=[
            "Each bar switches one thing and is measured in the same rounds; the bars multiply. The mark is the speed-up that "
            "users get, with its 95 % interval. A bar has a number where its whole interval is beyond 5 %.",
        ],
        legend=legend,
    )
    limits = scales.log_limits(ends, include=(1.0, 0.8, 2.2, *reached), pad=1.2)
    panels = style.panels(figure, [summary for summary, _ in shown], heights, named=len(shown) > 1)
    for axes, (_, mine) in zip(panels, shown, strict=True):
        scales.ratio_axis(axes, "x", *limits)
        _panel(axes, mine)
    axes.set_xlabel("speed-up over sync as it is (x, log scale)")
    return figure


def tabulate(summary: Summary) -> Table:
    """Return each step's factor, and the speed-up to which they multiply."""
    columns: tuple[Column, ...] = (
        *SERIES,
        ("workers", "text"),
        *((name, "ratio") for name in chains.STEPS),
        *((f"workers: {name}", "ratio") for name in efficiencies.FACTORS),
        ("lost to", "text"),
        ("speed-up as users get it", "ratio"),
    )
    rows: tuple[Row, ...] = tuple(
        (
            chain.case.workload,
            chain.case.scheduler,
            chain.case.shape,
            *(cause.factor for cause in chain.causes),
            *(chain.workers.factor(name) if chain.workers else None for name in efficiencies.FACTORS),
            _lost(chain),
            chain.speedup,
        )
        for chain in _shown(summary)
    )
    return Table(columns, rows)


def _shown(summary: Summary) -> list[Chain]:
    """Return the chains at the size that stands for their workload, so that each workload is shown once."""
    sizes = selected.main_sizes(selected.timed(summary))
    return [chain for chain in chains.chains(summary) if chain.case.size == sizes.get(chain.case.workload)]


def _reach(chain: Chain) -> float:
    """Return where the workers would have ended in an ideal case, if what keeps them from it is shown."""
    before = chain.cause(ALLOCATOR).factor.value * chain.cause(ONE_WORKER).factor.value
    return before * chain.workers.ideal if chain.workers and chain.workers.lost else before


def _look(name: str) -> tuple[str, str]:
    return LOOKS.get(name, ("#0072B2", ""))


def _cumulative(chain: Chain) -> Iterator[float]:
    """Yield where each bar ends."""
    reached = 1.0
    for cause in chain.causes:
        reached *= cause.factor.value
        yield reached


def _lost(chain: Chain) -> str:
    """Return what part of the ideal is certainly lost to, in a few words."""
    found = chain.workers.lost if chain.workers else ()
    return ", ".join(f"{SHORT[loss.name]} {units.times(1 / loss.factor.value)}" for loss in found)


def _panel(axes: Axes, found: Sequence[Chain]) -> None:
    """Draw one result: a row for each chain, a bar for each of its steps."""
    axes.axvline(1, color="black", linewidth=1.1, zorder=1)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_yticks(range(len(found)), [_label(chain) for chain in found])
    axes.tick_params(axis="y", length=0)
    for row, chain in enumerate(found):
        if row % 2 == 0:
            axes.axhspan(row - 0.5, row + 0.5, color=style.BAND, linewidth=0, zorder=0)
        _waterfall(axes, row, chain)
        look = style.style_of(series.name_of(chain.case))
        mark = f"{units.times(chain.speedup.value)}{' ?' if chain.impossible else ''}"
        intervals.draw(axes, [chain.speedup.value], [row + 0.4], [chain.speedup], look, size=5, label="")
        axes.text(1.015, row, mark, transform=axes.get_yaxis_transform(), va="center")


def _waterfall(axes: Axes, row: int, chain: Chain) -> None:
    start = 1.0
    for index, (cause, end) in enumerate(zip(chain.causes, _cumulative(chain), strict=True)):
        y = row - 0.36 + index * 0.19
        color, hatch = _look(cause.name)
        if cause.name == WORKERS:
            color = style.style_of(series.name_of(chain.case)).color
        left, right = sorted((start, end))
        axes.barh(y, right - left, THICK, left, color=color, hatch=hatch, edgecolor="white", linewidth=0.4, zorder=2)
        axes.plot([end, end], [y, y + 0.19], color=style.GRAY, linewidth=0.6, zorder=2)
        if cause.name == WORKERS:
            _ideal(axes, y, start, end, chain)
        elif cause.gains or cause.costs:
            axes.annotate(units.times(cause.factor.value), (right, y), (3, 0), textcoords="offset points", va="center")
        start = end


def _ideal(axes: Axes, y: float, start: float, end: float, chain: Chain) -> None:
    """Outline what the workers could have brought, and say next to it what they brought and what the rest is lost to."""
    workers, (lost, _, more) = chain.cause(WORKERS), _lost(chain).partition(", ")
    reach = start * (chain.workers.ideal if chain.workers else 1)
    if lost and reach > end:
        axes.barh(
            y, reach - end, THICK, end, facecolor="none", edgecolor=style.GRAY, linestyle=":", linewidth=0.9, zorder=2
        )
    brought = units.times(workers.factor.value) if workers.gains or workers.costs else ""
    parts = [brought] if brought else []
    parts += [f"lost: {lost}{' and more' if more else ''}"] if lost else []
    left, right = min(start, end), max(start, end, reach if lost else 0.0)
    low, high = axes.get_xlim()
    # On the side with more room: the text is as long as some bars.
    at, shift, side = (right, 3, "left") if high / right >= left / low else (left, -3, "right")
    axes.annotate(", ".join(parts), (at, y), (shift, 0), textcoords="offset points", va="center", ha=side)


def _label(chain: Chain) -> str:
    return f"{style.plain(chain.case.workload)}\n{style.plain(chain.case.scheduler)} {chain.case.shape}"
