"""The task graphs of `together` and `separately`: what one dask.compute shares, and two of them compute twice."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

from gilbench import units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import layered, style
from gilbench.explain import selected
from gilbench.results.summary import Summary
from gilbench.stats import Estimate
from gilbench.targets.builtin import all_workloads
from gilbench.targets.workload import Job

TOGETHER: Final = "together"
SEPARATELY: Final = "separately"
SIZE: Final = "tiny"  # few tasks of each sort, so that the graph is readable
ROW: Final = 0.3  # inches
BOX: Final = (0.8, 0.62)  # of a column's width and a row's height
SHARED: Final = {"facecolor": "#F9E0AE", "edgecolor": "#B37A00", "linewidth": 1.8}
SINGLE: Final = {"facecolor": "#EAF3FA", "edgecolor": "#0072B2", "linewidth": 0.8}


@dataclass(frozen=True)
class Tasks:
    """One dask.compute. needs: task -> the tasks it needs. labels: task -> function. shared: needed by every result."""

    needs: layered.Graph
    labels: Mapping[Hashable, str]
    shared: Set[Hashable]


def draw(summaries: Sequence[Summary]) -> Figure:
    """What does computing two results in one dask.compute save?"""
    measured = {case.case.workload for summary in summaries for case in summary.timed}
    if not measured & {TOGETHER, SEPARATELY} or not {TOGETHER, SEPARATELY} <= set(all_workloads()):
        raise NothingToDraw(f"this result has no shared work: run `gilbench run {TOGETHER} {SEPARATELY}`")
    graphs = {name: computes(_job(name)) for name in (TOGETHER, SEPARATELY)}
    layouts = {name: [layered.lay_out(tasks.needs, tasks.labels) for tasks in runs] for name, runs in graphs.items()}
    rows = max(sum(place.rows + 1 for place in places) for places in layouts.values())
    figure = style.page(
        message(graphs, summaries),
        summaries,
        rows * ROW + 0.5,
        notes=[
            f"dask's graphs at size {SIZE}: each box is a task, and work flows to the right. {_measured(summaries)}"
        ],
        legend=[Patch(label="needed by both results", **SHARED), Patch(label="needed by one", **SINGLE)],  # type: ignore[arg-type]
    )
    for axes, name in zip(figure.subplots(1, 2), (TOGETHER, SEPARATELY), strict=True):
        axes.set_axis_off()
        columns = max(place.columns for place in layouts[name])
        axes.set_xlim(-0.5, columns - 0.5)
        axes.set_ylim(rows - 0.5, -0.5)
        axes.set_title(f"{name}: {_count(graphs[name])} in {units.count(len(graphs[name]), 'dask.compute')}")
        top = 0.0
        for number, (tasks, place) in enumerate(zip(graphs[name], layouts[name], strict=True), 1):
            text = f"dask.compute {number}" if len(graphs[name]) > 1 else "dask.compute"
            axes.text(-0.4, top, text, color=style.GRAY, va="center")
            room = figure.get_figwidth() / 2 * 0.92 / columns * BOX[0] - 0.06
            _tasks(axes, tasks, place, top + 1, room)
            top += place.rows + 1
    return figure


def computes(job: Job) -> list[Tasks]:
    """Return the graphs that are executed, one for each dask.compute; merged if the job computes its results together.

    A task counts as shared if every result needs it, either the same task or one of its own that does the same.
    """
    graphs = [_tasks_of(collection) for collection in job.collections]
    labels = {task: label for _, names in graphs for task, label in names.items()}
    signatures = [layered.signatures(needs, names) for needs, names in graphs]
    common = set.intersection(*(set(mine.values()) for mine in signatures)) if len(graphs) > 1 else set()
    shared = {task for mine in signatures for task, signature in mine.items() if signature in common}
    if job.together:
        merged = {task: needed for needs, _ in graphs for task, needed in needs.items()}
        return [Tasks(merged, labels, shared & set(merged))]
    return [Tasks(needs, names, shared & set(needs)) for needs, names in graphs]


def message(graphs: Mapping[str, Sequence[Tasks]], summaries: Sequence[Summary]) -> str:
    """Return the numbers of tasks and, if it was measured, what the difference costs."""
    found = [saved for summary in summaries if (saved := saving(summary)) is not None]
    time = ""
    if len(found) == 1 and found[0].low > 1:
        time = f" and {style.tick(units.times(found[0].value))} the time"
    elif len(found) == 1:
        time = ", with no clear difference in time"
    return (
        f"Together, shared work runs once: {_count(graphs[TOGETHER])}; "
        f"separately twice: {_count(graphs[SEPARATELY])}{time}"
    )


def saving(summary: Summary) -> Estimate | None:
    """Return the time of separately over that of together under sync, at a size at which both were measured."""
    cases = {(c.case.workload, c.case.size): c for c in selected.timed(summary) if c.case.scheduler == "sync"}
    for (workload, size), separately in cases.items():
        if workload == SEPARATELY and (TOGETHER, size) in cases:
            return summary.ratio(separately, cases[TOGETHER, size])
    return None


def dask_visualize(folder: Path) -> Path | None:
    """Write dask.visualize's own picture of `together` into `folder`. Return None if graphviz or its dot program is missing."""
    if importlib.util.find_spec("graphviz") is None or shutil.which("dot") is None:
        return None
    import dask

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dask_visualize.svg"
    # dask writes straight to the named file, so give it a temporary one: nobody should see half a picture.
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        dask.visualize(
            *_job(TOGETHER).collections, filename=str(Path(inside) / path.stem), format="svg", engine="graphviz"
        )
        (Path(inside) / path.name).replace(path)
    return path


