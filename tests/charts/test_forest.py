"""The forest of a check's verdicts: its title, its rows, what lies beyond its axis, and the command that draws it."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from gilbench import charts
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import style
from gilbench.charts.speed import forest
from gilbench.commands.group import gilbench
from gilbench.report import Page, formats
from gilbench.results.result_file import save
from gilbench.results.verdicts import KINDS, Kind, Line, Verdicts
from tests.charts.test_every_chart import texts, title
from tests.results.test_result_file import a_result
from tests.scripted import HOSTILE, verdicts

HEADLINE = verdicts().headline


def draw(*of: Verdicts) -> Figure:
    return charts.all_charts("verdicts")["forest"].draw(of)


def of(*lines: Line) -> Verdicts:
    return Verdicts("main", "working tree", lines)


def line(ratio: float, low: float, high: float, kind: Kind = "same", **more: float) -> Line:
    return Line("w", kind, ratio, low, high, n=12, threshold=more.get("threshold", 0.03))


def panel(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def reach(axes: Axes) -> float:
    left, right = axes.get_xlim()
    assert left == -right
    return right


def marks(axes: Axes) -> list[tuple[str, float]]:
    """(marker, ln(ratio)) of everything that is a mark."""
    return [
        (str(drawn.get_marker()), round(float(drawn.get_xdata()[0]), 6))  # type: ignore[arg-type, index]
        for drawn in axes.lines
        if isinstance(drawn, Line2D) and drawn.get_marker() != "None"
    ]


def said(figure: Figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


# --- The registry


def test_it_is_a_chart_of_verdicts_and_of_nothing_else() -> None:
    assert list(charts.all_charts("verdicts")) == ["forest"]
    assert "forest" not in charts.all_charts()
    assert "forest" in charts.names()


# --- The title


def test_the_title_says_what_became_slower_and_by_how_much() -> None:
    slower = Line("slow", "regression", 1.204, 1.15, 1.26, n=9)
    assert forest.message(of(slower)) == "slow is 20% slower: 1 regression"
    assert forest.message(of(slower, replace(slower, ratio=1.1))) == (
        "slow is 20% slower, and 1 more case: 2 regression"
    )
    assert forest.message(of(*[slower] * 4)) == "slow is 20% slower, and 3 more cases: 4 regression"
    assert forest.message(replace(of(slower), of="speed-up")) == "slow is 20% worse: 1 regression"


def test_the_title_says_that_nothing_became_slower() -> None:
    assert forest.message(of(line(1, 0.99, 1.01))) == "No case is slower beyond doubt: 1 same"
    assert forest.message(replace(of(line(0.5, 0.4, 0.6, "improvement")), of="speed-up")) == (
        "No case is worse beyond doubt: 1 improvement"
    )


@pytest.mark.parametrize("ratio", [math.nan, 1.0])
def test_the_title_does_not_call_what_fails_in_head_slower_or_well(ratio: float) -> None:
    broken = Line("w", "regression", ratio, 0.99, 1.01, reason="head: raised: ValueError")
    text = forest.message(of(broken, line(1, 0.99, 1.01)))
    assert "0%" not in text and "beyond doubt" not in text
    assert text.startswith("w ") and text.endswith(": 1 regression, 1 same")


def test_the_title_stands_above_the_picture() -> None:
    assert title(draw(verdicts())) == f"w-slowest is 150% slower, and 1 more case: {HEADLINE}"


# --- Rows


def test_every_case_has_a_row_with_mark_interval_and_figures() -> None:
    figure = draw(verdicts())
    axes = panel(figure)
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        f"w-{name}" for name in ("slowest", "slower", "broken", "killed", "once", "noisy", "faster", "fastest", "same")
    ]
    expected = {(">", 1.204), ("<", 0.8), ("o", 1.001), ("D", 1.01)}
    assert {(marker, round(math.log(ratio), 6)) for marker, ratio in expected} <= set(marks(axes))
    interval = [drawn for drawn in axes.lines if drawn.get_marker() == "None" and list(drawn.get_ydata()) == [1, 1]]  # type: ignore[arg-type]
    assert [list(drawn.get_xdata()) for drawn in interval] == [pytest.approx([math.log(1.153), math.log(1.257)])]  # type: ignore[arg-type]
    assert {"+20.4%  9", "-20.0%  11", "+0.1%  12"} <= set(said(figure))


def test_the_legend_names_the_kinds_that_there_are() -> None:
    (legend,) = draw(verdicts()).legends
    assert [text.get_text() for text in legend.get_texts()] == list(KINDS)
    (legend,) = draw(of(line(1, 0.99, 1.01))).legends
    assert [text.get_text() for text in legend.get_texts()] == ["same"]


@pytest.mark.parametrize("ratio", [math.nan, 1.0])
def test_what_failed_says_how_in_its_row(ratio: float) -> None:
    figure = draw(of(Line("w", "failed", ratio, 0.99, 1.01, reason="base: raised: ValueError: no")))
    assert "base: raised: ValueError: no" in said(figure)


def test_what_was_not_measured_says_so() -> None:
    assert "not measured" in said(draw(of(Line("w", "inconclusive"))))


def test_the_band_is_what_does_not_matter() -> None:
    axes = panel(draw(of(line(1, 0.99, 1.01, threshold=0.05))))
    (band,) = axes.patches
    assert isinstance(band, Rectangle)
    assert (band.get_x(), band.get_width()) == pytest.approx((-math.log(1.05), 2 * math.log(1.05)))


# --- Beyond the axis


@pytest.mark.parametrize(
    ("low", "high", "arrows"),
    [
        (0.9, 1.1, []),
        (0.9, 5.0, [">"]),
        (0.1, 1.1, ["<"]),
        (0.1, 9.0, ["<", ">"]),
        (0.0, math.inf, ["<", ">"]),
    ],
)
def test_an_interval_that_leaves_the_axis_ends_in_an_arrow(low: float, high: float, arrows: list[str]) -> None:
    axes = panel(draw(of(line(1.0, low, high, "inconclusive"))))
    edge = reach(axes)
    assert edge <= 0.5 * 1.001
    found = [mark for mark in marks(axes) if mark[0] != "D"]
    assert found == [(arrow, round(edge if arrow == ">" else -edge, 6)) for arrow in arrows]


@pytest.mark.parametrize("ratio", [0.2, 5.0])
def test_a_ratio_beyond_the_axis_is_marked_at_its_edge_and_stated(ratio: float) -> None:
    kind: Kind = "regression" if ratio > 1 else "improvement"
    figure = draw(of(line(ratio, ratio * 0.9, ratio * 1.1, kind)))
    edge = reach(panel(figure)) * (1 if ratio > 1 else -1)
    assert set(marks(panel(figure))) == {("<>"[ratio > 1], round(edge, 6))}
    assert f"{ratio - 1:+.1%}  12" in said(figure)


def test_everything_that_is_drawn_lies_within_the_axis() -> None:
    axes = panel(draw(verdicts()))
    assert all(abs(x) <= reach(axes) + 1e-6 for _, x in marks(axes))


@pytest.mark.parametrize("threshold", [0.0001, 0.03, 0.5, 20.0])
def test_ticks_are_round_changes_and_0_is_one(threshold: float) -> None:
    axes = panel(draw(of(line(1.0, 1 / (1 + threshold / 2), 1 + threshold / 2, threshold=threshold))))
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert "0" in labels
    assert all(abs(tick) <= reach(axes) for tick in axes.get_xticks())


# --- The picture


@pytest.mark.parametrize("text", ["w", "csv_inner_threads:tiny:processes-default:2x1", HOSTILE], ids=["w", "long", "x"])
def test_text_is_legible(text: str) -> None:
    figure = draw(verdicts(text))
    figure.set_dpi(100)
    found = texts(figure)
    assert min(float(text.get_fontsize()) for text in found) >= 9
    assert figure.get_figwidth() <= 8
    boxes = [(text.get_text(), text.get_window_extent().padded(-1.5)) for text in found]
    page = figure.bbox.padded(1)
    assert [text for text, box in boxes if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1))] == []
    assert [(first, second) for (first, a), (second, b) in combinations(boxes, 2) if a.overlaps(b)] == []


def test_hostile_names_are_only_text() -> None:
    figure = draw(verdicts(HOSTILE), verdicts(HOSTILE, "speed-up"))
    svg = charts.image(figure, "svg")
    assert "<script>alert(" in "".join(ElementTree.fromstring(svg).itertext())
    assert b"<script" not in svg
    assert charts.image(figure, "png").startswith(b"\x89PNG\r\n\x1a\n")


def test_the_same_verdicts_give_the_same_picture() -> None:
    assert charts.image(draw(verdicts()), "svg") == charts.image(draw(verdicts()), "svg")


def test_of_several_checks_each_has_a_panel_with_its_arms_above_it() -> None:
    other = of(line(1, 0.99, 1.01))
    figure = draw(verdicts(), Verdicts("empty", "empty", ()), other)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["w against w too", "main against working tree"]
    assert title(figure).endswith("No case is slower beyond doubt: 1 same")


def test_the_axis_says_what_is_compared() -> None:
    assert panel(draw(verdicts())).get_xlabel().startswith("time of head / time of base")
    assert panel(draw(verdicts(of="speed-up"))).get_xlabel().startswith("speed-up of base / speed-up of head")


def test_without_a_case_there_is_nothing_to_draw() -> None:
    for nothing in ((), (of(),)):
        with pytest.raises(NothingToDraw, match="no case"):
            draw(*nothing)


def test_its_colors_come_with_distinct_marks() -> None:
    assert set(forest.LOOKS) == set(KINDS)
    assert len({marker for _, marker in forest.LOOKS.values()}) == len(KINDS)
    assert len({color for color, _ in forest.LOOKS.values()}) == len(KINDS)
    assert all(style.plain(kind) == kind for kind in KINDS)


# --- The command


def plot(*arguments: Path, to: Path) -> Result:
    return CliRunner().invoke(gilbench, ["plot", *map(str, arguments), "-o", str(to)])


@pytest.fixture
def checked(tmp_path: Path) -> Path:
    path = tmp_path / "verdicts.json"
    path.write_text(formats("verdicts")["json"](verdicts(HOSTILE), Page()))
    return path


def test_of_verdicts_the_command_draws_the_forest_alone(checked: Path, tmp_path: Path) -> None:
    result = plot(checked, to=tmp_path / "plots")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {"forest.svg", "forest.png"}
    assert result.stdout.split() == [str(tmp_path / "plots" / name) for name in ("forest.svg", "forest.png")]


def test_of_a_result_the_command_draws_no_forest(tmp_path: Path) -> None:
    save(a_result(), tmp_path / "r.json")
    result = plot(tmp_path / "r.json", to=tmp_path / "plots")
    assert result.exit_code == 0, result.output
    names = {path.stem for path in (tmp_path / "plots").iterdir()}
    assert "speedup" in names and "forest" not in names
    assert "forest" not in result.output


def test_of_both_the_command_draws_both(checked: Path, tmp_path: Path) -> None:
    save(a_result(), tmp_path / "r.json")
    result = plot(tmp_path / "r.json", checked, to=tmp_path / "plots")
    assert result.exit_code == 0, result.output
    assert {"forest", "speedup", "observations"} <= {path.stem for path in (tmp_path / "plots").iterdir()}


def test_verdicts_without_a_case_are_left_out_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.write_text(formats("verdicts")["json"](of(), Page()))
    result = plot(path, to=tmp_path / "plots")
    assert (result.exit_code, result.stderr) == (0, "left out: forest: these verdicts have no case\n")


def test_verdicts_that_are_broken_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.write_text('{"gilbench_verdicts": 1, "cases": []}')
    result = plot(path, to=tmp_path / "plots")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1 and "holds no verdicts of gilbench" in result.stderr
    assert not (tmp_path / "plots").exists()
