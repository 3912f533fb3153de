"""The parts that charts are made of: layout, ticks, text, styles, ratios."""

from __future__ import annotations

import math
from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilbench import stats
from gilbench.cases.case import Case
from gilbench.charts.drawing import layered, scales, style
from gilbench.explain import selected, series
from gilbench.stats import Estimate
from tests.charts.chart_data import case_summary, estimate


@st.composite
def graphs(draw: st.DrawFn) -> dict[Hashable, set[Hashable]]:
    """A graph without cycles: each node needs some of those before it."""
    size = draw(st.integers(0, 12))
    return {node: draw(st.sets(st.sampled_from(range(node)))) if node else set() for node in range(size)}


@given(graphs())
def test_layered_puts_every_node_to_the_right_of_what_it_needs(graph: dict[Hashable, set[Hashable]]) -> None:
    layout = layered.lay_out(graph, {node: str(node) for node in graph})
    assert set(layout.places) == set(graph)
    assert len(set(layout.places.values())) == len(graph)
    for node, needed in graph.items():
        assert all(layout.places[other][0] < layout.places[node][0] for other in needed)
    assert all(0 <= row <= layout.rows - 1 and column < layout.columns for column, row in layout.places.values())


def test_layered_avoids_crossings_that_can_be_avoided() -> None:
    graph: dict[Hashable, set[Hashable]] = {"a": set(), "b": set(), "c": {"b"}, "d": {"a"}}
    rows = {node: row for node, (_, row) in layered.lay_out(graph, {node: str(node) for node in graph}).places.items()}
    assert (rows["a"] < rows["b"]) == (rows["d"] < rows["c"])


def test_signatures_know_the_same_work_under_other_keys() -> None:
    graph: dict[Hashable, set[Hashable]] = {1: set(), 2: {1}, 3: set(), 4: {3}, 5: {3, 4}}
    labels = {1: "load", 2: "sum", 3: "load", 4: "sum", 5: "sum"}
    found = layered.signatures(graph, labels)
    assert found[1] == found[3]
    assert found[2] == found[4] != found[5]


def test_every_scheduler_has_its_own_color_marker_and_hatch() -> None:
    looks = [style.style_of(name) for name in style.STYLES]
    assert len({(look.color, look.marker) for look in looks}) == len(looks)
    assert len({look.marker for look in looks}) == len(looks)
    assert len({look.hatch for look in looks}) == len(looks)
    assert not {look.marker for look in looks} & {look.marker for look in style.SPARE}


def test_an_unknown_scheduler_looks_the_same_every_time() -> None:
    assert (
        style.style_of("dragon") == style.style_of("dragon") == style.SPARE[style.SPARE.index(style.style_of("dragon"))]
    )
    assert style.series_order(["zebra", "loky", "ant", "sync", "loky"]) == ["sync", "loky", "ant", "zebra"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a$b$", r"a\$b\$"), ("two\nlines\x00", "two lines"), ("x" * 50, "x" * 39 + "…"), ("\ud800", "")],
)
def test_plain(text: str, expected: str) -> None:
    assert style.plain(text) == expected


@given(st.lists(st.text("abc \u00a0xyzWM", min_size=1, max_size=30), max_size=20), st.floats(0.8, 8))
def test_wrapped_lines_fit(words: list[str], width: float) -> None:
    text = " ".join(words)
    lines = style.wrapped(text, width)
    assert all(style.text_width(line) <= width for line in lines)
    if "…" not in "".join(lines):
        assert " ".join(lines) == text


@pytest.mark.parametrize(
    ("figure", "expected"),
    [("50.0 ms", "50 ms"), ("100 ms", "100 ms"), ("1.50 s", "1.5 s"), ("2.00x", "2x"), ("0.10", "0.1"), ("10", "10")],
)
def test_tick(figure: str, expected: str) -> None:
    assert style.tick(figure) == expected


@given(st.floats(1e-6, 1e3), st.floats(1.05, 1e6), st.integers(4, 10))
def test_log_ticks(low: float, factor: float, most: int) -> None:
    ticks = scales.log_ticks(low, low * factor, most)
    assert all(low <= tick <= low * factor for tick in ticks)
    assert 1 <= len(ticks) <= most + 2
    assert ticks == sorted(set(ticks))


def test_log_limits_do_not_run_after_a_wide_interval() -> None:
    low, high = scales.log_limits([Estimate(1.0, 1e-6, 1e6, 2), Estimate(2.0, 0.0, math.inf, 1)], pad=1.0)
    assert (low, high) == (1 / scales.REACH, 2 * scales.REACH)


def test_ratio_of_intervals() -> None:
    found = stats.quotient(Estimate(2.0, 2 / 1.1, 2 * 1.1, 5), Estimate(1.0, 1 / 1.1, 1.1, 3))
    spread = math.exp(math.sqrt(2) * math.log(1.1))
    assert (found.value, found.low, found.high, found.n) == pytest.approx((2, 2 / spread, 2 * spread, 3))
    unknown = stats.quotient(estimate(2.0), estimate(1.0, n=1))
    assert (unknown.low, unknown.high) == (0, math.inf)


@pytest.mark.parametrize(
    ("case", "name", "kind"),
    [
        (Case("w", "tiny", "sync"), "sync", "serial"),
        (Case("w", "tiny", "threads", 1, 1), "threads", "threads"),
        (Case("w", "tiny", "threads", 1, 4), "threads", "threads"),
        (Case("w", "tiny", "processes", 4, 1), "processes", "processes"),
        (Case("w", "tiny", "distributed", 1, 4), "distributed 1xN", "threads"),
        (Case("w", "tiny", "distributed", 4, 1), "distributed Nx1", "processes"),
        (Case("w", "tiny", "distributed", 2, 2), "distributed mix", "mix"),
        (Case("w", "tiny", "distributed", 1, 1), "distributed 1x1", "processes"),
        (Case("w", "tiny", "new", 2, 1), "new", "processes"),
    ],
)
def test_series_and_kind(case: Case, name: str, kind: str) -> None:
    assert (series.name_of(case), series.kind_of(case)) == (name, kind)


def test_the_most_common_size_represents_a_workload() -> None:
    sizes = [
        ("a", "default"),
        ("b", "default"),
        ("c", "small"),
        ("c", "default"),
        ("c", "large"),
        ("d", "tiny"),
        ("d", "small"),
    ]
    cases = [case_summary(Case(workload, size, "sync"), 1.0) for workload, size in sizes]
    assert selected.main_sizes(cases) == {"a": "default", "b": "default", "c": "default", "d": "small"}
