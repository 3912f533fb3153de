"""Timeline: where and when each task ran, in one compute under each scheduler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gilbench import units
from gilbench.cases.case import Case
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import style, task_bars
from gilbench.charts.drawing.task_bars import Bar
from gilbench.charts.table import SERIES, Table
from gilbench.explain import selected, series
from gilbench.probes.timeline_probe import Timeline
from gilbench.results.records import Probing
from gilbench.results.summary import Summary
from gilbench.schedulers import core_schedulers

PROBE: Final = "timeline"
MOST: Final = 3  # workloads drawn
NAMED: Final = 6  # workloads that are named if left out
MATTERS: Final = 0.25  # share of the workers' time inside tasks; below it, the length of tasks does not matter
OWN_CPU: Final = 0.75  # of sync's share of time on a CPU; below it, tasks on processes must have shared CPUs
SAME: Final = 1.1  # times as fast or as long; smaller changes are not mentioned, because each is a single compute

# Inches.
LANE: Final = 0.17  # height of one thread
LEAST: Final = 0.36  # height of one scheduler, which has two lines of text beside it
TALLEST: Final = 0.9  # height of one scheduler with many lanes
APART: Final = 0.024  # between lanes, unless there are too many
GAP: Final = 0.09  # between schedulers
AROUND: Final = 0.42  # title and ticks of a block
TITLE_ROOM: Final = 6.2
WIDE: Final = 500  # steps across the axis, about a pixel each; shorter tasks are not drawn separately

IDLE: Final = "#e6e6e6"
THIN: Final = 4  # steps; shorter bars have no edge

BARS: Final = 1500  # in the whole chart, to keep the SVG small
BEYOND: Final = (
    2.5  # times the longest of the core schedulers: the axis does not extend for schedulers that take longer
)


@dataclass(frozen=True)
class Block:
    """The timelines of one workload at one size.

    summary: name of the result. timelines: scheduler -> Timeline, in the order of the legend.
    """

    summary: str
    workload: str
    size: str
    timelines: Mapping[str, Timeline]

    def gain(self, scheduler: str) -> float | None:
        """Return how many times as fast as sync a scheduler was; None without timelines of both."""
        mine, sync = self.timelines.get(scheduler), self.timelines.get("sync")
        return sync.seconds / mine.seconds if mine and sync else None

    @property
    def contrast(self) -> float:
        """How many times as fast as on threads it ran on processes; largest if tasks hold the GIL."""
        gains = [self.gain(scheduler) or 1.0 for scheduler in ("processes", "threads")]
        return gains[0] / gains[1]

    @property
    def busy_machine(self) -> float | None:
        """Share of the time that tasks on processes were off the CPU although those of sync were on it; None if they were not.

        Processes have no GIL to wait for, so something else kept the machine busy.
        """
        mine, sync = self.timelines.get("processes"), self.timelines.get("sync")
        return 1 - mine.on_cpu if mine and sync and mine.on_cpu < OWN_CPU * sync.on_cpu else None

    @property
    def limit(self) -> float:
        """Where the axis ends, in seconds. Schedulers that take far longer than the core ones run off it."""
        # If a single compute was slow, its line may run off the axis, but the axis does not grow.
        ends = {name: min(max(timeline.computes), 1.3 * timeline.seconds) for name, timeline in self.timelines.items()}
        core = max((end for name, end in ends.items() if name in core_schedulers()), default=min(ends.values()))
        return 1.01 * max(end for end in ends.values() if end <= BEYOND * core)


Lanes = dict[str, list[list[Bar]]]  # scheduler -> the bars of each lane


def draw(summaries: Sequence[Summary]) -> Figure:
    """Which task ran where and when, and where did the workers wait?"""
    found = [blocks(summary) for summary in summaries]
    if not any(found):
        raise NothingToDraw("this result has no timelines: run `gilbench run --probe`")
    chosen = chosen_of(found)
    drawn = [block for mine in chosen for block in mine]
    lanes = [fitting(block, BARS // len(drawn)) for block in drawn]
    heights = [sum(_height(timeline) + GAP for timeline in block.timelines.values()) + AROUND for block in drawn]
    titles = [_block_title(block, alone=len(drawn) == 1, several=len(summaries) > 1) for block in drawn]
    heights = [height + 0.16 * title.count("\n") for height, title in zip(heights, titles, strict=True)]
    stories = {id(summary): mine for summary, mine in zip(summaries, chosen, strict=True)}
    figure = style.page(
        style.messages(summaries, lambda summary: message(stories[id(summary)])),
        summaries,
        sum(heights) + 0.25,
        notes=list(_notes(drawn, lanes, [block for mine in found for block in mine if block not in drawn])),
    )
    grid = figure.add_gridspec(len(drawn), 1, height_ratios=heights)
    for index, block in enumerate(drawn):
        axes = figure.add_subplot(grid[index, 0])
        _panel(axes, block, lanes[index])
        axes.set_title(titles[index], linespacing=1.15)
    axes.set_xlabel("milliseconds since the start of the compute")
    return figure


def blocks(summary: Summary) -> list[Block]:
    """Return the timelines of each workload, at its largest size, in the order probed."""
    found: dict[str, Block] = {}
    for probing in summary.probes:
        timelines = _timelines(probing)
        known = found.get(probing.workload)
        if timelines and (known is None or selected.size_order(probing.size) >= selected.size_order(known.size)):
            found[probing.workload] = Block(summary.name, probing.workload, probing.size, timelines)
    return list(found.values())


def _timelines(probing: Probing) -> dict[str, Timeline]:
    """Return scheduler -> Timeline, in the order of the legend."""
    found = {
        scheduler: timeline
        for scheduler, finding in probing.found.get(PROBE, {}).items()
        if (timeline := Timeline.of(finding))
    }
    order = style.series_order(_series(scheduler, timeline) for scheduler, timeline in found.items())
    return dict(sorted(found.items(), key=lambda item: order.index(_series(*item))))


def _series(scheduler: str, timeline: Timeline) -> str:
    """Return the series whose style a scheduler has."""
    processes = len({process for process, _ in timeline.lanes})
    threads = max(thread for _, thread in timeline.lanes) + 1
    return series.name_of(Case("", "", scheduler, processes, threads))


def tabulate(summary: Summary) -> Table:
    """Return how long each compute took, and how much of the workers' time was inside tasks."""
    rows = [
        (block.workload, name, float(len(timeline.tasks)), timeline.seconds, timeline.busy, timeline.longest.seconds)
        for block in blocks(summary)
        for name, timeline in block.timelines.items()
    ]
    return Table(
        (
            *SERIES,
            ("tasks", "count"),
            ("compute", "second"),
            ("inside tasks", "share"),
            ("longest task", "second"),
        ),
        tuple(rows),
    )


