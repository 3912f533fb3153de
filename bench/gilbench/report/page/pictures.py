"""Charts as parts of a page: matplotlib's SVG made small, its colours left to the page's style, its header turned to text."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, PAPER = (232, 234, 237), (20, 23, 28)  # of the dark page
CONTRAST: Final = 4.6  # of coloured text on dark paper; WCAG 2.2 asks for 4.5
GREYISH: Final = 12  # most difference between the channels of a grey
PALE: Final = 0.7  # relative luminance from which a colour is a tint of the paper
TINT: Final = 0.22  # of the colour itself in a tint of the dark paper
LOOKS: Final = ("fill", "stroke", "opacity")  # attributes that the page's style takes over
COLOUR: Final = re.compile(r"#([0-9a-fA-F]{6})\b")
NUMBER: Final = re.compile(r"-?\d+\.\d+")
REFERENCE: Final = re.compile(r"#([\w.-]+)")

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Picture:
    """One chart.

    title, notes: of its header, in words. svg: the rest of it, safe to stand in a page. width: in CSS pixels.
    styles: class -> declarations that the SVG needs. colours: all that it uses, as six hexadecimal digits.
    """

    name: str
    title: tuple[str, ...]
    notes: tuple[str, ...]
    svg: str
    width: int
    styles: Mapping[str, str] = field(default_factory=dict)

    @property
    def colours(self) -> set[str]:
        """Every colour of its styles, as six lower-case hexadecimal digits."""
        return {found for style in self.styles.values() for found in re.findall(r"--x([0-9a-f]{6})", style)}


def picture(figure: Figure, name: str) -> Picture:
    """Return a figure of the house as a picture. The figure is used up: its header is taken off."""
    from gilbench.charts import image

    texts = {kind: tuple(_header(figure, kind)) for kind in ("title", "note")}
    inches = _headless(figure)
    root = ElementTree.fromstring(image(figure, "svg"))  # noqa: S314 - matplotlib has just written it
    styles: dict[str, str] = {}
    slim = _slim(root, f"{name}-", styles)
    points = [float(number) for number in root.attrib["viewBox"].split()]
    box = (0.0, inches * 72, points[2], points[3] - inches * 72)
    attributes = {
        "viewBox": " ".join(f"{number:.2f}".rstrip("0").rstrip(".") for number in box),
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
    }
    page = Element("svg", attributes)
    for tag, lines in (("title", texts["title"]), ("desc", texts["note"])):
        words = ElementTree.SubElement(page, tag, {"id": f"{name}-{tag}"})
        words.text = " ".join(lines)
    page.extend(slim)
    width = round(points[2] * 100 / 72)
    return Picture(name, texts["title"], texts["note"], ElementTree.tostring(page, encoding="unicode"), width, styles)


def style_rules(pictures: Sequence[Picture]) -> str:
    """Return the CSS that pictures need: a rule for each look, and each colour for light and for dark."""
    rules = {name: style for each in pictures for name, style in each.styles.items()}
    colours = sorted({colour for each in pictures for colour in each.colours})
    pairs = "".join(f"--x{colour}:light-dark(#{colour},{dark(colour)});" for colour in colours)
    return f":root{{{pairs}}}" + "".join(f".{name}{{{style}}}" for name, style in sorted(rules.items()))


# --- Colours


def dark(colour: str) -> str:
    """Return the colour for dark paper, as `#rrggbb`: greys turn round, tints sink, all others rise until they can be read.

    colour: six hexadecimal digits.
    """
    rgb = (int(colour[:2], 16), int(colour[2:4], 16), int(colour[4:], 16))
    if max(rgb) - min(rgb) <= GREYISH:
        return _hex(_mix(INK, PAPER, sum(rgb) / 3 / 255))
    if luminance(rgb) >= PALE:
        return _hex(_mix(PAPER, rgb, TINT))
    steps = (_mix(rgb, (255, 255, 255), step / 20) for step in range(20))
    return _hex(next((step for step in steps if contrast(step, PAPER) >= CONTRAST), INK))


def luminance(rgb: Rgb) -> float:
    """Return the relative luminance, 0 to 1, as WCAG 2.2 defines it."""
    parts = [channel / 255 for channel in rgb]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast of two colours, 1 to 21, as WCAG 2.2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """Return so much of the other colour, and the rest of the one."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _hex(rgb: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


# --- The header


def _header(figure: Figure, kind: str) -> Iterator[str]:
    """Yield the lines of the header of one kind, "title" or "note", as they were before they were broken to fit."""
    labelled = [text for text in figure.texts if str(text.get_label()).startswith(f"{kind} ")]
    for _, lines in groupby(labelled, lambda text: text.get_label()):
        yield " ".join(str(line.get_text()) for line in lines).replace(r"\$", "$")


def _headless(figure: Figure) -> float:
    """Hide the header and the paper; return the inches that are free at the top."""
    height, free = figure.get_figheight(), 0.0
    for text in figure.texts:
        text.set_visible(False)
        free = max(free, (1 - text.get_position()[1]) * height + float(text.get_fontsize()) * 1.38 / 72)
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    return free


# --- The SVG


def _slim(root: Element, prefix: str, styles: dict[str, str]) -> list[Element]:
    """Return the drawing without what a page does not need, with ids of its own, and classes in place of styles."""
    used = {found for each in root.iter() for value in each.attrib.values() for found in REFERENCE.findall(value)}
    return [kept for child in root for kept in _kept(child, prefix, used, styles)]


def _kept(element: Element, prefix: str, used: set[str], styles: dict[str, str]) -> Iterator[Element]:
    tag = element.tag.rpartition("}")[2]
    if tag in ("metadata", "style"):
        return
    inside = [kept for child in element for kept in _kept(child, prefix, used, styles)]
    attributes = dict(_attributes(element, prefix, used, styles))
    if (tag == "g" and not attributes) or (tag == "defs" and not inside):
        yield from inside
        return
    new = Element(tag, attributes)
    new.text = element.text if tag in ("text", "tspan") else None
    new.extend(inside)
    yield new


def _attributes(element: Element, prefix: str, used: set[str], styles: dict[str, str]) -> Iterator[tuple[str, str]]:
    looks = [element.attrib["style"]] if "style" in element.attrib else []
    for name, value in element.attrib.items():
        name = name.rpartition("}")[2]
        if name == "style":
            continue
        if name in LOOKS:
            looks.append(f"{name}: {value}")
        elif name == "id" and value in used:
            yield name, prefix + value
        elif name == "href" or "url(#" in value:
            yield name, value.replace("#", f"#{prefix}")
        elif name == "transform" and value.startswith("rotate(-0 "):
            continue
        elif name not in ("id", "version", "type"):
            yield name, NUMBER.sub(_rounded, " ".join(value.split()))
    if looks:
        yield "class", _class("; ".join(looks).replace("url(#", f"url(#{prefix}"), styles)


def _class(style: str, styles: dict[str, str]) -> str:
    """Return the class that stands for a style; the same style is the same class in every chart."""
    style = COLOUR.sub(lambda found: f"var(--x{found[1].lower()})", style.replace("; ", ";").replace(": ", ":"))
    name = f"s{zlib.crc32(style.encode()):08x}"
    styles[name] = style
    return name


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
