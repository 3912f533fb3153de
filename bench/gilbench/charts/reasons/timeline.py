"""Timeline: where each task ran, and from when to when, in one compute under each scheduler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from gilbench import units
from gilbench.cases.case import Case
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import style as style
from gilbench.explain import series as data
from gilbench.probes.timeline_probe import Task, Timeline
from gilbench.results.observations import Probing
from gilbench.results.summary import Summary
from gilbench.schedulers import core_schedulers

MOST: Final = 3  # workloads drawn
NAMED: Final = 6  # of those left out
MATTERS: Final = 0.25  # share of the workers' time inside tasks, below which their length is not what counts
OWN_CPU: Final = 0.75  # of sync's share of time on a CPU, below which tasks on processes must have shared theirs
SAME: Final = 1.1  # times as fast or as long, up to which nothing is said to change: each is a single compute

# Inches.
LANE: Final = 0.17  # of one thread
LEAST: Final = 0.36  # of one scheduler: two lines of text stand beside it
TALLEST: Final = 0.9  # of one scheduler with many lanes
APART: Final = 0.024  # between lanes; none where they are too many
GAP: Final = 0.09  # between schedulers
AROUND: Final = 0.42  # a block's title and ticks
TITLE_ROOM: Final = 6.2
WIDE: Final = 500  # steps over the axis, about a pixel each, below which tasks are not drawn apart

IDLE: Final = "#e6e6e6"
THIN: Final = 4  # steps, below which a bar has no edge
FAINT: Final = 0.15  # of a lane's height, that the lowest bar has: less could not be seen

BARS: Final = 1500  # in the whole chart: keeps the SVG small
TOGETHER: Final = 6  # steps that short tasks are drawn together over
BEYOND: Final = 2.5  # times the longest of the core schedulers, where the axis ends for all others
Box = tuple[float, float, float, float]  # left, top, width, height


@dataclass(frozen=True)
class Block:
    """The timelines of one workload at one size: scheduler -> Timeline, in the order of the legend."""

    summary: str
    workload: str
    size: str
    timelines: Mapping[str, Timeline]

    def gain(self, scheduler: str) -> float | None:
        """Return how many times as fast as sync it was; None without both."""
        mine, sync = self.timelines.get(scheduler), self.timelines.get("sync")
        return sync.seconds / mine.seconds if mine and sync else None

    @property
    def contrast(self) -> float:
        """How many times as fast as on threads it was on processes: largest where tasks hold the GIL."""
        gains = [self.gain(scheduler) or 1.0 for scheduler in ("processes", "threads")]
        return gains[0] / gains[1]

    @property
    def busy_machine(self) -> float | None:
        """Share of their time that tasks on processes were off a CPU, where sync's were on one: it is no wait for a GIL."""
        mine, sync = self.timelines.get("processes"), self.timelines.get("sync")
        return 1 - mine.on_cpu if mine and sync and mine.on_cpu < OWN_CPU * sync.on_cpu else None

    @property
    def limit(self) -> float:
        """Seconds where the axis ends: what takes far longer than the core schedulers runs out of it."""
        # A hiccup of one compute may lengthen its line beyond the axis, not the axis.
        ends = {name: min(max(one.computes), 1.3 * one.seconds) for name, one in self.timelines.items()}
        core = max((end for name, end in ends.items() if name in core_schedulers()), default=min(ends.values()))
        return 1.01 * max(end for end in ends.values() if end <= BEYOND * core)


