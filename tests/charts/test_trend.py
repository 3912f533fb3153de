"""The chart of a history: its message, marks with intervals, and text that stays legible and harmless."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from click.testing import CliRunner
from matplotlib.container import ErrorbarContainer

from gilbench import charts
from gilbench.charts.speed import trend
from gilbench.commands.group import gilbench
from gilbench.explain.tracks import Change, Point, Track
from gilbench.results.history_file import append
from gilbench.results.verdicts import Revision
from gilbench.stats import Estimate
from tests.charts.test_every_chart import texts, title
from tests.explain.test_tracks import CHAIN, history
from tests.scripted import HOSTILE


def track(name: str = "parse", changes: dict[int, float] | None = None, revisions: int = 60) -> Track:
    """A history of revisions, with changes: revision -> ratio."""
    found = changes or {}
    levels = [1.0]
    for index in range(1, revisions):
        levels.append(levels[-1] * found.get(index, 1.0))
    points = tuple(Point(i, Estimate(levels[i], levels[i] * 0.98, levels[i] * 1.02, 9)) for i in range(1, revisions))
    return Track(
        name,
        tuple(Revision(f"{i:040d}", f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z") for i in range(revisions)),
        points,
        tuple(Change(i, Estimate(ratio, ratio * 0.99, ratio * 1.01, 9)) for i, ratio in sorted(found.items())),
        tuple(levels),
    )


def draw(*tracks: Track):  # type: ignore[no-untyped-def]
    return charts.all_charts(charts.HISTORY)["trend"].draw(tracks)


def test_it_is_the_chart_of_histories() -> None:
    assert list(charts.all_charts(charts.HISTORY)) == ["trend"]


def test_the_title_is_the_newest_slowdown_that_lasts() -> None:
    lasting = track(changes={20: 1.1, 40: 1.05})
    assert trend.message([lasting]) == "parse is 5% slower since 000000000; 1 more change"
    fixed = track("fixed", {30: 1.2, 50: 1 / 1.2})
    assert trend.message([fixed, track(changes={20: 1.1})]).startswith("parse is 10% slower since")
    assert trend.message([track(changes={20: 0.8})]) == "parse is 20% faster since 000000000"
    assert trend.message([track()]) == "No benchmark has changed in 60 revisions"
    assert title(draw(lasting)) == trend.message([lasting])


@pytest.mark.parametrize("name", ["parse", HOSTILE, "tests/test_io.py::test_read[" + "x" * 300], ids=["w", "x", "long"])
@pytest.mark.parametrize("revisions", [2, 60, 500])
def test_text_is_legible(name: str, revisions: int) -> None:
    changes = {1: 1.1} if revisions < 9 else {20: 1.1, 22: 1 / 1.1, 23: 1.3, 25: 1.02, 58: 0.7}
    figure = draw(track(name, changes, revisions), track("still", revisions=revisions))
    figure.set_dpi(100)
    found = texts(figure)
    assert min(text.get_fontsize() for text in found) >= 9
    boxes = [(text.get_text(), text.get_window_extent().padded(-1.5)) for text in found]
    page = figure.bbox.padded(1)
    assert not [text for text, box in boxes if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1))]
    assert not [(a, b) for (a, first), (b, second) in combinations(boxes, 2) if first.overlaps(second)]
    assert b"<script" not in charts.image(figure, "svg")


def test_every_check_has_its_interval_and_every_change_its_commit() -> None:
    figure = draw(track(changes={30: 1.1}))
    (axes,) = figure.axes
    (bars,) = [box for box in axes.containers if isinstance(box, ErrorbarContainer)]
    assert len(bars.lines[2][0].get_segments()) == 59
    assert any(text.get_text().strip() == "+10% 000000000" for text in axes.texts)
    assert {line.get_marker() for line in axes.lines} >= {"^", "o"}
    assert "change" in axes.get_ylabel() and "number" in axes.get_xlabel()


def test_slower_and_faster_differ_in_mark_and_color() -> None:
    (axes,) = draw(track(changes={20: 1.1, 40: 0.8})).axes
    looks = {(line.get_marker(), line.get_color()) for line in axes.lines if line.get_marker() in ("^", "v")}
    assert len({mark for mark, _ in looks}) == len({color for _, color in looks}) == 2


def test_many_benchmarks_show_those_with_changes_and_say_so() -> None:
    figure = draw(*(track(f"b{i:02d}") for i in range(12)), track("changed", {30: 1.1}))
    assert len(figure.axes) == trend.MOST
    assert figure.axes[0].get_title(loc="left") == "changed"
    assert any("5 more benchmarks" in text.get_text() for text in figure.texts)


def test_nothing_to_draw_says_what_to_run() -> None:
    for nothing in ((), (replace(track(), points=()),)):
        with pytest.raises(charts.NothingToDraw, match="gilbench check --history FILE"):
            draw(*nothing)


def test_plot_and_history_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    append(path, history(CHAIN, {40: 1.1}))
    plotted = CliRunner().invoke(gilbench, ["plot", str(path), "-o", str(tmp_path / "plots")])
    assert plotted.exit_code == 0, plotted.output
    assert {file.name for file in (tmp_path / "plots").iterdir()} == {"trend.svg", "trend.png"}
    shown = CliRunner().invoke(gilbench, ["history", str(path)])
    assert shown.exit_code == 0, shown.output
    assert f"since {40:040x}"[:15] in shown.stdout
