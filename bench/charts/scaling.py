"""Scaling: how the speed-up over sync grows with the number of workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.charts import NothingToDraw
from bench.charts import _axes as axis
from bench.charts import _data as data
from bench.charts import _style as style
from bench.summary import CaseSummary, Estimate, Summary

COLUMNS: Final = 3
PANEL: Final = 2.35  # inches high
APART: Final = 0.05  # of a doubling, between neighbours that would hide each other

# series -> its cases, from one worker to many
Curves = Mapping[str, Sequence[CaseSummary]]


def draw(summaries: Sequence[Summary]) -> Figure:
    """Does it get faster with every worker added, and where does it stop?"""
    panels = [(s, label, curves) for s in summaries for label, curves in workloads(s).items()]
    if not panels:
        raise NothingToDraw("this result has no case at several numbers of workers: run a workload with more than one")
    # The same workload of several results side by side.
    order = list(dict.fromkeys(label for _, label, _ in panels))
    panels.sort(key=lambda panel: order.index(panel[1]))
    columns = len(summaries) if len(summaries) > 1 else min(COLUMNS, len(panels))
    cases = [case for _, _, curves in panels for curve in curves.values() for case in curve]
    counts = sorted({case.case.parallelism for case in cases})
    speedups = _speedups(cases)
    limits = axis.log_limits(speedups, include=(1, counts[-1]), pad=1.2)
    figure = style.page(
        style.messages(summaries, message),
        summaries,
        -(-len(panels) // columns) * PANEL + 0.2,
        notes=[axis.reading(speedups)],
        legend=_legend(panels),
        width=max(style.WIDTH, 2.6 * columns),
    )
    for index, (axes, (summary, label, curves)) in enumerate(
        zip(axis.grid(figure, len(panels), columns), panels, strict=True)
    ):
        axis.ratio_axis(axes, "y", *limits, ticks=5)
        _panel(axes, curves, counts)
        axes.set_title(style.plain(f"{label} · {summary.name}" if len(summaries) > 1 else label))
        axes.set_xlabel("workers (processes x threads)")
        axes.set_ylabel(f"speed-up over sync ({style.TIMES})" if index % columns == 0 else "")
    return figure


def workloads(summary: Summary) -> dict[str, Curves]:
    """Return workload -> its curves, for those with a curve of more than one number of workers."""
    cases = data.at_main_size([case for case in data.timed(summary) if data.usable(case.speedup)])
    found: dict[str, Curves] = {}
    for (workload, pinned), group in data.grouped(cases, lambda c: (c.case.workload, c.case.pinned)).items():
        named = data.grouped([case for case in group if case.case.scheduler != "sync"], lambda c: data.series(c.case))
        single = named.pop(data.SINGLE, [])  # one thread in one process is where every shape of distributed starts
        curves = {
            name: sorted([*(single if name.startswith("distributed") else []), *curve], key=_workers)
            for name, curve in named.items()
        }
        curves = {name: curve for name, curve in curves.items() if len({_workers(case) for case in curve}) > 1}
        if curves:
            found[workload if pinned else f"{workload} (inner threads on)"] = curves
    return found


def message(summary: Summary) -> str:
    """Return on how many workloads each kind gains from more workers: the last interval lies above the first."""
    found = workloads(summary)
    most = max((_workers(case) for curves in found.values() for curve in curves.values() for case in curve), default=1)
    parts = []
    for kind in ("threads", "processes", "mix"):
        curves = [
            [curve for curve in curves.values() if data.kind(curve[-1].case) == kind] for curves in found.values()
        ]
        gains = [any(gain(curve) for curve in mine) for mine in curves if mine]
        if gains:
            verb, noun = ("", "") if parts else (" gain", style.count(len(gains), " workload").lstrip("0123456789,"))
            parts.append(f"{'a mix' if kind == 'mix' else kind}{verb} on {sum(gains)} of {len(gains)}{noun}")
    return (
        f"From 1 to {most} workers, {', '.join(parts)}" if parts else "Nothing measured at several numbers of workers"
    )


def gain(curve: Sequence[CaseSummary]) -> bool:
    """Tell whether the most workers are surely faster than the fewest."""
    first, last = curve[0].speedup, curve[-1].speedup
    return first is not None and last is not None and last.low > first.high


def _workers(case: CaseSummary) -> int:
    return case.case.parallelism


def _speedups(cases: Sequence[CaseSummary]) -> list[Estimate]:
    return [case.speedup for case in cases if case.speedup is not None]


def _panel(axes: Axes, curves: Curves, counts: Sequence[int]) -> None:
    """Draw one workload. Curves stand a little apart, so that none hides another at the same number of workers."""
    names = style.series_order(curves)
    edge = 2 ** (0.14 + APART * len(names) / 2)
    axes.set_xscale("log", base=2)
    axes.set_xlim(counts[0] / edge, counts[-1] * edge)
    axis.fixed(axes.xaxis, counts, [str(count) for count in counts])
    axes.axhline(1, color="black", linewidth=1.0, zorder=1)
    axes.plot([counts[0], counts[-1]], [counts[0], counts[-1]], color="black", linewidth=1.0, dashes=(4, 3), zorder=1)
    for index, name in enumerate(names):
        shift = 2 ** ((index - (len(names) - 1) / 2) * APART)
        speedups = _speedups(curves[name])
        across = [_workers(case) * shift for case in curves[name]]
        up = [speedup.value for speedup in speedups]
        look = style.style_of(name)
        axis.marks(axes, across, up, speedups, look, vertical=True, line="-", label=style.plain(name))


def _legend(panels: Sequence[tuple[Summary, str, Curves]]) -> list[Line2D]:
    names = {name for _, _, curves in panels for name in curves}
    return [
        *style.legend_for(names, line=True),
        Line2D([], [], color="black", linewidth=1.0, label=f"sync = 1{style.TIMES}"),
        Line2D([], [], color="black", linewidth=1.0, dashes=(4, 3), label="ideal = workers"),
    ]
