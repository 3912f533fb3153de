"""The look that all charts share: the page with its header, safe text, and a style for each series.

The colors, markers and hatches of a scheduler are in its own file; here are spare ones for all others.
"""

from __future__ import annotations

import functools
import re
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, Final

import matplotlib.style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from gilbench import units
from gilbench.cases.case import Case
from gilbench.results.summary import Summary
from gilbench.schedulers import all_schedulers

# Inches: at 100 dots per inch, 800 pixels, the width of a README. Fonts are in points: 9 points are 12.5 pixels there.
WIDTH: Final = 8.0
MARGIN: Final = 0.12
TEXT: Final = 9.0
TITLE: Final = 12.5
LINE: Final = 1.38 / 72  # inches per point of font size, with leading
GRAY: Final = "#595959"
ALARM: Final = "#a12d00"
PALE: Final = "#d9d9d9"
BAND: Final = "#f4f4f4"
LONGEST: Final = 40  # characters of one name
NO_BREAK: Final = "\u00a0"

HOUSE: Final[dict[str, Any]] = {
    "font.size": TEXT,
    "axes.titlesize": TEXT + 0.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": TEXT,
    "axes.labelcolor": GRAY,
    "axes.edgecolor": "#8c8c8c",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "legend.fontsize": TEXT,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",  # text stays text that can be searched, selected and read aloud
    "svg.hashsalt": "gilbench",  # ids in the file depend only on the drawing
}


@dataclass(frozen=True)
class Style:
    """How a scheduler is drawn in every chart. Marker and hatch identify it for readers who cannot tell the colors apart.

    Hatches consist of lines only; dots would make an SVG ten times as large.
    """

    color: str
    marker: str
    hatch: str


# In the order of legends and tables. Each scheduler's file says how its series look.
STYLES: Final[Mapping[str, Style]] = {
    series: Style(look.color, look.marker, look.hatch)
    for series, look in sorted(
        (item for scheduler in all_schedulers().values() for item in scheduler.looks.items()),
        key=lambda item: item[1].place,
    )
}
SPARE: Final = tuple(
    Style(color, marker, hatch)
    for (marker, hatch), color in product(
        (("p", "|//"), ("h", "|\\\\"), ("<", "-\\\\"), (">", "x|"), ("8", "x-")),
        ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A7A00"),
    )
)
KIND_COLORS: Final[Mapping[str, str]] = {
    "serial": STYLES["sync"].color,
    "threads": STYLES["threads"].color,
    "processes": STYLES["processes"].color,
    "mix": STYLES["distributed mix"].color,
}


def style_of(name: str) -> Style:
    """Return the style of a series. A name that is not in STYLES always gets the same one of the spare styles."""
    return STYLES.get(name) or SPARE[zlib.crc32(name.encode(errors="replace")) % len(SPARE)]


def series_order(names: Iterable[str]) -> list[str]:
    """Return each series once: first those in STYLES, in that order, then all others by name."""
    known = list(STYLES)
    return sorted(set(names), key=lambda name: (known.index(name) if name in STYLES else len(known), name))


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style, whatever the user's matplotlibrc says. Earlier settings are restored afterward."""
    with matplotlib.style.context(["default", HOUSE]), warnings.catch_warnings():
        # A name in a script that the bundled font lacks becomes boxes in a PNG but is fine in an SVG. Nobody can fix that.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        yield


def in_house_style(draw: Callable[[Sequence[Any]], Figure]) -> Callable[[Sequence[Any]], Figure]:
    """Return a `draw` that runs in the house style."""

    @functools.wraps(draw)
    def styled(drawn: Sequence[Any]) -> Figure:
        with house_style():
            return draw(drawn)

    return styled


# --- Text


def plain(value: object, longest: int = LONGEST) -> str:
    """Return text from a result that is safe to draw: one short line without control characters or math."""
    text = "".join(char if char.isprintable() else " " for char in str(value)).strip()
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return text.replace("$", r"\$")


def case_name(case: Case) -> str:
    """Return the scheduler and the workers of a case: `threads 1x2`, or only `sync`."""
    return plain("sync" if case.scheduler == "sync" else f"{case.scheduler} {case.shape}")


def tick(figure: str) -> str:
    """Return a formatted figure without trailing zeros, for a tick or a title: `50.0 ms` becomes `50 ms`."""
    return re.sub(r"(\.\d*?)0+(?=\D|$)", lambda match: match[1].rstrip("."), figure)


