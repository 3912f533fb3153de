"""What every chart of the folder must do: read from the folder, so that a new chart is tested without a change here."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text

from gilbench import charts
from gilbench.charts.drawing import style
from gilbench.files import write
from gilbench.results.summary import Summary
from tests.charts import chart_data

SUMMARIES = {
    "full": lambda: [chart_data.realistic()],
    "core": lambda: [chart_data.realistic(full=False)],
    "8 cpus": lambda: [chart_data.realistic(cpus=8, full=False)],
    "two": lambda: [
        chart_data.realistic(full=False, name="py3.11"),
        chart_data.realistic(full=False, name="py3.14t", seed=2, gil="disabled"),
    ],
    "hostile": lambda: [chart_data.hostile()],
}
NAMES = list(charts.all_charts())
OF_VERDICTS = charts.all_charts(charts.VERDICTS)
OF_HISTORY = charts.all_charts(charts.HISTORY)
OF_PAIRS = ("free_threading",)  # need two results
OF_PROBES = ("gil", "granularity", "timeline", "traffic")  # each names the schedulers, and the intervals, that it has
OF_SCHEDULERS = [name for name in NAMES if name not in ("task_graph", "regret", *OF_PAIRS, *OF_PROBES)]
UNITS = re.compile(r"\((x|x, log scale|MiB|bytes|fraction of the time|µs, log scale|processes x threads)\)|seconds")


@cache
def figure(name: str, which: str = "core") -> Figure | None:
    """The chart of these summaries, drawn once for all tests that only look at it; None where it is left out."""
    if name in OF_PAIRS and which != "hostile":
        which = "two"
    try:
        return charts.all_charts()[name].draw(SUMMARIES[which]())
    except charts.NothingToDraw:
        assert which == "hostile", "a realistic result leaves no chart out"
        return None


def title(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts if text.get_fontsize() == style.TITLE)


def texts(figure: Figure) -> list[Text]:
    """Every text that shows."""
    canvas = FigureCanvasAgg(figure)
    with style.house_style():
        canvas.draw()
    found = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        found += [*axes.texts, axes.title, axes._left_title]
        if axes.axison:
            (left, right), (low, high) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
            found += [axes.xaxis.label, axes.yaxis.label]
            found += [text for text in axes.get_xticklabels() if left <= text.get_position()[0] <= right]
            found += [text for text in axes.get_yticklabels() if low <= text.get_position()[1] <= high]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def test_the_folder_is_the_registry() -> None:
    home = Path(charts.__file__).parent
    files = {path.stem for group in charts.GROUPS for path in (home / group).glob("[!_]*.py")}
    assert sorted(charts.names()) == sorted([*NAMES, *OF_VERDICTS, *OF_HISTORY]) == sorted(files)
    assert len(NAMES) >= 9


@pytest.mark.parametrize("name", charts.names())
def test_each_says_what_it_answers(name: str) -> None:
    answers = {**charts.all_charts(), **OF_VERDICTS, **OF_HISTORY}[name].answers
    assert answers.endswith("?")
    assert len(answers) < 110


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("which", SUMMARIES)
def test_text_is_legible(name: str, which: str) -> None:
    """At README size, 100 dots per inch: 9 points or more, within the picture, and no text on another."""
    drawn = figure(name, which)
    if drawn is None:
        return
    drawn.set_dpi(100)
    found = texts(drawn)
    assert min(text.get_fontsize() for text in found) >= 9
    assert drawn.get_figwidth() <= 8 or which == "two"
    boxes = [(text.get_text(), text.get_window_extent().padded(-1.5)) for text in found]
    page = drawn.bbox.padded(1)
    outside = [text for text, box in boxes if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1))]
    assert not outside
    # Names of 40 underscores or of brackets in a chart of three columns may meet; none of ours does.
    overlapping = [(first, second) for (first, a), (second, b) in combinations(boxes, 2) if a.overlaps(b)]
    assert not overlapping


@pytest.mark.parametrize("name", NAMES)
def test_axes_have_labels_with_units(name: str) -> None:
    drawn = figure(name)
    assert drawn is not None
    axes = [axes for axes in drawn.axes if axes.axison]
    labels = [label for panel in axes for label in (panel.get_xlabel(), panel.get_ylabel()) if label]
    assert all(UNITS.search(label) for label in labels), labels
    assert labels or not axes


@pytest.mark.parametrize("name", OF_SCHEDULERS)
def test_schedulers_are_named(name: str) -> None:
    drawn = figure(name)
    assert drawn is not None
    said = " / ".join(text.get_text() for text in texts(drawn))
    schedulers = (
        ["threads", "processes"] if name in ("scaling", "causes") else ["threads", "processes", "loky", "distributed"]
    )
    assert [scheduler for scheduler in schedulers if scheduler not in said] == []


@pytest.mark.parametrize("name", [*OF_SCHEDULERS, *OF_PAIRS, "regret", "gil"])
def test_intervals_are_drawn(name: str) -> None:
    drawn = figure(name)
    assert drawn is not None
    bars = [box for axes in drawn.axes for box in axes.containers if isinstance(box, ErrorbarContainer)]
    segments = [segment for bar in bars for lines in bar.lines[2] for segment in lines.get_segments() if len(segment)]
    lengths = [math.dist(*segment) for segment in segments]
    assert sum(length > 0 for length in lengths) >= len(lengths) / 4 > 0
    assert all(math.isfinite(length) for length in lengths)


@pytest.mark.parametrize("name", NAMES)
def test_header_says_machine_and_message(name: str) -> None:
    drawn = figure(name)
    assert drawn is not None
    header = " ".join(text.get_text() for text in drawn.texts).replace(style.NO_BREAK, " ")
    for part in ("Intel Xeon", "2 usable CPUs", "Python 3.11.7", "GIL enabled", "pandas 3.1.1", "dask 2026.8.0"):
        assert part in header
    assert re.search(r"\d|no clear difference", title(drawn))


@pytest.mark.parametrize("name", NAMES)
def test_several_results_are_told_apart(name: str) -> None:
    drawn = figure(name, "two")
    assert drawn is not None
    said = " ".join(text.get_text() for text in texts(drawn))
    assert "py3.11" in said
    assert "py3.14t" in said


@pytest.mark.parametrize("name", NAMES)
def test_svg_is_text_and_the_same_every_time(name: str) -> None:
    which = "two" if name in OF_PAIRS else "core"
    first, again = figure(name), charts.all_charts()[name].draw(SUMMARIES[which]())
    assert first is not None
    svg = charts.image(again, "svg")
    assert svg == charts.image(charts.all_charts()[name].draw(SUMMARIES[which]()), "svg")
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    written = {"".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert title(first).split()[0] in " ".join(written)
    assert b"<dc:date>" not in svg
    assert len(svg) < 600_000


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_only_text(name: str) -> None:
    drawn = figure(name, "hostile")
    if drawn is None:
        return
    svg = charts.image(drawn, "svg")
    root = ElementTree.fromstring(svg)
    assert "<script>$x^{ & \\frac{" in "".join(root.itertext())
    assert b"<script" not in svg
    assert charts.image(drawn, "png").startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_draw_says_what_to_run(name: str) -> None:
    for summaries in ([], [chart_data.summary([])]):
        with pytest.raises(charts.NothingToDraw, match=r"^this result has no .*: run `gilbench run"):
            charts.all_charts()[name].draw(summaries)


def test_the_users_own_style_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    svg = charts.image(charts.all_charts()["task_cost"].draw(SUMMARIES["core"]()), "svg")
    for key, value in (("font.size", 30), ("axes.facecolor", "black"), ("svg.fonttype", "path")):
        monkeypatch.setitem(matplotlib.rcParams, key, value)
    before = dict(matplotlib.rcParams)
    assert charts.image(charts.all_charts()["task_cost"].draw(SUMMARIES["core"]()), "svg") == svg
    assert dict(matplotlib.rcParams) == before


def test_render_writes_each_chart_in_each_format(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "plots"
    small = chart_data.realistic(full=False)
    small = Summary("small", small.machine, tuple(c for c in small.cases if c.family == "delayed_basics"), ())
    done = charts.render([small], folder)
    assert {path.name for path in folder.iterdir()} == {path.name for path in done.files}
    stems = {path.stem for path in done.files}
    assert stems | set(done.left_out) == set(NAMES)
    assert not stems & set(done.left_out)
    assert {"task_cost", "speedup", "observations"} <= stems
    assert "memory" in done.left_out
    assert {path.suffix for path in done.files} == {".svg", ".png"}
    for path in done.files:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        else:
            ElementTree.fromstring(path.read_bytes())


def test_render_says_that_an_old_chart_is_still_there(tmp_path: Path) -> None:
    (tmp_path / "memory.svg").write_text("old")
    done = charts.render([chart_data.summary([])], tmp_path, formats=("svg",))
    assert done.files == ()
    assert "memory.svg" in done.left_out["memory"]
    assert (tmp_path / "memory.svg").read_text() == "old"
    assert "earlier" not in done.left_out["speedup"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chart.svg"
    write(path, b"old")

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["chart.svg"]


def test_matplotlib_comes_late_and_pyplot_never() -> None:
    code = (
        "import sys, gilbench.charts as charts\n"
        "charts.names()\n"
        "assert 'matplotlib' not in sys.modules and 'dask' not in sys.modules\n"
        "charts.all_charts()\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'dask' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
