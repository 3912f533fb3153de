"""The granularity chart, for scripted data."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from gilbench import charts
from gilbench.charts.costs import granularity
from gilbench.probes._patterns import PATTERNS
from gilbench.probes.granularity_probe import HALF, described, search
from gilbench.results.records import Probing
from gilbench.results.summary import Summary
from tests.charts import chart_data
from tests.charts.test_every_chart import texts, title

SHAPES = {"sync": (1, 1), "threads": (1, 2)}  # processes x threads; 2 x 1 for all others
OVERHEADS = {"sync": 5e-5, "threads": 1.7e-4, "processes": 8e-4, "loky": 7e-4, "distributed": 4e-3}
FACTORS = dict(zip(PATTERNS, (1.0, 1.2, 1.1, 2.0), strict=True))


def curve(overhead: float, scheduler: str = "threads", best: float = 0.95) -> dict[str, Any]:
    """What the probe finds under a scheduler with this overhead per task, in seconds."""
    processes, threads = SHAPES.get(scheduler, (2, 1))
    found = described(search(lambda seconds: best * seconds / (seconds + overhead)))
    return {**found, "workers": processes * threads, "processes": processes, "threads": threads}


def probing(overheads: dict[str, float], patterns: tuple[str, ...] = PATTERNS) -> Probing:
    found = {
        scheduler: {pattern: curve(overhead * FACTORS.get(pattern, 1.0), scheduler) for pattern in patterns}
        for scheduler, overhead in overheads.items()
    }
    return Probing("sleep", "tiny", {"granularity": found}, {})


def summary(*probes: Probing, name: str = "example") -> Summary:
    return replace(chart_data.summary([], name=name), probes=probes)


def draw(*summaries: Summary) -> Figure:
    return charts.all_charts()["granularity"].draw(summaries)


def test_nothing_to_draw_says_what_to_run() -> None:
    expected = "^this result has no granularity probe: run `gilbench run --probe`$"
    for summaries in ([], [summary()], [summary(Probing("w", "tiny", {"gil": {"sync": {"held": 1.0}}}, {}))]):
        with pytest.raises(charts.NothingToDraw, match=expected):
            draw(*summaries)


def test_the_title_gives_the_range_over_all_patterns_the_best_first() -> None:
    found = probing({"processes": 1e-3, "threads": 1e-4, "loky": 50.0, "dragon": 50.0})
    assert granularity.message(summary(found)) == (
        "Half of the efficiency is left at tasks of 110 to 220 µs on threads, 1.1 to 2.2 ms on processes, "
        "more than 100 ms on loky and dragon"
    )
    assert granularity.message(summary()) == "no granularity probe"


def test_distributed_is_named_by_its_shape() -> None:
    assert list(granularity.panels(summary(probing({"distributed": 1e-3})))["tree"]) == ["distributed Nx1"]


def test_a_panel_for_each_pattern_with_its_figures() -> None:
    figure = draw(summary(probing({"sync": 5e-5, "threads": 1e-3})))
    assert len(figure.axes) == len(PATTERNS)
    for axes, pattern in zip(figure.axes, PATTERNS, strict=True):
        assert axes.get_title(loc="left").startswith(pattern)
        said = [text.get_text() for text in axes.texts]
        assert len(said) == 3, "the list's head and two figures"
        (bars, _) = [box for box in axes.containers if isinstance(box, ErrorbarContainer)]
        ((start, end),) = bars.lines[2][0].get_segments()
        assert start[1] == end[1] == HALF
        assert start[0] < end[0] < 1.36 * start[0]
    assert [text.get_text() for text in figure.axes[0].texts][1:] == ["56 µs", "1.1 ms"]


def test_out_of_reach_is_in_the_list_only() -> None:
    figure = draw(summary(probing({"threads": 1e-9, "loky": 50.0})))
    assert [text.get_text() for text in figure.axes[0].texts][1:] == ["< 10 µs", "> 100 ms"]
    assert not figure.axes[0].containers
    assert title(figure) == (
        "Half of the efficiency is left at tasks of less than 10 µs on threads, more than 100 ms on loky"
    )


@pytest.mark.parametrize("results", [1, 2])
def test_it_is_legible(results: int) -> None:
    figure = draw(*(summary(probing(OVERHEADS), name=f"py3.{i}") for i in range(results)))
    figure.set_dpi(100)
    boxes = [(text.get_text(), text.get_window_extent().padded(-1.5)) for text in texts(figure)]
    page = figure.bbox.padded(1)
    assert not [text for text, box in boxes if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1))]
    assert not [(a, b) for (a, first), (b, second) in combinations(boxes, 2) if first.overlaps(second)]
    assert min(text.get_fontsize() for text in texts(figure)) >= 9


def test_a_result_without_the_probe_leaves_its_place_empty() -> None:
    figure = draw(summary(probing(OVERHEADS), name="with"), summary(name="without"))
    assert len(figure.axes) == len(PATTERNS)
    assert "without: no granularity probe" in " ".join(text.get_text() for text in figure.texts)


def test_an_efficiency_beyond_one_is_within_the_panel() -> None:
    found = {"granularity": {"threads": {"tree": curve(1e-4, best=1.2)}}}
    (axes,) = draw(summary(Probing("w", "tiny", found, {}))).axes
    assert axes.get_ylim()[1] > 1.2


def test_hostile_names_are_only_text() -> None:
    hostile = chart_data.HOSTILE
    figure = draw(summary(probing({hostile: 1e-3, "$x^{": 1e-9, "_" * 500: 1.0}, (hostile, "$a$"))))
    svg = charts.image(figure, "svg")
    assert b"<script" not in svg
    assert b"&lt;script&gt;" in svg
    assert charts.image(figure, "png").startswith(b"\x89PNG\r\n\x1a\n")