def chosen_of(found: Sequence[Sequence[Block]]) -> list[list[Block]]:
    """Return the blocks to draw of each result, at most MOST in all, with the same workloads for each if possible."""
    most = max(1, MOST // sum(map(bool, found)))
    names: set[str] = set()
    chosen: list[list[Block]] = []
    for mine in found:
        same = [block for block in mine if block.workload in names]
        chosen.append(same or most_telling(mine)[:most])
        names = names or {block.workload for block in chosen[-1]}
    return chosen


def most_telling(found: Sequence[Block]) -> list[Block]:
    """Return the blocks: first the one where processes beat threads most, then the one that threads speed up most."""
    if not found:
        return []
    contrast = max(found, key=lambda block: block.contrast)
    best_on_threads = max(found, key=lambda block: block.gain("threads") or 0.0)
    return list({id(block): block for block in (contrast, best_on_threads, *found)}.values())


# --- Text


def message(drawn: Sequence[Block]) -> str:
    """Return the title: the story of a single workload, or the ones of several that gain least and most on threads."""
    if not drawn:
        return "no timelines"
    ranked = sorted((block for block in drawn if block.gain("threads")), key=lambda block: block.gain("threads") or 0.0)
    if len(ranked) < 2:
        block = (ranked or drawn)[0]
        return f"{style.plain(block.workload)}: {story(block)}"
    parts = []
    for block in (ranked[0], ranked[-1]):
        change = _change(block.gain("threads") or 1.0)
        parts.append(f"{style.plain(block.workload)} {f'is {change}' if change else 'gains nothing'} ({_tasks(block)})")
    return f"On threads, {'; '.join(parts)}"


def story(block: Block) -> str:
    """Return what happened to the tasks of one workload on threads and on processes."""
    parts = []
    if (gain := block.gain("threads")) is not None:
        parts.append(f"on threads {_tasks(block)}, {_change(gain) or 'nothing is gained'}")
    if (gain := block.gain("processes")) is not None:
        parts.append(f"on processes {_change(gain) or 'nothing is gained'}")
    if not parts:
        name, timeline = next(iter(block.timelines.items()))
        parts.append(f"{timeline.at_once:.1f} tasks at once under {style.plain(name)}")
    return "; ".join(parts)


def _change(gain: float) -> str:
    """Return a gain over sync as a phrase; "" if it is small."""
    if gain > SAME:
        return f"{gain:.1f}x faster"
    return f"{1 / gain:.1f}x slower" if gain < 1 / SAME else ""


def _tasks(block: Block) -> str:
    """Return what threads do to the length of tasks or, if that does not matter, how much of the time is inside tasks."""
    threads = block.timelines["threads"]
    if threads.busy < MATTERS:
        return f"only {100 * threads.busy:.0f}{style.NO_BREAK}% of the time is inside tasks"
    stretch = threads.stretch(block.timelines["sync"])
    return f"tasks take {stretch:.1f}x as long" if stretch > SAME else "tasks take no longer"


def _block_title(block: Block, *, alone: bool, several: bool) -> str:
    """Return the title of a block, in as many lines as it needs. If it is alone, the title of the page tells its story."""
    count = len(next(iter(block.timelines.values())).tasks)
    name = f"{style.plain(block.workload)}, {style.plain(block.size)}"
    name += f" · {style.plain(block.summary)}" if several else ""
    text = units.count(count, "task") if alone else story(block)
    return "\n".join(style.wrapped(f"{name}: {text}", TITLE_ROOM, style.TEXT + 0.5, "bold"))


def _notes(drawn: Sequence[Block], lanes: Sequence[Lanes], left_out: Sequence[Block]) -> Iterator[str]:
    """Yield how to read the chart, and what was left out."""
    yield (
        "Bar: a task from start to end, in the thread that ran it, including waits for the GIL. Gray: time outside tasks. "
        "Each is the fastest of a few computes; the line to its right ends where the slowest did."
    )
    yield "Right: time of the whole compute, its speed-up over sync, and the share of the workers' time inside tasks."
    shares = (
        bar.inside / max(bar.end - bar.start, block.limit / WIDE)
        for block, found in zip(drawn, lanes, strict=True)
        for bar in chain.from_iterable(chain.from_iterable(found.values()))
    )
    if any(share < 0.99 for share in shares):
        yield "Where tasks are too short to draw, a bar's height is the share of its time inside tasks."
    doubtful = [(style.plain(block.workload), share) for block in drawn if (share := block.busy_machine) is not None]
    if doubtful:
        most = f"{100 * max(share for _, share in doubtful):.0f}{style.NO_BREAK}%"
        yield (
            f"Doubtful: on processes, the tasks of {units.listed([name for name, _ in doubtful])} were off the CPU for {most} "
            "of their time without a GIL to wait for, so something else kept the machine busy."
        )
    if left_out:
        names = list(dict.fromkeys(style.plain(block.workload) for block in left_out))
        more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
        yield f"Probed but not drawn: {units.listed([*names[:NAMED], *more])}."


# --- Drawing


def fitting(block: Block, most: int) -> Lanes:
    """Return scheduler -> the bars of each lane, with steps wide enough that there are at most `most` bars in all."""
    step = block.limit / WIDE
    while True:
        found = {
            name: [task_bars.bars(lane, step) for lane in timeline.lanes.values()]
            for name, timeline in block.timelines.items()
        }
        if sum(len(lane) for lanes in found.values() for lane in lanes) <= most or step > block.limit:
            return found
        step *= 1.5


def _lanes(timeline: Timeline) -> int:
    """Return the number of lanes drawn. Idle workers have one, too."""
    return max(timeline.workers, len(timeline.lanes))


def _height(timeline: Timeline) -> float:
    return max(LEAST, min(TALLEST, _lanes(timeline) * LANE))


def _panel(axes: Axes, block: Block, lanes: Lanes) -> None:
    """Draw one workload: its schedulers one above the other on the same axis."""
    limit, middles, down = block.limit * 1e3, [], 0.0
    for name, timeline in block.timelines.items():
        height = _height(timeline)
        _scheduler(axes, name, timeline, lanes[name], (down, height, limit))
        middles.append(down + height / 2)
        lines = [units.seconds(timeline.seconds), f"{100 * timeline.busy:.0f}{style.NO_BREAK}% inside"]
        if name != "sync" and (gain := block.gain(name)) is not None:
            lines[0] += f", {gain:.1f}x" if gain >= 1 else f", {gain:.2g}x"
        place = {"transform": axes.get_yaxis_transform(), "va": "center", "linespacing": 1.1}
        axes.text(1.015, middles[-1], "\n".join(lines), **place)  # type: ignore[arg-type]
        down += height + GAP
    axes.set_xlim(0, limit)
    axes.set_ylim(down - GAP / 2, -GAP / 2)
    axes.set_yticks(middles, [style.plain(name, 24) for name in block.timelines])
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter("{x:,.10g}")
    axes.grid(True, axis="x", color=style.PALE, linewidth=0.6)


def _scheduler(
    axes: Axes,
    name: str,
    timeline: Timeline,
    lanes: Sequence[Sequence[Bar]],
    place: tuple[float, float, float],
) -> None:
    """Draw the lanes of one scheduler. place: its top and height in inches, and the end of the axis in ms."""
    top, height, limit = place
    pitch = min(height / _lanes(timeline), LANE)
    top += (height - pitch * _lanes(timeline)) / 2
    thick = pitch - APART if pitch > 3 * APART else pitch
    rows = range(_lanes(timeline)) if thick < pitch else range(1)  # lanes without gaps are one strip
    strip = timeline.seconds * 1e3, (thick if thick < pitch else pitch * _lanes(timeline))
    strips = [(0.0, top + index * pitch, *strip) for index in rows]
    axes.add_patch(task_bars.patch(strips, facecolor=IDLE, linewidth=0, zorder=1))
    color = style.style_of(_series(name, timeline)).color
    drawn = [
        task_bars.box(bar, top + index * pitch, thick, limit / WIDE)
        for index, lane in enumerate(lanes)
        for bar in lane
        if bar.start * 1e3 < limit
    ]
    # White edges separate neighbors, but they would swallow thin bars.
    thin = [box for box in drawn if box[2] < THIN * limit / WIDE]
    wide = [box for box in drawn if box[2] >= THIN * limit / WIDE]
    if thin:
        axes.add_patch(task_bars.patch(thin, facecolor=color, linewidth=0, zorder=2))
    if wide:
        edge = min(0.8, 72 * thick / 8)  # points
        axes.add_patch(task_bars.patch(wide, facecolor=color, edgecolor="white", linewidth=edge, zorder=3))
    if not drawn:
        text = f"first task after {units.seconds(timeline.first)}"
        behind = {"facecolor": IDLE, "edgecolor": "none", "pad": 1.0}
        axes.text(limit / 2, place[0] + height / 2, text, ha="center", va="center", bbox=behind, zorder=4)
    _end(axes, timeline, top + pitch * (_lanes(timeline) - 1) + thick / 2, limit)


def _end(axes: Axes, timeline: Timeline, up: float, limit: float) -> None:
    """Draw a line from the end of the compute to the end of the slowest one, with an arrowhead if that is off the axis."""
    end, slowest = timeline.seconds * 1e3, max(timeline.computes) * 1e3
    if slowest > limit:
        axes.plot([limit * 0.994], [up], ">", color=style.GRAY, markersize=4, zorder=3)
    if end <= limit:
        later = [[0.0], [max(0.0, min(slowest, limit) - end)]]
        axes.errorbar([end], [up], xerr=later, fmt="none", ecolor=style.GRAY, elinewidth=1.2, capsize=2)
