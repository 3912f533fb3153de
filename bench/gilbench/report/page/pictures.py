"""Charts as parts of a page: matplotlib's SVG, made small, with colors left to the page's style and the header as text."""

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
CONTRAST: Final = 4.6  # of colored text on dark paper; WCAG 2.2 asks for 4.5
GRAYISH: Final = 12  # largest difference between the channels of a gray
PALE: Final = 0.7  # relative luminance from which a color counts as a tint of the paper
TINT: Final = 0.22  # share of the color in a tint of the dark paper
LOOKS: Final = ("fill", "stroke", "opacity")  # attributes that become rules of the page's style
COLOR: Final = re.compile(r"#([0-9a-fA-F]{6})\b")
NUMBER: Final = re.compile(r"-?\d+\.\d+")
REFERENCE: Final = re.compile(r"#([\w.-]+)")

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Picture:
    """One chart.

    title, notes: lines of its header. svg: the rest of it, safe to embed in a page. width: in CSS pixels.
    styles: class -> CSS declarations that the SVG needs.
    """

    name: str
    title: tuple[str, ...]
    notes: tuple[str, ...]
    svg: str
    width: int
    styles: Mapping[str, str] = field(default_factory=dict)

    @property
    def colors(self) -> set[str]:
        """Every color of its styles, as six lowercase hexadecimal digits."""
        return {color for rules in self.styles.values() for color in re.findall(r"--x([0-9a-f]{6})", rules)}


def picture(figure: Figure, name: str) -> Picture:
    """Return a figure in the house style as a picture. This uses up the figure, because its header is removed."""
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
        element = ElementTree.SubElement(page, tag, {"id": f"{name}-{tag}"})
        element.text = " ".join(lines)
    page.extend(slim)
    width = round(points[2] * 100 / 72)
    return Picture(name, texts["title"], texts["note"], ElementTree.tostring(page, encoding="unicode"), width, styles)


def style_rules(pictures: Sequence[Picture]) -> str:
    """Return the CSS that pictures need: a rule for each class, and each color in a light and a dark version."""
    rules = {name: rule for picture in pictures for name, rule in picture.styles.items()}
    colors = sorted({color for picture in pictures for color in picture.colors})
    pairs = "".join(f"--x{color}:light-dark(#{color},{dark(color)});" for color in colors)
    return f":root{{{pairs}}}" + "".join(f".{name}{{{rule}}}" for name, rule in sorted(rules.items()))


# --- Colors


def dark(color: str) -> str:
    """Return a color for dark paper, as `#rrggbb`. color: six hexadecimal digits.

    Grays are inverted, tints are darkened, and all other colors are lightened until they are legible.
    """
    rgb = (int(color[:2], 16), int(color[2:4], 16), int(color[4:], 16))
    if max(rgb) - min(rgb) <= GRAYISH:
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


def contrast(first: Rgb, second: Rgb) -> float:
    """Return the contrast of two colors, 1 to 21, as WCAG 2.2 defines it."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Return a mix with this share of the second color, 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _hex(rgb: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


# --- The header


def _header(figure: Figure, kind: str) -> Iterator[str]:
    """Yield the header's lines of one kind, "title" or "note", as they were before they were wrapped."""
    labeled = [text for text in figure.texts if str(text.get_label()).startswith(f"{kind} ")]
    for _, lines in groupby(labeled, lambda text: text.get_label()):
        yield " ".join(str(line.get_text()) for line in lines).replace(r"\$", "$")


def _headless(figure: Figure) -> float:
    """Hide the header and the paper, and return the height in inches that this frees at the top."""
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
    """Return the drawing without what a page does not need, with unique ids, and with classes instead of styles."""
    used = {name for element in root.iter() for value in element.attrib.values() for name in REFERENCE.findall(value)}
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
    """Return the class for a style. The same style has the same class in every chart."""
    style = COLOR.sub(lambda found: f"var(--x{found[1].lower()})", style.replace("; ", ";").replace(": ", ":"))
    name = f"s{zlib.crc32(style.encode()):08x}"
    styles[name] = style
    return name


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
