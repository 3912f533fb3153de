"""The look that all charts share: one colour, marker and hatch per scheduler, the page's header, text that is data."""

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
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from gilbench.results.summary import Summary
from gilbench.schedulers import all_schedulers

# Inches at 100 dots per inch: 800 pixels, the width of a README. Fonts in points, so that 9 is 12.5 pixels there.
WIDTH: Final = 8.0
MARGIN: Final = 0.12
TEXT: Final = 9.0
TITLE: Final = 12.5
LINE: Final = 1.38 / 72  # inches per point of font size, with leading
GREY: Final = "#595959"
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
    "axes.labelcolor": GREY,
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
    "svg.fonttype": "none",  # text stays text: it can be searched, selected and read aloud
    "svg.hashsalt": "gilbench",  # ids in the file depend on the drawing alone
}


@dataclass(frozen=True)
class Style:
    """How a scheduler is drawn everywhere. The marker and the hatch tell it apart where colors do not."""

    colour: str
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
    Style(colour, marker, hatch)
    for (marker, hatch), colour in product(
        (("p", "|//"), ("h", "|\\\\"), ("<", "-\\\\"), (">", "x|"), ("8", "x-")),
        ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A7A00"),
    )
)
KIND_COLOURS: Final[Mapping[str, str]] = {
    "serial": STYLES["sync"].colour,
    "threads": STYLES["threads"].colour,
    "processes": STYLES["processes"].colour,
    "mix": STYLES["distributed mix"].colour,
}


def style_of(series: str) -> Style:
    """Return a series' style. One that has none here gets one by its name: the same in every chart and every run."""
    return STYLES.get(series) or SPARE[zlib.crc32(series.encode(errors="replace")) % len(SPARE)]


def series_order(series: Iterable[str]) -> list[str]:
    """Return each series once: those with a style in its order, then all others by name."""
    known = list(STYLES)
    return sorted(set(series), key=lambda name: (known.index(name) if name in STYLES else len(known), name))


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style whatever the user's matplotlibrc says; what was set before comes back after."""
    with matplotlib.style.context(["default", HOUSE]), warnings.catch_warnings():
        # A name in a script that the bundled font lacks is boxes in a PNG, and well in an SVG: nothing to mend.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        yield


def in_house_style(draw: Callable[[Sequence[Any]], Figure]) -> Callable[[Sequence[Any]], Figure]:
    """Return `draw`, run in the house style."""

    @functools.wraps(draw)
    def styled(drawn: Sequence[Any]) -> Figure:
        with house_style():
            return draw(drawn)

    return styled


# --- Text


def plain(value: object, longest: int = LONGEST) -> str:
    """Return text from a result as it can be drawn: one short line, no control characters, nothing read as math."""
    text = "".join(char if char.isprintable() else " " for char in str(value)).strip()
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return text.replace("$", r"\$")


