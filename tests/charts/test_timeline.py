"""The timeline chart: which workloads, what the title says, and how short tasks and many lanes stay legible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from gilbench import charts
from gilbench.charts.drawing import style, task_bars
from gilbench.charts.reasons import timeline
from gilbench.charts.reasons.timeline import Block
from gilbench.probes.timeline_probe import Task, Timeline
from gilbench.results.records import Probing
from gilbench.results.summary import Summary
from tests.charts.chart_data import HOSTILE, summary, timelines

CORE = ("sync", "threads", "processes")
PURE, FREE, HALF = timelines("loop", 1.0), timelines("numpy", 0.0), timelines("half", 0.75)


def result(*probes: Probing, name: str = "example") -> Summary:
    return replace(summary([], name=name), probes=probes)


def draw(*summaries: Summary) -> Figure:
    return charts.all_charts()["timeline"].draw(summaries)


def block(probing: Probing) -> Block:
    (found,) = timeline.blocks(result(probing))
    return found


def lane(*tasks: tuple[float, float]) -> list[Task]:
    return [Task("x", 0, 0, start, end) for start, end in tasks]


def boxes(figure: Figure, color: str) -> int:
    """How many boxes of a color are drawn."""
    patches = [patch for axes in figure.axes for patch in axes.patches if isinstance(patch, PathPatch)]
    wanted = style.STYLES[color].color if color in style.STYLES else color
    rgba = matplotlib_color(wanted)
    return sum(len(patch.get_path().to_polygons()) for patch in patches if patch.get_facecolor() == rgba)


def matplotlib_color(color: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgba

    return to_rgba(color)


def header(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts).replace(style.NO_BREAK, " ")


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left").replace("\n", " ") for axes in figure.axes]


# --- What is said


def test_the_title_of_one_workload_tells_its_story() -> None:
    said = "loop: on threads tasks take 2.0x as long, nothing is gained; on processes 1.9x faster"
    assert timeline.message([block(PURE)]) == said
    figure = draw(result(PURE))
    assert header(figure).startswith(said)
    assert titles(figure) == ["loop, default: 16 tasks"]


def test_the_title_of_several_tells_their_contrast() -> None:
    figure = draw(result(FREE, PURE))
    assert header(figure).startswith(
        "On threads, loop gains nothing (tasks take 2.0x as long); numpy is 1.9x faster (tasks take no longer)"
    )
    assert titles(figure) == [
        "loop, default: on threads tasks take 2.0x as long, nothing is gained; on processes 1.9x faster",
        "numpy, default: on threads tasks take no longer, 1.9x faster; on processes 1.9x faster",
    ]


def test_slower_is_said_and_length_only_where_it_counts() -> None:
    held = block(timelines("w", 1.3))
    assert timeline.story(held) == "on threads tasks take 2.6x as long, 1.3x slower; on processes 1.9x faster"
    late = replace(held.timelines["threads"], seconds=2.0)
    assert timeline.story(replace(held, timelines={**held.timelines, "threads": late})) == (
        f"on threads only 6{style.NO_BREAK}% of the time is inside tasks, 19.3x slower; on processes 1.9x faster"
    )


def test_a_machine_that_was_busy_makes_it_doubtful() -> None:
    busy = timelines("loop")
    busy.found["timeline"]["processes"]["cpu_seconds"] /= 2
    said = header(draw(result(busy)))
    assert "Doubtful: on processes, the tasks of loop were off the CPU for 50 % of their time" in said
    assert "Doubtful" not in header(draw(result(PURE, FREE)))
    busy.found["timeline"]["sync"]["cpu_seconds"] /= 2
    assert block(busy).busy_machine is None, "tasks that sleep, or read a disk, do so under sync, too"


def test_without_sync_nothing_is_compared() -> None:
    alone = timelines("w", schedulers=("threads",))
    assert timeline.message([block(alone)]) == "w: 2.0 tasks at once under threads"
    drawn = draw(result(alone))
    assert [text.get_text() for text in drawn.axes[0].texts] == ["101 ms\n95\u00a0% inside"]


def test_each_has_its_seconds_gain_and_share_next_to_it() -> None:
    figure = draw(result(timelines("loop", schedulers=CORE)))
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "104 ms\n93\u00a0% inside",
        "101 ms, 1.0x\n95\u00a0% inside",
        "53.1 ms, 1.9x\n90\u00a0% inside",
    ]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(CORE)


def test_a_result_without_timelines_says_what_to_run() -> None:
    nothing = Probing("w", "default", {"timeline": {}}, {"timeline": {"sync": "no"}})
    other = Probing("", "", {"gil": {"sync": {"held": 1.0}}}, {})
    taskless = timelines("w")
    taskless.found["timeline"]["sync"]["tasks"] = []
    only = replace(taskless, found={"timeline": {"sync": taskless.found["timeline"]["sync"]}})
    for probes in ((), (nothing,), (other,), (only,)):
        with pytest.raises(charts.NothingToDraw, match=r"^this result has no timelines: run `gilbench run --probe`"):
            draw(result(*probes))


# --- Which workloads


def names(chosen: Iterable[Block]) -> list[str]:
    return [block.workload for block in chosen]


def test_at_most_three_are_drawn_the_telling_ones_first_and_the_others_are_named() -> None:
    others = [timelines(f"other{i}", 0.6) for i in range(9)]
    data = result(*others[:5], FREE, *others[5:], PURE)
    (chosen,) = timeline.chosen_of([timeline.blocks(data)])
    assert names(chosen) == ["loop", "numpy", "other0"]
    figure = draw(data)
    assert len(figure.axes) == 3
    left_out = "other1, other2, other3, other4, other5, other6 and 2 more."
    assert f"Probed but not drawn: {left_out}" in header(figure)
    assert "not drawn" not in header(draw(result(FREE, PURE, HALF)))


def test_several_results_show_the_same_workloads() -> None:
    first, second = result(PURE, FREE, name="py3.11"), result(FREE, PURE, HALF, name="py3.14t")
    chosen = timeline.chosen_of([timeline.blocks(first), timeline.blocks(second), []])
    assert [names(mine) for mine in chosen] == [["loop"], ["loop"], []]
    figure = draw(first, second, result(name="empty"))
    assert header(figure).startswith("py3.11: loop: on threads")
    assert "empty: no timelines" in header(figure)
    assert ["· py3.11" in title for title in titles(figure)] == [True, False]
    lone = timeline.chosen_of([timeline.blocks(result(PURE)), timeline.blocks(result(HALF))])
    assert [names(mine) for mine in lone] == [["loop"], ["half"]], "other workloads where there is none in common"


def test_of_several_sizes_the_largest_is_drawn() -> None:
    sizes = [replace(PURE, size=size) for size in ("tiny", "large", "default")]
    assert [block.size for block in timeline.blocks(result(*sizes))] == ["large"]


# --- What is drawn


def test_a_bar_for_each_task_and_a_lane_for_each_worker() -> None:
    figure = draw(result(PURE))
    for scheduler in ("sync", "threads", "processes", "loky", "default"):
        assert boxes(figure, scheduler) == 16, scheduler
    assert boxes(figure, "distributed Nx1") == 16
    strips = 1 + 6 * 2
    assert boxes(figure, timeline.IDLE) == strips
    idle = timelines("w", cpus=1)
    for found in idle.found["timeline"].values():
        found["workers"] = 4
    assert boxes(draw(result(idle)), timeline.IDLE) == 7 * 4, "workers that got no task"


def test_what_takes_far_longer_runs_out_of_the_picture() -> None:
    pure = block(PURE)
    assert pure.limit < 0.12 < pure.timelines["processes-default"].first
    figure = draw(result(PURE))
    assert "first task after 400 ms" in [text.get_text() for text in figure.axes[0].texts]
    assert [line.get_marker() for line in figure.axes[0].lines].count(">") == 1
    assert boxes(figure, "processes-default") == 0
    only = block(timelines("w", schedulers=("processes-default", "loky")))
    assert only.limit < only.timelines["processes-default"].first


def test_the_line_ends_where_the_slowest_compute_did() -> None:
    figure = draw(result(timelines("w", schedulers=("sync",))))
    (container,) = figure.axes[0].containers
    ((start, end),) = container.lines[2][0].get_segments()  # type: ignore[attr-defined]
    sync = block(PURE).timelines["sync"]
    assert (start[0], end[0]) == pytest.approx((1e3 * min(sync.computes), 1e3 * max(sync.computes)))


def test_short_tasks_share_a_bar_that_is_as_high_as_their_share_of_its_time() -> None:
    step = 1.0
    long = lane((0, 2), (2, 4.5), (4.6, 7))
    assert [(bar.start, bar.end, bar.inside) for bar in task_bars.bars(long, step)] == [
        (0, 2, 2),
        (2, 4.5, 2.5),
        (4.6, 7, pytest.approx(2.4)),
    ]
    short = lane((0, 0.25), (1, 1.25), (2, 2.25), (4, 4.25), (4.25, 9), (9, 9.25))
    assert [(bar.start, bar.end, bar.inside) for bar in task_bars.bars(short, step)] == [
        (0, 2.25, 0.75),
        (4, 4.25, 0.25),
        (4.25, 9, 4.75),
        (9, 9.25, 0.25),
    ]
    many = task_bars.bars(lane(*((i / 10, i / 10 + 0.05) for i in range(1000))), step)
    assert len(many) == pytest.approx(100 / task_bars.TOGETHER, abs=2), "no longer than that"
    assert sum(bar.inside for bar in many) == pytest.approx(50)
    left, top, width, height = task_bars.box(many[0], top=2.0, thick=1.0, step=500.0)
    assert (left, width) == (0, pytest.approx((many[0].end - many[0].start) * 1e3))
    assert height == pytest.approx(0.5, abs=0.02)
    assert top + height == 3.0
    _, _, width, height = task_bars.box(task_bars.Bar(0, 1e-6, 1e-6, 1e-6), top=0.0, thick=1.0, step=1.0)
    assert (width, height) == (1.0, task_bars.FAINT), "never too small to be seen"


@pytest.mark.parametrize(("cpus", "tasks"), [(2, 500), (2, 2000), (64, 1920)])
def test_thousands_of_tasks_stay_small(cpus: int, tasks: int) -> None:
    data = result(*(timelines(name, held, cpus, tasks=tasks) for name, held in (("a", 1.0), ("b", 0.0), ("c", 0.5))))
    figure = draw(data)
    assert len(charts.image(figure, "svg")) < 300_000
    assert figure.get_figheight() < 24
    assert "a bar's height is the share of its time inside tasks" in header(figure)
    assert "bar's height" not in header(draw(result(PURE)))


def test_lanes_that_are_too_many_have_no_gaps() -> None:
    figure = draw(result(timelines("w", cpus=64, tasks=128)))
    assert boxes(figure, timeline.IDLE) == 7
    edges = {patch.get_linewidth() for patch in figure.axes[0].patches}
    assert max(edges) < 0.8, "white edges would swallow thin lanes"


@pytest.mark.parametrize("text", [HOSTILE, "$x^{", "_" * 300, "日本", "%s {0} \\$", "a\nb"])
def test_hostile_names_are_only_text(text: str) -> None:
    figure = draw(result(timelines(text, schedulers=("sync", "threads", text)), name=text))
    assert b"<script" not in charts.image(figure, "svg")
    assert charts.image(figure, "png").startswith(b"\x89PNG")
    assert titles(figure)[0].startswith(style.plain(text).split()[0][:10])


def test_a_compute_of_no_length_can_be_drawn() -> None:
    def instant(**more: Any) -> dict[str, Any]:
        return {"tasks": [["x", 0, 0, 0.0, 1e-9]], "workers": 1, "planned": 1, "cpu_seconds": 0.0, **more}

    found = {name: instant(seconds=1e-9, computes=[1e-9]) for name in CORE}
    figure = draw(result(Probing("w", "tiny", {"timeline": found}, {})))
    assert charts.image(figure, "svg").startswith(b"<?xml")


def test_series_is_the_one_that_has_a_style() -> None:
    def of(*lanes: tuple[int, int]) -> str:
        tasks = tuple(Task("x", process, thread, 0.0, 1.0) for process, thread in lanes)
        return timeline._series("distributed", Timeline(tasks, 1.0, 2, len(tasks), 1.0, (1.0,)))

    assert of((0, 0), (1, 0)) == "distributed Nx1"
    assert of((0, 0), (0, 1)) == "distributed 1xN"
    assert of((0, 0), (0, 1), (1, 0)) == "distributed mix"
    assert of((0, 0)) == "distributed 1x1"