@dataclass
class Bar:
    """One task, or several that are too short to be drawn apart. inside: seconds in tasks. longest: of one task."""

    start: float
    end: float
    inside: float
    longest: float


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
    told = {id(summary): mine for summary, mine in zip(summaries, chosen, strict=True)}
    figure = style.page(
        style.messages(summaries, lambda summary: message(told[id(summary)])),
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
        if timelines and (known is None or data.size_order(probing.size) >= data.size_order(known.size)):
            found[probing.workload] = Block(summary.name, probing.workload, probing.size, timelines)
    return list(found.values())


def _timelines(probing: Probing) -> dict[str, Timeline]:
    """Return scheduler -> Timeline, in the order of the legend."""
    found = {name: one for name, each in probing.found.get("timeline", {}).items() if (one := Timeline.of(each))}
    order = style.series_order(_series(name, one) for name, one in found.items())
    return dict(sorted(found.items(), key=lambda item: order.index(_series(*item))))


def _series(scheduler: str, timeline: Timeline) -> str:
    """Return the name that a scheduler has a style under."""
    processes = len({process for process, _ in timeline.lanes})
    threads = max(thread for _, thread in timeline.lanes) + 1
    return data.series(Case("", "", scheduler, processes, threads))


def chosen_of(found: Sequence[Sequence[Block]]) -> list[list[Block]]:
    """Return what is drawn of each result, at most MOST in all: the same workloads of each, where they have them."""
    most = max(1, MOST // sum(map(bool, found)))
    names: set[str] = set()
    chosen: list[list[Block]] = []
    for mine in found:
        same = [block for block in mine if block.workload in names]
        chosen.append(same or telling(mine)[:most])
        names = names or {block.workload for block in chosen[-1]}
    return chosen


def telling(found: Sequence[Block]) -> list[Block]:
    """Return the blocks, first that where processes beat threads most, then that which threads speed up most."""
    if not found:
        return []
    most_apart = max(found, key=lambda block: block.contrast)
    best_on_threads = max(found, key=lambda block: block.gain("threads") or 0.0)
    return list({id(block): block for block in (most_apart, best_on_threads, *found)}.values())


# --- Text


def message(drawn: Sequence[Block]) -> str:
    """Return what threads do to the one workload; of several, to that which gains least and that which gains most."""
    if not drawn:
        return "no timelines"
    told = sorted((block for block in drawn if block.gain("threads")), key=lambda block: block.gain("threads") or 0.0)
    if len(told) < 2:
        block = (told or drawn)[0]
        return f"{style.plain(block.workload)}: {story(block)}"
    parts = []
    for block in (told[0], told[-1]):
        change = _change(block.gain("threads") or 1.0)
        parts.append(f"{style.plain(block.workload)} {f'is {change}' if change else 'gains nothing'} ({_tasks(block)})")
    return f"On threads, {'; '.join(parts)}"


def story(block: Block) -> str:
    """Return what became of one workload's tasks on threads and on processes."""
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
    """Return a gain over sync in words; nothing where it is small."""
    if gain > SAME:
        return f"{gain:.1f}x faster"
    return f"{1 / gain:.1f}x slower" if gain < 1 / SAME else ""


def _tasks(block: Block) -> str:
    """Return what threads do to the tasks' length; where that is not what counts, how much of the time is theirs."""
    threads = block.timelines["threads"]
    if threads.busy < MATTERS:
        return f"only {100 * threads.busy:.0f}{style.NO_BREAK}% of the time is inside tasks"
    stretch = threads.stretch(block.timelines["sync"])
    return f"tasks take {stretch:.1f}x as long" if stretch > SAME else "tasks take no longer"


def _block_title(block: Block, *, alone: bool, several: bool) -> str:
    """Return what stands above a block, in as many lines as it needs: the page's title tells the story of one alone."""
    count = len(next(iter(block.timelines.values())).tasks)
    name = f"{style.plain(block.workload)}, {style.plain(block.size)}"
    name += f" · {style.plain(block.summary)}" if several else ""
    said = style.count(count, "task") if alone else story(block)
    return "\n".join(style.wrapped(f"{name}: {said}", TITLE_ROOM, style.TEXT + 0.5, "bold"))


def _notes(drawn: Sequence[Block], lanes: Sequence[Lanes], left_out: Sequence[Block]) -> Iterator[str]:
    """Yield how to read the chart, and what is not in it."""
    yield (
        "A bar is a task, in the thread that ran it, from start to end: waiting for the GIL is inside. Outside is grey. "
        "This is the fastest of a few computes; the line to the right ends where the slowest did."
    )
    yield "Right: the whole compute, its speed-up over sync, and the share of the workers' time inside tasks."
    shares = (
        bar.inside / max(bar.end - bar.start, block.limit / WIDE)
        for block, found in zip(drawn, lanes, strict=True)
        for bar in chain.from_iterable(chain.from_iterable(found.values()))
    )
    if any(share < 0.99 for share in shares):
        yield "Where tasks are too short to be drawn, a bar's height is the share of its time inside tasks."
    doubtful = [(style.plain(block.workload), share) for block in drawn if (share := block.busy_machine) is not None]
    if doubtful:
        most = f"{100 * max(share for _, share in doubtful):.0f}{style.NO_BREAK}%"
        yield (
            f"Doubtful: on processes the tasks of {style.listed([name for name, _ in doubtful])} were off the CPU for {most} "
            "of their time, and there is no GIL to wait for: something else kept the machine busy."
        )
    if left_out:
        names = list(dict.fromkeys(style.plain(block.workload) for block in left_out))
        more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
        yield f"Probed but not drawn: {style.listed([*names[:NAMED], *more])}."


# --- Drawing


def bars(lane: Sequence[Task], step: float) -> list[Bar]:
    """Return what is drawn of a lane: a bar for each task, and one for several where they are shorter than a step (s)."""
    found: list[Bar] = []
    for task in lane:
        last = found[-1] if found else None
        short = last and max(task.seconds, last.longest, task.start - last.end) < step
        if last and short and task.end - last.start < TOGETHER * step:
            last.end, last.inside = max(last.end, task.end), last.inside + task.seconds
            last.longest = max(last.longest, task.seconds)
        else:
            found.append(Bar(task.start, task.end, task.seconds, task.seconds))
    return found


def fitting(block: Block, most: int) -> Lanes:
    """Return scheduler -> the bars of each lane, in steps as wide as it takes to have at most so many in all."""
    step = block.limit / WIDE
    while True:
        found = {
            name: [bars(lane, step) for lane in timeline.lanes.values()] for name, timeline in block.timelines.items()
        }
        if sum(len(lane) for lanes in found.values() for lane in lanes) <= most or step > block.limit:
            return found
        step *= 1.5


def _lanes(timeline: Timeline) -> int:
    """Return the lanes that are drawn: idle workers have one, too."""
    return max(timeline.workers, len(timeline.lanes))


def _height(timeline: Timeline) -> float:
    return max(LEAST, min(TALLEST, _lanes(timeline) * LANE))


def _panel(axes: Axes, block: Block, lanes: Lanes) -> None:
    """Draw one workload: its schedulers one above the other, on the same axis."""
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
    """Draw one scheduler's lanes, in ms. place: where its top is and how high it is, in inches, and the axis' end in ms."""
    top, height, limit = place
    pitch = min(height / _lanes(timeline), LANE)
    top += (height - pitch * _lanes(timeline)) / 2
    thick = pitch - APART if pitch > 3 * APART else pitch
    rows = range(_lanes(timeline)) if thick < pitch else range(1)  # lanes without gaps are one strip
    strip = timeline.seconds * 1e3, (thick if thick < pitch else pitch * _lanes(timeline))
    strips = [(0.0, top + index * pitch, *strip) for index in rows]
    axes.add_patch(_boxes(strips, facecolor=IDLE, linewidth=0, zorder=1))
    colour = style.style_of(_series(name, timeline)).colour
    drawn = [
        _box(bar, top + index * pitch, thick, limit / WIDE)
        for index, lane in enumerate(lanes)
        for bar in lane
        if bar.start * 1e3 < limit
    ]
    # White edges tell neighbours apart; they would swallow what is thin.
    thin = [box for box in drawn if box[2] < THIN * limit / WIDE]
    wide = [box for box in drawn if box[2] >= THIN * limit / WIDE]
    if thin:
        axes.add_patch(_boxes(thin, facecolor=colour, linewidth=0, zorder=2))
    if wide:
        edge = min(0.8, 72 * thick / 8)  # points
        axes.add_patch(_boxes(wide, facecolor=colour, edgecolor="white", linewidth=edge, zorder=3))
    if not drawn:
        text = f"first task after {units.seconds(timeline.first)}"
        behind = {"facecolor": IDLE, "edgecolor": "none", "pad": 1.0}
        axes.text(limit / 2, place[0] + height / 2, text, ha="center", va="center", bbox=behind, zorder=4)
    _end(axes, timeline, top + pitch * (_lanes(timeline) - 1) + thick / 2, limit)


def _end(axes: Axes, timeline: Timeline, up: float, limit: float) -> None:
    """Draw a line from the compute's end to that of the slowest one, in ms; an arrow head where it is out of the picture."""
    end, slowest = timeline.seconds * 1e3, max(timeline.computes) * 1e3
    if slowest > limit:
        axes.plot([limit * 0.994], [up], ">", color=style.GREY, markersize=4, zorder=3)
    if end <= limit:
        later = [[0.0], [max(0.0, min(slowest, limit) - end)]]
        axes.errorbar([end], [up], xerr=later, fmt="none", ecolor=style.GREY, elinewidth=1.2, capsize=2)


def _box(bar: Bar, top: float, thick: float, step: float) -> Box:
    """Return a bar's box, in ms and inches: never so small that it cannot be seen."""
    width = max(step, (bar.end - bar.start) * 1e3)
    height = thick * min(1.0, max(FAINT, bar.inside * 1e3 / width))
    return bar.start * 1e3, top + thick - height, width, height


def _boxes(boxes: Sequence[Box], **look: object) -> PathPatch:
    """Return boxes as one patch: in an SVG, one element for all of them."""
    return PathPatch(
        Path.make_compound_path(
            *(Path([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)], closed=True) for x, y, w, h in boxes)
        ),
        **look,
    )