def tick(figure: str) -> str:
    """Return a formatted figure without zeros at its end, as a tick or a title wants it: `50.0 ms` is `50 ms`."""
    return re.sub(r"(\.\d*?)0+(?=\D|$)", lambda match: match[1].rstrip("."), figure)


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 case`, `2 cases`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(parts: Sequence[str], word: str = "and") -> str:
    """Return `a, b and c`."""
    return f" {word} ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def sentence(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def text_width(text: str, size: float = TEXT, weight: str = "normal") -> float:
    """Return the width of a line of text, in inches."""
    font = FontProperties(family="DejaVu Sans", weight=weight, size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text.replace(r"\$", "$"), font, ismath=False)
    # Drawn on pixels, letters come out up to 3 % wider than their outlines.
    return float(width) / 72 * 1.03


def fitted(text: str, width: float, size: float = TEXT, weight: str = "normal") -> str:
    """Cut text that is wider than `width` inches, and show that it was."""
    if text_width(text, size, weight) <= width:
        return text
    while text and text_width(text + "…", size, weight) > width:
        text = text[:-1].removesuffix("\\")
    return text + "…"


def wrapped(text: str, width: float, size: float = TEXT, weight: str = "normal") -> list[str]:
    """Break text into lines of at most `width` inches, at spaces; a word that is wider still is cut."""
    lines: list[str] = []
    for word in (fitted(word, width, size, weight) for word in text.split(" ")):
        if lines and text_width(f"{lines[-1]} {word}", size, weight) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


# --- The page


def machine_line(machine: Mapping[str, str | int | float]) -> str:
    """Return machine and software in one line. What the fingerprint lacks is left out."""
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
    # A line breaks between the parts only.
    return " · ".join(part.replace(" ", NO_BREAK) for part in parts) or "machine unknown"


def messages(summaries: Sequence[Summary], message: Callable[[Summary], str]) -> str:
    """Return the title: the message of one summary, or a line for each of several with its name."""
    if len(summaries) == 1:
        return message(summaries[0])
    return "\n".join(f"{plain(summary.name)}: {message(summary)}" for summary in summaries)


def warnings_of(summaries: Sequence[Summary], most: int = 2) -> list[str]:
    """Return what makes the results doubtful, ready to be drawn: at most so many of each, and how many more."""
    lines = []
    for summary in summaries:
        name = f"{plain(summary.name)}: " if len(summaries) > 1 else ""
        lines += [f"Warning: {name}{plain(text, 300)}" for text in summary.warnings[:most]]
        if (more := len(summary.warnings) - most) > 0:
            lines.append(f"{name}{count(more, 'more warning')}")
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
    """Return a Figure whose header says the message, the machine, how to read it and which scheduler is which.

    body: inches below the header, for the axes. legend: artists with labels. width: inches. Each line of the header is a
    text of the figure; those of the title and the notes are labelled "title 0", "note 0" and so on, for who wants them
    in other places than the picture.
    """
    room = width - 2 * MARGIN
    machines = [(f"{plain(s.name)}: " if len(summaries) > 1 else "") + machine_line(s.machine) for s in summaries]
    parts: list[tuple[str, float, dict[str, Any]]] = [
        *((text, TITLE, {"weight": "bold", "label": f"title {i}"}) for i, text in enumerate(title.split("\n"))),
        *((text, TEXT, {"weight": "bold", "color": ALARM}) for text in warnings_of(summaries)),
        *((text, TEXT, {"color": GREY}) for text in machines),
        *((text, TEXT, {"color": GREY, "label": f"note {i}"}) for i, text in enumerate(notes)),
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


LEGEND: Final[dict[str, Any]] = {
    "borderaxespad": 0,
    "borderpad": 0,
    "columnspacing": 1.4,
    "handletextpad": 0.4,
    "handlelength": 1.6,
    "labelspacing": 0.4,
}


def _legend_grid(labels: Sequence[str], room: float) -> tuple[int, int]:
    """Return columns and rows of a legend that fits `room` inches. matplotlib fills it column by column."""
    widths = [text_width(label) + 0.45 for label in labels]
    for columns in range(len(labels), 0, -1):
        rows = -(-len(labels) // columns)
        # matplotlib deals the labels out evenly: the first columns get one more.
        few, more = divmod(len(labels), columns)
        starts = [column * few + min(column, more) for column in range(columns)] + [len(labels)]
        if sum(max(widths[a:b]) for a, b in pairwise(starts)) <= room:
            return columns, rows
    return 1, len(labels)


def legend_for(series: Iterable[str], line: bool = False) -> list[Line2D]:
    """Return a legend entry for each series, in the house's order. line: marks are joined by lines."""
    return [
        Line2D(
            [],
            [],
            color=style_of(name).colour,
            marker=style_of(name).marker,
            markersize=6,
            linestyle="-" if line else "none",
            label=plain(name),
        )
        for name in series_order(series)
    ]