def _job(name: str) -> Job:
    workload = all_workloads()[name]
    return workload.build(**workload.sizes[SIZE])


def _tasks_of(collection: Any) -> tuple[dict[Hashable, frozenset[Hashable]], dict[Hashable, str]]:
    """Return task -> the tasks it needs, and task -> the name of its function, for one dask collection."""
    from dask._task_spec import convert_legacy_graph
    from dask.utils import funcname

    graph = convert_legacy_graph(dict(collection.__dask_graph__()))
    needs = {key: frozenset(node.dependencies) & set(graph) for key, node in graph.items()}
    return needs, {key: funcname(getattr(node, "func", None) or type(node)) for key, node in graph.items()}


def _count(runs: Sequence[Tasks]) -> str:
    return units.count(sum(len(tasks.needs) for tasks in runs), "task")


def _measured(summaries: Sequence[Summary]) -> str:
    """Return the cost of separately over together for every summary that has both under sync."""
    parts = []
    for summary in summaries:
        if (saved := saving(summary)) is not None:
            name = f"{style.plain(summary.name)}: " if len(summaries) > 1 else ""
            parts.append(f"{name}{units.estimate(saved, 'ratio')}")
    return f"Time of separately over together under sync: {'; '.join(parts)}." if parts else ""


def _tasks(axes: Axes, tasks: Tasks, place: layered.Layout, top: float, room: float) -> None:
    """Draw one graph below `top`: arrows between the boxes, and boxes that hold the names of the functions."""
    wide, high = BOX
    edges = [(place.places[other], place.places[task]) for task, needed in tasks.needs.items() for other in needed]
    for (start, begin), (column, row) in sorted(edges):
        ends = {"xy": (column - wide / 2, top + row), "xytext": (start + wide / 2, top + begin)}
        look = {"arrowstyle": "-|>", "color": style.GRAY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", **ends, arrowprops={**look, "mutation_scale": 7}, zorder=1)  # type: ignore[arg-type]
    for task, (column, row) in sorted(place.places.items(), key=lambda item: item[1]):
        look = SHARED if task in tasks.shared else SINGLE
        corner = (column - wide / 2, top + row - high / 2)
        box = FancyBboxPatch(corner, wide, high, boxstyle="round,pad=0,rounding_size=0.08", zorder=2, **look)  # type: ignore[arg-type]
        axes.add_patch(box)
        label = style.fitted(style.plain(tasks.labels[task]), room)
        axes.text(column, top + row, label, ha="center", va="center", zorder=3)
