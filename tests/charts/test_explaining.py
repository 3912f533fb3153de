"""The charts that explain: what they say of the GIL, of traffic and of free threading."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from gilbench import charts
from gilbench.cases.case import Case
from gilbench.charts.costs import traffic
from gilbench.charts.drawing import style
from gilbench.charts.reasons import gil
from gilbench.charts.reasons.gil import Dot
from gilbench.charts.speed import free_threading
from gilbench.results.records import Probing
from gilbench.results.summary import CaseSummary, Summary
from gilbench.stats import Estimate
from tests.charts.chart_data import case_summary, estimate, realistic, summary

THREADS = ("threads", 1, 2)


def dot(held: float, speedup: float, spread: float = 0.05, why: str = "") -> Dot:
    return Dot("w", estimate(held, 0.02), estimate(speedup, spread), 2, why)


@pytest.mark.parametrize(
    ("held", "speedup", "spread", "unclear", "under"),
    [
        (0.0, 1.9, 0.05, False, False),
        (1.0, 0.97, 0.05, False, False),
        (0.1, 1.2, 0.05, False, True),
        (0.1, 1.2, 0.9, True, False),
        (1.0, 0.6, 0.05, False, True),
        (0.9, 0.93, 0.18, True, False),
    ],
)
def test_a_workload_is_under_the_bound_where_its_whole_interval_is(
    held: float, speedup: float, spread: float, unclear: bool, under: bool
) -> None:
    assert (dot(held, speedup, spread).unclear, dot(held, speedup, spread).under) == (unclear, under)


@pytest.mark.parametrize("speedup", [0.5, 1.9])
def test_a_single_process_says_nothing_for_sure(speedup: float) -> None:
    alone = Dot("w", estimate(0.1), Estimate(speedup, 0.0, math.inf, 1), 2)
    assert alone.unclear and not alone.under


def test_the_gil_chart_counts_what_is_close_unclear_and_under() -> None:
    dots = [dot(0.0, 1.9), dot(0.1, 1.2, 0.9), dot(1.0, 0.5, why="38,000 GIL switches a second")]
    assert gil.message(dots) == (
        "Threads gain what the GIL allows on 1 of 3 workloads; 1 is unclear; w gets 0.50x of 1.00x"
    )
    assert gil.message(dots[:1]) == "Threads gain what the GIL allows on 1 of 1 workload"


def probed(workload: str, held: float, threads: float, processes: float, switches: float = 100.0) -> Summary:
    """A result of one workload with its probes. threads, processes: speed-ups."""
    cases = [
        case_summary(Case(workload, "small", *kind), 1 / speedup, sync=1.0)
        for kind, speedup in ((("sync", 1, 1), 1.0), (THREADS, threads), (("processes", 2, 1), processes))
    ]
    found: dict[str, Any] = {
        "sync": {"held": held, "low": held - 0.01, "high": held + 0.01},
        "threads": {"switches_per_second": switches},
    }
    data = summary(cases)
    return Summary(data.name, data.machine, data.cases, (), probes=(Probing(workload, "small", {"gil": found}, {}),))


@pytest.mark.parametrize(
    ("held", "threads", "processes", "switches", "why"),
    [
        (0.2, 1.9, 1.9, 1e5, ""),
        (0.2, 1.1, 1.9, 1e5, "100,000 GIL switches a second"),
        (0.2, 1.1, 1.1, 10.0, "processes gain no more: memory, data transfer or small tasks"),
        (0.2, 1.5, 0.4, 10.0, "processes gain no more: memory, data transfer or small tasks"),
        (0.2, 1.1, 1.9, 10.0, "not the GIL alone: processes gain more"),
    ],
)
def test_why_threads_gain_less_than_the_gil_lets_them(
    held: float, threads: float, processes: float, switches: float, why: str
) -> None:
    (found,) = gil.dots_of(probed("w", held, threads, processes, switches))
    assert found.why == why
    assert found.bound == 2.0


def test_names_of_the_gil_chart_stand_on_no_mark_and_on_no_other_name() -> None:
    """test_every_chart checks that names do not overlap; this checks that most are there, and that they stay text."""
    data = realistic()
    figure = charts.all_charts()["gil"].draw([data])
    names = {text.get_text() for text in figure.axes[0].texts}
    assert {found.name for found in gil.dots_of(data) if found.why} & names
    assert len(names) >= 10
    svg = charts.image(figure, "svg").decode()
    assert all(re.search(rf">{name}</text>", svg) for name in names), "an SVG of paths cannot be searched"


def moving(**moved: float) -> Summary:
    probes = tuple(
        Probing(workload, "small", {"traffic": {"processes": {"to_tasks_bytes": size}, "threads": {}}}, {})
        for workload, size in moved.items()
    )
    data = summary([])
    return Summary(data.name, data.machine, (), (), probes=probes)


def test_traffic_counts_what_moves_much() -> None:
    assert traffic.message(traffic.moved_of(moving(few=1000, many=3 * 2**20))) == (
        "1 of 2 workloads move more than 1 MiB in one compute; many moves 3.00 MiB under processes"
    )
    assert traffic.message(traffic.moved_of(moving(few=1000))) == (
        "No workload moves more than 1 MiB in one compute; few moves 1000 B under processes"
    )


@pytest.mark.parametrize("sizes", [(1000.0,), (1200.0, 260_000.0), (3.0, 5e9)])
def test_ticks_of_traffic_are_round_in_binary_units(sizes: tuple[float, ...]) -> None:
    figure = charts.all_charts()["traffic"].draw([moving(**{f"w{i}": size for i, size in enumerate(sizes)})])
    (low, high), axis = figure.axes[0].get_xlim(), figure.axes[0].xaxis
    ticks = [label.get_text() for label in axis.get_ticklabels()]
    assert ticks and all(re.fullmatch(r"\d{1,3} (B|KiB|MiB|GiB)", tick) for tick in ticks)
    assert low < min(sizes) <= max(sizes) < high


def builds(own: Estimate, price: Estimate) -> free_threading.Builds:
    return free_threading.Builds("w", estimate(1.0), own, own, price)


@pytest.mark.parametrize(
    ("price", "said"),
    [
        (estimate(1.3), "a single thread takes 1.30x as long at the median"),
        (estimate(0.8), "a single thread takes only 0.80x as long at the median"),
        (estimate(1.01), "a single thread pays next to nothing at the median"),
        (estimate(1.2, 0.5), "what a single thread pays is unclear"),
    ],
)
def test_the_price_of_a_single_thread_is_stated_if_its_interval_is_clear(price: Estimate, said: str) -> None:
    both = summary([]), summary([])
    assert free_threading.message([builds(estimate(1.9), price)], *both) == (
        f"Without the GIL, threads gain more on 1 of 1 workload; {said}"
    )


def test_other_differences_than_the_gil_are_stated() -> None:
    def cases(factor: float) -> list[CaseSummary]:
        return [
            case_summary(Case("w", "small", *kind), factor * seconds, sync=factor)
            for kind, seconds in ((("sync", 1, 1), 1.0), (THREADS, 0.5))
        ]

    before = summary(cases(1.0), name="gil")
    same = summary(cases(1.0), name="free", gil="disabled", python_build="free-threaded")
    other = summary(cases(1.2), name="free", gil="disabled", python_version="3.13.5", pandas_version="3.0.3")
    assert free_threading.differences(before, same) == []
    assert free_threading.differences(before, other) == ["Python 3.11.7 against 3.13.5", "pandas 3.1.1 against 3.0.3"]
    figure = charts.all_charts()["free_threading"].draw([before, other])
    said = " ".join(text.get_text() for text in figure.texts)
    assert "More than the GIL differs: Python 3.11.7 against 3.13.5, pandas 3.1.1 against 3.0.3." in said
    assert not any("differs" in t.get_text() for t in charts.all_charts()["free_threading"].draw([before, same]).texts)


def test_a_scheduler_looks_alike_where_its_shape_is_not_known() -> None:
    assert style.style_of("distributed") is style.STYLES["distributed"]
