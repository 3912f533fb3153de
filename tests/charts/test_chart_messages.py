"""Titles and the figures behind them, for scripted data."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dask import delayed
from matplotlib.container import ErrorbarContainer

from gilbench import charts, machine
from gilbench.cases.case import Case
from gilbench.charts.costs import bytes_moved, memory, task_cost
from gilbench.charts.drawing import style
from gilbench.charts.reasons import task_graph
from gilbench.charts.speed import cold_warm, observations, regret, scaling, speedup
from gilbench.errors import Failure
from gilbench.explain import winners
from gilbench.results.summary import CaseSummary, FailedCase
from gilbench.stats import Estimate
from gilbench.targets.workload import Job
from tests.charts.chart_data import case_summary, estimate, realistic, summary
from tests.charts.test_every_chart import OF_PAIRS

THREADS, PROCESSES = ("threads", 1, 2), ("processes", 2, 1)


def case(workload: str, kind: tuple[str, int, int], speed: float, **more: Any) -> CaseSummary:
    """A case that is `speed` times as fast as its sync case of 100 ms."""
    case = Case(workload, "default", *kind)
    return case_summary(case, 0.1 / speed, sync=0.1, **{"spread": 0.02, **more})


def contest(*cases: CaseSummary, failures: tuple[FailedCase, ...] = ()) -> winners.Contest:
    (found,) = winners.contests(summary(cases, failures))
    return found


# --- speedup


@pytest.mark.parametrize(
    ("threads", "processes", "winner"),
    [
        (1.9, 1.2, "threads"),
        (1.2, 1.9, "processes"),
        (1.88, 1.9, "no difference"),
        (1.85, 1.9, "either"),
        (0.5, 0.6, "serial"),
        (1.0, 0.5, "no difference"),
        (1.024, 0.5, "undecided"),
    ],
)
def test_a_win_needs_an_interval_against_the_next_best_above_one(threads: float, processes: float, winner: str) -> None:
    assert contest(case("w", THREADS, threads), case("w", PROCESSES, processes)).winner == winner


def test_a_single_process_proves_nothing() -> None:
    assert contest(case("w", THREADS, 1.9, n=1), case("w", PROCESSES, 1.2)).winner == winners.UNDECIDED
    assert contest(case("w", THREADS, 1.9), case("w", PROCESSES, 1.2, n=1)).winner == winners.UNDECIDED


def test_who_failed_is_not_beaten() -> None:
    failure = FailedCase(Case("w", "default", *PROCESSES), Failure("timeout", ""))
    found = contest(case("w", THREADS, 1.9), failures=(failure,))
    assert found.winner == winners.UNDECIDED
    assert set(found.failed) == {"processes"}
    other_size = replace(failure, case=replace(failure.case, size="large"))
    fewer_workers = replace(failure, case=replace(failure.case, scheduler="threads", workers=1, threads=1))
    assert contest(case("w", THREADS, 1.9), failures=(other_size, fewer_workers)).winner == "threads"


def test_any_scheduler_can_win_for_its_kind_but_not_dasks_default() -> None:
    slow = case("w", THREADS, 1.2), case("w", PROCESSES, 1.2)
    assert contest(*slow, case("w", ("distributed", 1, 2), 1.9)).winner == "threads"
    assert contest(*slow, case("w", ("loky", 2, 1), 1.9)).winner == "processes"
    assert contest(*slow, case("w", ("distributed", 2, 2), 1.9)).winner == "mix"
    assert contest(*slow, case("w", ("default", 1, 2), 1.9)).winner == "no difference"


def test_speedup_title_counts_wins() -> None:
    cases = [
        *(case(f"t{i}", kind, speed) for i in range(3) for kind, speed in ((THREADS, 1.9), (PROCESSES, 1.1))),
        *(case(f"p{i}", kind, speed) for i in range(2) for kind, speed in ((THREADS, 0.9), (PROCESSES, 1.8))),
        *(case("s", kind, 0.5) for kind in (THREADS, PROCESSES)),
        *(case("n", kind, 1.9) for kind in (THREADS, PROCESSES)),
        *(case("e", kind, speed) for kind, speed in ((THREADS, 1.85), (PROCESSES, 1.9))),
        *(case("u", kind, speed) for kind, speed in ((THREADS, 1.024), (PROCESSES, 0.5))),
    ]
    assert speedup.message(winners.contests(summary(cases))) == (
        "Threads win 3 of 9 workloads, processes 2, sync 1; no difference in 1; either suits 1; 1 undecided"
    )
    only_threads = [case("t", THREADS, 1.9)]
    assert speedup.message(winners.contests(summary(only_threads))) == "Threads win 1 of 1 workload"


def test_speedup_draws_the_interval_that_was_measured() -> None:
    figure = charts.all_charts()["speedup"].draw([summary([case("w", THREADS, 1.6, spread=0.1)])])
    (bars,) = [box for box in figure.axes[0].containers if isinstance(box, ErrorbarContainer)]
    ((start, end),) = bars.lines[2][0].get_segments()
    speed = case("w", THREADS, 1.6, spread=0.1).speedup
    assert speed is not None
    assert (start[0], end[0]) == pytest.approx((speed.low, speed.high))
    lines = {round(line.get_xdata()[0], 3) for line in figure.axes[0].lines if len(set(line.get_xdata())) == 1}
    assert {1.0, 2.0} <= lines, "sync and the ideal"


def test_speedup_shows_inner_threads_next_to_the_pinned_baseline() -> None:
    pinned = case("w", ("sync", 1, 1), 1)
    unpinned = replace(case("w", ("sync", 1, 1), 1.5), case=Case("w", "default", "sync", 1, 1, False))
    found = winners.contests(summary([pinned, unpinned]))
    assert [(contest.label, list(contest.fastest)) for contest in found] == [("w (inner threads on)", ["sync"])]


def test_speedup_takes_the_most_workers_and_one_size() -> None:
    few, many = case("w", ("threads", 1, 1), 1.0), case("w", ("threads", 1, 4), 3.0)
    small = replace(many, case=replace(many.case, size="small"))
    (found,) = winners.contests(summary([few, many, small, case("other", THREADS, 1.0)]))[:1]
    assert found.fastest["threads"] == many


def test_the_ideal_is_what_the_cpus_allow() -> None:
    cases = [case("w", ("distributed", *shape), 1.0) for shape in ((2, 2), (1, 1))]
    legend = charts.all_charts()["speedup"].draw([summary(cases, usable_cpus=2)]).legends[0]
    assert "ideal = 2x" in [text.get_text() for text in legend.get_texts()]
    axes = charts.all_charts()["scaling"].draw([summary(cases, usable_cpus=2)]).axes[0]
    (ideal,) = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert list(zip(ideal.get_xdata(), ideal.get_ydata(), strict=True)) == [(1, 1), (2, 2), (4, 2)]


def test_of_several_mixes_the_squarest_represents_all() -> None:
    shapes = ((2, 8), (4, 4), (8, 2), (1, 1))
    cases = [case("w", ("distributed", *shape), 1.0) for shape in shapes]
    assert contest(*cases).fastest["distributed mix"].case.shape == "4x4"
    assert [c.case.shape for c in scaling.workloads(summary(cases))["w"]["distributed mix"]] == ["1x1", "4x4"]


# --- scaling


def test_scaling_counts_what_surely_gains() -> None:
    def curve(workload: str, kind: str, last: float, **more: Any) -> list[CaseSummary]:
        last_shape = (1, 4) if kind == "threads" else (4, 1)
        return [case(workload, (kind, 1, 1), 0.95), case(workload, (kind, *last_shape), last, **more)]

    cases = [
        *curve("a", "threads", 3.0),
        *curve("a", "processes", 3.0),
        *curve("b", "threads", 0.96),
        *curve("b", "processes", 3.0, n=1),
    ]
    assert scaling.message(summary(cases)) == "With more workers, threads gain on 1 of 2 workloads, processes on 1 of 2"


def test_every_shape_of_distributed_starts_at_one() -> None:
    shapes = ((1, 1), (1, 4), (4, 1), (2, 2))
    found = scaling.workloads(summary(case("w", ("distributed", *shape), 1.0) for shape in shapes))
    points = {name: [c.case.shape for c in curve] for name, curve in found["w"].items()}
    assert points == {
        "distributed 1xN": ["1x1", "1x4"],
        "distributed Nx1": ["1x1", "4x1"],
        "distributed mix": ["1x1", "2x2"],
    }


# --- observations


def test_the_title_of_observations_says_how_precisely_medians_are_known() -> None:
    cases = [case(f"w{i}", THREADS, 1, spread=spread) for i, spread in enumerate((0.01, 0.02, 0.2))]
    said = observations.message(summary([*cases, case("alone", THREADS, 1, n=1)])).replace(style.NO_BREAK, " ")
    assert said == "Half of 3 medians are known within ±2.0 %, all within ±20 %; 1 has no interval"


def test_every_observation_is_a_dot() -> None:
    result = realistic(full=False)
    figure = charts.all_charts()["observations"].draw([result])
    dots = [line for axes in figure.axes for line in axes.lines if line.get_zorder() == 4]
    assert sum(len(line.get_xdata()) for line in dots) == sum(len(case.observations) for case in result.timed)
    assert sorted(x for line in dots for x in line.get_xdata()) == sorted(
        x for case in result.timed for x in case.observations
    )


# --- task_cost


def test_task_cost_divides_by_the_tasks() -> None:
    cases = [
        case_summary(Case("tiny_tasks", "default", "sync"), 0.02, tasks=200),
        case_summary(Case("tiny_tasks", "default", "distributed", 2, 1), 0.3, tasks=200),
        case_summary(Case("tiny_tasks", "default", "threads", 1, 2), 0.04, tasks=0),
        case_summary(Case("sort", "default", "sync"), 0.1, tasks=16),
    ]
    table = task_cost.costs(summary(cases))
    assert [cost.value for cost in table.values()] == pytest.approx([1e-4, 1.5e-3])
    assert task_cost.message(table) == "A task costs 100 µs on sync, 15.0x as much (1.50 ms) on distributed 2x1"
    close = {Case("tiny_tasks", "default", name): estimate(1e-4) for name in ("sync", "threads")}
    assert task_cost.message(close).endswith("no scheduler is certainly more expensive")


# --- bytes_moved


def test_bytes_moved_compares_the_most_bytes() -> None:
    def moved(kind: tuple[str, int, int], seconds: float, size: int) -> CaseSummary:
        name = {2**20: "small", 2**26: "large"}[size]
        return case_summary(Case("return_bytes", name, *kind), seconds, moved_bytes=size)

    cases = [moved(THREADS, 0.001, 2**20), moved(THREADS, 0.02, 2**26)]
    cases += [moved(PROCESSES, 0.002, 2**20), moved(PROCESSES, 0.8, 2**26)]
    assert bytes_moved.message(summary(cases)) == (
        "return_bytes: 64 MiB take 40.0x as long on processes (800 ms) as on threads (20.0 ms)"
    )
    (curves,) = bytes_moved.workloads(summary(cases)).values()
    assert [c.moved_bytes for c in curves["threads"]] == [2**20, 2**26]
    assert "no clear difference" in bytes_moved.message(summary(cases[:2]))


# --- memory


def test_memory_compares_threads_and_processes() -> None:
    def peak(kind: tuple[str, int, int], mib: float, **more: Any) -> CaseSummary:
        return case_summary(Case("shared_array", "default", *kind, True, "memory"), mib * 2**20, **more)

    cases = [peak(THREADS, 100), peak(PROCESSES, 300)]
    assert memory.message(summary(cases)) == (
        "shared_array: processes need 3.00x the memory of threads (300 MiB against 100 MiB)"
    )
    assert "no clear difference" in memory.message(summary([peak(THREADS, 100), peak(PROCESSES, 101)]))
    figure = charts.all_charts()["memory"].draw([summary([*cases, peak(("sync", 1, 1), 90, n=1)])])
    assert [round(bar.get_width()) for bar in figure.axes[0].patches] == [90, 100, 300]
    assert len({bar.get_hatch() for bar in figure.axes[0].patches}) == 3


# --- cold_warm


def test_cold_is_opening_and_first() -> None:
    def started(kind: tuple[str, int, int], opening: float) -> CaseSummary:
        return case("w", kind, 1, opening=estimate(opening), first=estimate(0.2))

    table = cold_warm.pairs(summary([started(THREADS, 0.001), started(PROCESSES, 0.6), case("x", THREADS, 1)]))
    assert {name: pair.cold.value for name, (pair,) in table.items()} == pytest.approx(
        {"threads": 0.201, "processes": 0.8}
    )
    assert (
        cold_warm.message(table) == "The first result takes as long as 8 warm computes on processes and 2.01 on threads"
    )


# --- regret


@pytest.mark.parametrize(
    ("speed", "rating"), [(1.0, "close"), (0.5, "worse"), (2.0, "close"), (0.9, "close"), (0.85, "worse")]
)
def test_regret_is_over_the_best_of_all_others(speed: float, rating: str) -> None:
    others = [case("w", kind, value) for kind, value in ((("sync", 1, 1), 1.0), (THREADS, 1.6), (PROCESSES, 0.9))]
    (found,) = regret.regrets(summary([*others, case("w", ("default", 1, 2), 1.6 * speed)]))
    assert found.best.case.scheduler == "threads"
    assert found.ratio.value == pytest.approx(1 / speed)
    assert found.rating == rating


def test_regret_title() -> None:
    cases = [
        *(case("good", kind, 1.5) for kind in (THREADS, ("default", 1, 2))),
        *(case("bad", kind, speed) for kind, speed in ((PROCESSES, 2.0), (("default", 1, 2), 0.5))),
        *(case("unknown", kind, 1.5, n=1) for kind in (THREADS, ("default", 1, 2))),
    ]
    assert regret.message(regret.regrets(summary(cases))) == (
        f"dask's default is within 20{style.NO_BREAK}% of the best on 1 of 3 collections; 1 is unclear; "
        "bad takes 4.00x as long as on processes 2x1"
    )
    wide = [case("w", kind, 1.5, spread=0.3) for kind in (THREADS, ("default", 1, 2))]
    assert regret.regrets(summary(wide))[0].rating == "unclear", (
        "no evidence of a difference is no evidence of closeness"
    )


# --- task_graph


def inc(number: int) -> int:
    return number + 1


def add(*numbers: int) -> int:
    return sum(numbers)


def job(together: bool) -> Job:
    def shared() -> Any:
        return delayed(add)(*(delayed(inc)(number) for number in range(3)))

    first = shared()
    second = first if together else shared()
    return Job(collections=[delayed(min)(first, 0), delayed(max)(second, 0)], together=together)


def test_together_shares_tasks_that_separately_runs_twice() -> None:
    (together,) = task_graph.computes(job(True))
    separately = task_graph.computes(job(False))
    assert [len(tasks.needs) for tasks in (together, *separately)] == [6, 5, 5]
    for tasks in (together, *separately):
        assert sorted(tasks.labels[task] for task in tasks.shared) == ["add", "inc", "inc", "inc"]
    graphs = {"together": [together], "separately": separately}
    said = task_graph.message(graphs, [summary([])])
    assert said == "Together, shared work runs once: 6 tasks; separately twice: 10 tasks"


def test_task_graph_says_what_it_costs() -> None:
    graphs = {"together": task_graph.computes(job(True)), "separately": task_graph.computes(job(False))}
    slow, same = (
        summary([case("together", ("sync", 1, 1), 1), case("separately", ("sync", 1, 1), s)]) for s in (0.5, 1)
    )
    assert task_graph.message(graphs, [slow]).endswith("10 tasks and 2x the time")
    assert "no clear difference" in task_graph.message(graphs, [same])


def test_task_graph_draws_a_box_for_every_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_graph, "_job", lambda name: job(name == "together"))
    data = summary(case(name, ("sync", 1, 1), 1) for name in ("together", "separately"))
    figure = charts.all_charts()["task_graph"].draw([data])
    assert [len(axes.patches) for axes in figure.axes] == [6, 10]
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "together: 6 tasks in 1 dask.compute",
        "separately: 10 tasks in 2 dask.computes",
    ]


def test_dask_visualize_needs_package_and_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"package": True, "program": True}
    package = SimpleNamespace(find_spec=lambda name: found["package"] or None)
    monkeypatch.setattr(task_graph.importlib, "util", package)
    monkeypatch.setattr(task_graph.shutil, "which", lambda name: found["program"] or None)

    def visualize(*collections: Any, filename: str, format: str, engine: str) -> None:
        assert len(collections) == 2
        Path(f"{filename}.{format}").write_text("<svg/>")

    monkeypatch.setattr("dask.visualize", visualize)
    path = task_graph.dask_visualize(tmp_path / "plots")
    assert path == tmp_path / "plots" / "dask_visualize.svg"
    assert path.read_text() == "<svg/>"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    for missing in found:
        found.update(package=True, program=True)
        found[missing] = False
        assert task_graph.dask_visualize(tmp_path) is None


# --- what all share


def test_warnings_of_a_result_are_on_every_chart() -> None:
    data = replace(realistic(full=False), warnings=("the control does not scale", "second", "third", "fourth"))
    for name, chart in charts.all_charts().items():
        several = name in OF_PAIRS  # then each warning names its result
        free = replace(data, machine={**data.machine, "gil": "disabled"})
        header = [text.get_text() for text in chart.draw([data, free] if several else [data]).texts]
        of = "example: " if several else ""
        assert f"Warning: {of}the control does not scale" in header
        assert f"{of}2 more warnings" in header
        assert not any("third" in text for text in header)


def test_an_unbounded_interval_is_an_arrow_not_a_line() -> None:
    lonely = case("w", THREADS, 1.5, n=1)
    assert lonely.speedup is not None
    assert math.isinf(lonely.speedup.high)
    figure = charts.all_charts()["speedup"].draw([summary([lonely])])
    markers = [line.get_marker() for line in figure.axes[0].lines]
    assert {"<", ">"} <= set(markers)
    hollow = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_markerfacecolor() for line in hollow] == ["white"]
    assert any("Hollow" in text.get_text() for text in figure.texts)


def test_one_sided_intervals_can_be_drawn() -> None:
    odd = replace(case("w", THREADS, 1.5), speedup=Estimate(1.5, 1.4, math.inf, 2))
    svg = charts.image(charts.all_charts()["speedup"].draw([summary([odd])]), "svg")
    assert svg.startswith(b"<?xml")


@pytest.mark.skipif(machine.graph_drawing() != "graphviz", reason="needs the graphviz package and its dot program")
def test_dask_really_draws_its_own_picture(tmp_path: Path) -> None:
    path = task_graph.dask_visualize(tmp_path)
    assert path
    text = path.read_text()
    assert "<svg" in text
    assert all(f">{task}</text>" in text for task in ("gather", "fmean", "max")), "the names of the tasks"
