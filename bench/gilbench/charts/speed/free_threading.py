"""Free threading: what threads gain without the GIL, and what a single thread pays for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilbench import stats, units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, scales, style
from gilbench.explain import selected
from gilbench.results.summary import CaseSummary, Summary
from gilbench.stats import Estimate

ROW: Final = 0.42  # inches
# The speed-ups in a row, from top to bottom: of the build with a GIL, then both of the build without one.
LOOKS: Final[Mapping[str, style.Style]] = {
    "with": style.Style("#7F7F7F", "o", ""),
    "own": style.Style("#0072B2", "s", ""),
    "other": style.Style("#D55E00", "D", ""),
}
SHIFT: Final = {"with": -0.24, "own": 0.0, "other": 0.24}
PAYS: Final = 1.1  # times the single-thread time: an interval within this factor counts as no price


@dataclass(frozen=True)
class Builds:
    """One workload in both builds. All figures are ratios.

    with_gil: speed-up of threads over sync in the build with a GIL. own: the same in the build without a GIL. other: its
    threads over the sync of the build with a GIL. price: its sync time over that of the build with a GIL.
    """

    workload: str
    with_gil: Estimate
    own: Estimate
    other: Estimate
    price: Estimate


def draw(summaries: Sequence[Summary]) -> Figure:
    """What does a Python without a GIL gain, and what does it cost?"""
    pair = builds(summaries)
    if pair is None:
        raise NothingToDraw(
            "this result has no counterpart from a Python without (or with) a GIL: run `gilbench run --python 3.14t`"
        )
    rows = rows_of(*pair)
    if not rows:
        raise NothingToDraw(
            "this result has no workload that both Pythons timed under sync and on threads: run `gilbench run` with both"
        )
    with_gil, without = pair
    labels = {
        "with": f"{version(with_gil)}: threads over sync",
        "own": f"{version(without)}: threads over its own sync",
        "other": f"{version(without)}: threads over sync of {version(with_gil)}",
    }
    legend = [
        Line2D([], [], color=look.color, marker=look.marker, linestyle="none", label=labels[key])
        for key, look in LOOKS.items()
    ]
    also = differences(with_gil, without)
    left_out = [summary.name for summary in summaries if summary not in pair]
    figure = style.page(
        message(rows, with_gil, without),
        pair,
        len(rows) * ROW + 0.75,
        notes=[
            intervals.reading([row.own for row in rows]),
            *([f"More than the GIL differs: {', '.join(also)}."] if also else []),
            *([f"Left out: {style.plain(', '.join(left_out), 90)}."] if left_out else []),
        ],
        legend=legend,
    )
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[2, 1])
    _speedups(left, rows)
    _prices(right, rows)
    return figure


def builds(summaries: Sequence[Summary]) -> tuple[Summary, Summary] | None:
    """Return a result with a GIL and one without, from the closest versions of Python; None if there is no such pair."""
    pairs = [
        (with_gil, without)
        for with_gil in summaries
        for without in summaries
        if with_gil.machine.get("gil") == "enabled" and without.machine.get("gil") == "disabled"
    ]
    return min(pairs, key=lambda pair: abs(_minor(pair[0]) - _minor(pair[1])), default=None)


def rows_of(with_gil: Summary, without: Summary) -> list[Builds]:
    """Return the workloads that both results timed under sync and on equally many threads, largest gain first."""
    found = []
    before, after = _cases(with_gil), _cases(without)
    for key, (sync, threads) in before.items():
        if key not in after or after[key][1].case != threads.case:
            continue
        own_sync, own_threads = after[key]
        if threads.speedup is None or own_threads.speedup is None:
            continue
        found.append(
            Builds(
                workload=style.plain(key[0], 30),
                with_gil=threads.speedup,
                own=own_threads.speedup,
                other=stats.quotient(sync.estimate, own_threads.estimate),
                price=stats.quotient(own_sync.estimate, sync.estimate),
            )
        )
    return sorted(found, key=lambda row: -row.own.value)


def version(summary: Summary) -> str:
    """Return the Python version of a result as people write it: `3.14.0t` if it is free-threaded."""
    name = style.plain(str(summary.machine.get("python_version", "?")).split()[0], 12)
    return f"{name}t" if summary.machine.get("python_build") == "free-threaded" else name


def message(rows: Sequence[Builds], with_gil: Summary, without: Summary) -> str:
    """Return the title: on how many workloads threads gain more, and what a single thread pays."""
    gained = [row for row in rows if row.own.low > row.with_gil.high]
    text = f"without the GIL, threads gain more on {len(gained)} of {units.count(len(rows), 'workload')}"
    middle = sorted((row.price for row in rows), key=lambda price: price.value)[len(rows) // 2]
    if middle.low > 1:
        text += f"; a single thread takes {middle.value:.2f}x as long at the median"
    elif middle.high < 1:
        text += f"; a single thread takes only {middle.value:.2f}x as long at the median"
    elif middle.low > 1 / PAYS and middle.high < PAYS:
        text += "; a single thread pays next to nothing at the median"
    else:
        text += "; what a single thread pays is unclear"
    return style.sentence(text)


def differences(with_gil: Summary, without: Summary) -> list[str]:
    """Return what else differs between the two results, because it affects the figures too."""
    names = {"python_version": "Python", "pandas_version": "pandas", "numpy_version": "numpy", "dask_version": "dask"}
    pairs = {
        name: [style.plain(str(summary.machine.get(key, "?")).split()[0], 12) for summary in (with_gil, without)]
        for key, name in names.items()
    }
    return [f"{name} {before} against {after}" for name, (before, after) in pairs.items() if before != after]


def _cases(summary: Summary) -> dict[tuple[str, str], tuple[CaseSummary, CaseSummary]]:
    """Return (workload, size) -> (sync, threads with the most workers), at the main size of each workload."""
    pinned = [case for case in selected.at_main_size(selected.timed(summary)) if case.case.pinned]
    sync = {case.case.workload: case for case in pinned if case.case.scheduler == "sync"}
    widest = [case for case in selected.at_most_workers(pinned) if case.case.scheduler == "threads"]
    return {
        (case.case.workload, case.case.size): (sync[case.case.workload], case)
        for case in widest
        if case.case.workload in sync
    }


def _minor(summary: Summary) -> int:
    parts = str(summary.machine.get("python_version", "")).split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0


def _speedups(axes: Axes, rows: Sequence[Builds]) -> None:
    figures = [figure for row in rows for figure in (row.with_gil, row.own, row.other)]
    scales.ratio_axis(axes, "x", *scales.log_limits(figures, include=(1, 2), pad=1.1))
    axes.axvline(1, color="black", linewidth=1.1, zorder=1)
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.set_yticks(range(len(rows)), [row.workload for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("speed-up (x, log scale)")
    for index, row in enumerate(rows):
        if index % 2 == 0:
            axes.axhspan(index - 0.5, index + 0.5, color=style.BAND, linewidth=0, zorder=0)
        for key, figure in (("with", row.with_gil), ("own", row.own), ("other", row.other)):
            intervals.draw(axes, [figure.value], [index + SHIFT[key]], [figure], LOOKS[key])


def _prices(axes: Axes, rows: Sequence[Builds]) -> None:
    scales.ratio_axis(axes, "x", *scales.log_limits([row.price for row in rows], include=(1,), pad=1.1))
    axes.axvline(1, color="black", linewidth=1.1, zorder=1)
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.set_xlabel("sync without / with GIL (x)")
    axes.set_title("Price of a single thread")
    for index, row in enumerate(rows):
        if index % 2 == 0:
            axes.axhspan(index - 0.5, index + 0.5, color=style.BAND, linewidth=0, zorder=0)
        intervals.draw(axes, [row.price.value], [index], [row.price], LOOKS["own"])