def sentence(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def text_width(text: str, size: float = TEXT, weight: str = "normal") -> float:
    """Return the width of a line of text, in inches."""
    font = FontProperties(family="DejaVu Sans", weight=weight, size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text.replace(r"\$", "$"), font, ismath=False)
    # On pixels, letters come out up to 3 % wider than their outlines.
    return float(width) / 72 * 1.03


def fitted(text: str, width: float, size: float = TEXT, weight: str = "normal") -> str:
    """Cut text that is wider than `width` inches, and end it with an ellipsis."""
    if text_width(text, size, weight) <= width:
        return text
    while text and text_width(text + "…", size, weight) > width:
        text = text[:-1].removesuffix("\\")
    return text + "…"


def wrapped(text: str, width: float, size: float = TEXT, weight: str = "normal") -> list[str]:
    """Break text at spaces into lines of at most `width` inches. A word that is wider than that is cut."""
    lines: list[str] = []
    for word in (fitted(word, width, size, weight) for word in text.split(" ")):
        if lines and text_width(f"{lines[-1]} {word}", size, weight) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


# --- The page


def machine_line(machine: Mapping[str, str | int | float]) -> str:
    """Return machine and software in one line, leaving out what is unknown."""
    parts = []
    if cpu := machine.get("cpu_model_name"):
        parts.append(plain(re.sub(r"\((R|TM)\)", "", str(cpu)), 60))
    if cpus := machine.get("usable_cpus"):
        parts.append(f"{plain(cpus)} usable CPU{'' if str(cpus) == '1' else 's'}")
    if python := machine.get("python_version"):
        parts.append(f"Python {plain(str(python).split()[0])}")
    if "gil" in machine:
        parts.append(f"GIL {plain(machine['gil'])}")
    for package in ("pandas", "numpy", "dask"):
        if version := machine.get(f"{package}_version"):
            parts.append(f"{package} {plain(version)}")
    # Lines break only between the parts.
    return " · ".join(part.replace(" ", NO_BREAK) for part in parts) or "machine unknown"


def messages(summaries: Sequence[Summary], message: Callable[[Summary], str]) -> str:
    """Return the title: the message of a single summary, or one named line for each of several."""
    if len(summaries) == 1:
        return message(summaries[0])
    return "\n".join(f"{plain(summary.name)}: {message(summary)}" for summary in summaries)


def warnings_of(summaries: Sequence[Summary], most: int = 2) -> list[str]:
    """Return the results' warnings, ready to draw: at most `most` of each, and how many more there are."""
    lines = []
    for summary in summaries:
        name = f"{plain(summary.name)}: " if len(summaries) > 1 else ""
        lines += [f"Warning: {name}{plain(text, 300)}" for text in summary.warnings[:most]]
        if (more := len(summary.warnings) - most) > 0:
            lines.append(f"{name}{units.count(more, 'more warning')}")
    return lines


def page(
    title: str,
    summaries: Sequence[Summary],
    body: float,
    *,
    notes: Sequence[str] = (),
    legend: Sequence[Artist] = (),
    width: float = WIDTH,
) -> Figure:
    """Return a Figure whose header has the message, the machine, how to read the chart, and the legend.

    body: inches below the header, for the axes. legend: artists with labels. width: inches. Each line of the header is a
    text of the figure. Those of the title and the notes are labeled "title 0", "note 0" and so on, so that a page can
    print them outside the picture.
    """
    room = width - 2 * MARGIN
    machines = [(f"{plain(s.name)}: " if len(summaries) > 1 else "") + machine_line(s.machine) for s in summaries]
    parts: list[tuple[str, float, dict[str, Any]]] = [
        *((text, TITLE, {"weight": "bold", "label": f"title {i}"}) for i, text in enumerate(title.split("\n"))),
        *((text, TEXT, {"weight": "bold", "color": ALARM}) for text in warnings_of(summaries)),
        *((text, TEXT, {"color": GRAY}) for text in machines),
        *((text, TEXT, {"color": GRAY, "label": f"note {i}"}) for i, text in enumerate(notes)),
    ]
    lines = [
        (line, size, look)
        for text, size, look in parts
        for line in wrapped(text, room, size, look.get("weight", "normal"))
    ]
    columns, rows = _legend_grid([str(artist.get_label()) for artist in legend], room)
    height = body + MARGIN + sum(size * LINE for _, size, _ in lines) + rows * 0.2 + 0.14
    figure = Figure(figsize=(width, height))
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0, 0, 1, body / height), w_pad=0.06, h_pad=0.06))
    down = MARGIN
    for line, size, look in lines:
        figure.text(MARGIN / width, 1 - down / height, line, size=size, va="top", **look)
        down += size * LINE
    if legend:
        anchor = (MARGIN / width, 1 - (down + 0.05) / height)
        box = figure.legend(handles=legend, loc="upper left", bbox_to_anchor=anchor, ncols=columns, **LEGEND)
        box.set_in_layout(False)
    return figure


def panels(
    figure: Figure, summaries: Sequence[Summary], heights: Sequence[float] | None = None, *, named: bool
) -> list[Axes]:
    """Return an Axes for each result, one below another. heights: relative to each other. named: titled with its name."""
    grid = figure.add_gridspec(len(summaries), 1, height_ratios=heights)
    found = [figure.add_subplot(grid[index, 0]) for index in range(len(summaries))]
    if named:
        for axes, summary in zip(found, summaries, strict=True):
            axes.set_title(plain(summary.name))
    return found


LEGEND: Final[dict[str, Any]] = {
    "borderaxespad": 0,
    "borderpad": 0,
    "columnspacing": 1.4,
    "handletextpad": 0.4,
    "handlelength": 1.6,
    "labelspacing": 0.4,
}


def _legend_grid(labels: Sequence[str], room: float) -> tuple[int, int]:
    """Return the columns and rows of a legend that fits into `room` inches. matplotlib fills it column by column."""
    widths = [text_width(label) + 0.45 for label in labels]
    for columns in range(len(labels), 0, -1):
        rows = -(-len(labels) // columns)
        # matplotlib distributes the labels evenly; the first columns get one more.
        few, more = divmod(len(labels), columns)
        starts = [column * few + min(column, more) for column in range(columns)] + [len(labels)]
        if sum(max(widths[a:b]) for a, b in pairwise(starts)) <= room:
            return columns, rows
    return 1, len(labels)


def legend_for(names: Iterable[str], line: bool = False) -> list[Line2D]:
    """Return a legend entry for each series, in the order of `series_order`. line: whether lines join the marks."""
    return [
        Line2D(
            [],
            [],
            color=style_of(name).color,
            marker=style_of(name).marker,
            markersize=6,
            linestyle="-" if line else "none",
            label=plain(name),
        )
        for name in series_order(names)
    ]
