"""Charts in the page: small, with text alternatives, without ids of others, and legible on dark paper."""

from __future__ import annotations

import re
from functools import cache
from xml.etree import ElementTree

import pytest

from gilbench import charts
from gilbench.charts.drawing import style
from gilbench.report.page import pictures
from gilbench.report.page.pictures import PAPER, Picture, contrast, dark, luminance, picture
from tests.charts import chart_data

NAMES = [name for name in charts.all_charts() if name != "free_threading"]


@cache
def drawn(name: str) -> Picture:
    return picture(charts.all_charts()[name].draw([chart_data.realistic(full=False)]), name)


def rgb(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@pytest.mark.parametrize("name", NAMES)
def test_a_chart_is_a_picture_with_its_header_as_text(name: str) -> None:
    found, figure = drawn(name), charts.all_charts()[name].draw([chart_data.realistic(full=False)])
    title = " ".join(text.get_text() for text in figure.texts if text.get_fontsize() == style.TITLE)
    assert " ".join(found.title) == title.replace(r"\$", "$")
    root = ElementTree.fromstring(found.svg)
    texts = {text.text for text in root.iter("text")}
    assert not texts & {line.get_text() for line in figure.texts if len(line.get_text()) > 25}, (
        "the header is not in the picture as well"
    )
    assert (root.find("title").text, root.find("desc").text) == (" ".join(found.title), " ".join(found.notes))  # type: ignore[union-attr]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_needs_no_style_of_its_own_and_holds_nothing_foreign(name: str) -> None:
    found = drawn(name)
    assert not re.search(r"style=|xmlns|metadata|<!|#[0-9a-f]{6}", found.svg)
    assert set(re.findall(r'class="(\w+)"', found.svg)) == set(found.styles)
    ids = re.findall(r' id="([^"]+)"', found.svg)
    assert len(ids) == len(set(ids)) and all(identifier.startswith(f"{name}-") for identifier in ids)
    used = set(re.findall(r'(?:href="#|url\(#)([^)"]+)', found.svg + "".join(found.styles.values())))
    assert used <= set(ids)


def test_pictures_are_much_smaller_than_files() -> None:
    figure = charts.all_charts()["observations"].draw([chart_data.realistic(full=False)])
    assert len(drawn("observations").svg) < 0.65 * len(charts.image(figure, "svg"))


def test_no_picture_brings_its_own_paper() -> None:
    for name in NAMES:
        whole = [path for path in ElementTree.fromstring(drawn(name).svg) if path.get("d", "").startswith("M 0 ")]
        assert not whole


def test_the_top_of_the_picture_is_cut_off_with_the_header() -> None:
    root = ElementTree.fromstring(drawn("speedup").svg)
    _, top, _, height = map(float, root.get("viewBox", "").split())
    lowest = min(float(text.get("y", "inf")) for text in root.iter("text"))
    assert top > 30 and top < lowest < top + height


def test_every_color_of_the_house_style_is_legible_on_dark_paper() -> None:
    for look in (*style.STYLES.values(), *style.SPARE):
        if look.color != "#000000":
            assert contrast(rgb(dark(look.color[1:].lower())), PAPER) >= 4.5, look
    for color in (style.ALARM, style.GRAY, "#000000"):
        assert contrast(rgb(dark(color[1:])), PAPER) >= 4.5, color


def test_paper_turns_dark_and_tints_stay_near_to_it() -> None:
    assert rgb(dark("ffffff")) == PAPER
    for tint in (style.BAND, "#eaf3fa", "#f9e0ae"):
        assert luminance(rgb(dark(tint[1:]))) < 0.1


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


def test_rules_hold_every_look_once_and_every_color_for_both() -> None:
    rules = pictures.style_rules([drawn("speedup"), drawn("scaling")])
    classes = re.findall(r"\}\.(\w+)\{", rules)
    assert len(classes) == len(set(classes)) and set(drawn("scaling").styles) <= set(classes)
    used, defined = set(re.findall(r"var\(--x(\w+)\)", rules)), set(re.findall(r"--x(\w+):light-dark", rules))
    assert used == defined and "<" not in rules
