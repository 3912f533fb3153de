"""The page in a real browser: sort, filter, open a case, dark, narrow, printed, without scripts, and hostile."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gilbench.report.page.pictures import PAPER
from tests.browser.conftest import Browser
from tests.report.pages import EVIL, small

pytestmark = pytest.mark.serial

WIDTHS = (400, 800, 1600)
HEADERS = "#speedups thead th"
ROWS = "#speedups tbody tr"
WORKLOADS = f"{ROWS} th .name"


def column(browser: Browser, name: str) -> int:
    """The place of a column, as CSS counts."""
    return browser.texts(HEADERS).index(name) + 1


def figures(browser: Browser, name: str) -> list[float]:
    cells = browser.texts(f"{ROWS} td:nth-child({column(browser, name)})")
    return [float(cell.split("x")[0]) for cell in cells if cell and cell != "failed"]


# --- Nothing goes out, nothing goes wrong


@pytest.mark.parametrize("which", ["probed", "everything", "verdicts", "hostile", "empty"])
def test_a_page_opens_without_an_error_and_asks_nobody(browser: Browser, which: str) -> None:
    browser.open(which)
    asked = [address for address in browser.requests() if not address.startswith(("data:", "chrome", "about:"))]
    assert [address.rpartition("/")[2] for address in asked] == [f"{which}.html"]
    assert browser.log() == []


def test_the_policy_holds_in_the_browser(browser: Browser) -> None:
    browser.open("small")
    browser.run("const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)")
    assert browser.run("return window.ran") is None
    refused = browser.log()
    assert len(refused) == 1 and "Content Security Policy" in refused[0]


def test_a_page_of_500_cases_opens_within_a_second_of_computing(browser: Browser) -> None:
    """In time on the CPU of the page's own thread: the wall clock is the neighbors' too."""
    browser.send("Performance.enable", timeDomain="threadTicks")
    browser.open("large", script=True)
    assert browser.run("return document.querySelectorAll('article.case').length") > 500
    metrics = {metric["name"]: metric["value"] for metric in browser.send("Performance.getMetrics")["metrics"]}
    assert 0 < metrics["ScriptDuration"] + metrics["LayoutDuration"] + metrics["RecalcStyleDuration"] < 1.0
    browser.send("Performance.disable")


# --- The matrix


def test_a_click_on_a_header_sorts_by_it_and_another_one_reverses_it(browser: Browser) -> None:
    browser.open("probed")
    place = column(browser, "threads")
    before = browser.texts(WORKLOADS)
    browser.click(f"{HEADERS}:nth-child({place}) button")
    down = figures(browser, "threads")
    assert down == sorted(down, reverse=True) and len(set(down)) > 5
    assert browser.run(f"return document.querySelector('{HEADERS}:nth-child({place})').ariaSort") == "descending"
    browser.click(f"{HEADERS}:nth-child({place}) button")
    assert figures(browser, "threads") == sorted(down)
    browser.click(f"{HEADERS}:nth-child(1) button")
    assert browser.texts(WORKLOADS) == sorted(before)
    sorted_by = browser.run(f"return [...document.querySelectorAll('{HEADERS}[aria-sort]')].length")
    assert sorted_by == 1


def test_unknown_values_come_last_in_either_order(browser: Browser) -> None:
    browser.open("probed")
    place = column(browser, "loky")
    for _ in range(2):
        browser.click(f"{HEADERS}:nth-child({place}) button")
        cells = [bool(cell) for cell in browser.texts(f"{ROWS} td:nth-child({place})")]
        assert cells == sorted(cells, reverse=True) and not all(cells)


def choose(browser: Browser, identifier: str, value: str) -> None:
    from selenium.webdriver.support.ui import Select

    values = browser.run("return [...document.getElementById(arguments[0]).options].map(o => o.value)", identifier)
    Select(browser.driver.find_element("id", identifier)).select_by_index(values.index(value))


def test_filters_by_family_and_workers_work_together(browser: Browser) -> None:
    browser.open("probed")
    all_rows = len(browser.texts(ROWS))
    choose(browser, "family", "csv_files")
    shown = browser.texts(WORKLOADS)
    assert 0 < len(shown) < all_rows and all(name.startswith("csv_") for name in shown)
    choose(browser, "workers", "1")
    fewer = browser.texts(WORKLOADS)
    assert 0 < len(fewer) < len(shown)
    assert set(browser.texts(f"{ROWS} td:nth-child(2)")) == {"1"}
    assert browser.texts("#count") == [f"{len(fewer)} of {all_rows} rows"]
    choose(browser, "family", "")
    choose(browser, "workers", "")
    assert len(browser.texts(ROWS)) == all_rows


def test_a_scheduler_can_be_put_aside(browser: Browser) -> None:
    browser.open("probed")
    names, rows = browser.texts(HEADERS), len(browser.texts(ROWS))
    browser.click("#tools .chip:first-of-type input")
    assert browser.texts(HEADERS) == [name for name in names if name != "threads"]
    for box in range(2, 1 + browser.run("return document.querySelectorAll('#tools .chip').length")):
        if browser.texts(f"#tools .chip:nth-of-type({box})") != ["loky"]:
            browser.click(f"#tools .chip:nth-of-type({box}) input")
    assert browser.texts(HEADERS)[3:-1] == ["loky"]
    assert 0 < len(browser.texts(ROWS)) < rows, "rows with nothing under it go too"


def test_results_can_be_filtered_where_there_are_several(browser: Browser) -> None:
    browser.open("everything")
    choose(browser, "result", "small (2)")
    assert browser.texts(f"{ROWS} td:nth-child(2)") == ["small (2)", "small (2)"]


# --- A case


def test_a_click_on_a_cell_opens_its_observations_and_escape_closes_it(browser: Browser) -> None:
    browser.open("probed")
    row = browser.texts(WORKLOADS).index("sum_of_squares") + 1
    cell = f"{ROWS}:nth-child({row}) td:nth-child({column(browser, 'threads')}) a"
    label = browser.run("return document.querySelector(arguments[0]).ariaLabel", cell)
    browser.click(cell)
    (text,) = browser.texts("dialog[open]")
    assert label.startswith("sum_of_squares:default:threads:1x2")
    assert "sum_of_squares" in text and "median" in text and "round 0:" in text and "speed-up over sync" in text
    assert "Timeline: 16 tasks" in text and "gil " in text
    assert browser.run("return document.querySelectorAll('dialog circle').length") == 5
    browser.press("\ue00c")
    assert browser.texts("dialog[open]") == []
    assert browser.run("return document.activeElement.ariaLabel") == label, "the focus is back where it was"
    assert browser.run("return new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == browser.run(
        "return document.querySelectorAll('[id]').length"
    )


def test_a_case_opens_by_keyboard_too(browser: Browser) -> None:
    browser.open("small")
    browser.run(f"document.querySelector('{ROWS} td:nth-child(4) a').focus()")
    browser.press("\ue007")
    assert len(browser.texts("dialog[open]")) == 1
    browser.press("\ue007")
    assert browser.texts("dialog[open]") == [], "the button that closes it has the focus"


# --- Without scripts


def test_without_scripts_everything_is_there_and_a_cell_leads_to_its_case(browser: Browser) -> None:
    browser.open("small", script=False)
    assert browser.texts("#tools") == [] and browser.texts("#theme") == [], "nothing that does nothing"
    assert len(browser.texts(ROWS)) == 2
    assert browser.texts("article.case") == [], "folded, and open at a click"
    browser.click(f"{ROWS}:nth-child(2) td:nth-child(4) a")
    shown = browser.texts("article.case")
    assert len(shown) == 3 and shown[1].startswith("sort")
    summary = "section details.work:first-of-type > summary"
    browser.click(summary)
    assert len(browser.texts("article.case")) == 6


def test_numbers_can_be_downloaded_without_scripts(browser: Browser, tmp_path: Any) -> None:
    browser.open("small", script=False)
    browser.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.click("#data ~ ul a.csv")
    path = tmp_path / "small-cases.csv"
    browser.wait(path.exists)
    assert path.read_text().splitlines()[1].startswith("loop,loops,default,sync,1,1,pinned,time,0.1,")
    assert len(path.read_text().splitlines()) == 1 + len(small().cases)


# --- Light, dark, narrow, wide, paper


def colors(browser: Browser, selector: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The color of an element's text (or its fill) and of the page's paper."""
    found = browser.run(
        "const e = document.querySelector(arguments[0]), s = getComputedStyle(e);"
        "return [e instanceof SVGElement ? s.fill : s.color, getComputedStyle(document.body).backgroundColor]",
        selector,
    )
    return tuple(tuple(int(part) for part in re.findall(r"\d+", color)[:3]) for color in found)  # type: ignore[return-value]


def test_dark_and_light_follow_the_system_and_the_button(browser: Browser) -> None:
    browser.open("small", scheme="dark")
    assert colors(browser, "h1")[1] == PAPER and min(colors(browser, "h1")[0]) > 200
    assert min(colors(browser, "#chart-speedup svg text")[0]) > 120, "the charts are dark as well"
    assert browser.texts("#theme") == ["Light"]
    browser.click("#theme")
    assert colors(browser, "h1")[1] == (255, 255, 255) and max(colors(browser, "#chart-speedup svg text")[0]) < 120
    browser.open("small", scheme="light")
    assert colors(browser, "h1")[1] == (255, 255, 255)
    browser.click("#theme")
    assert colors(browser, "h1")[1] == PAPER


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("which", ["probed", "two", "everything", "hostile"])
def test_no_width_makes_the_page_scroll_sideways(browser: Browser, which: str, width: int) -> None:
    browser.open(which, width=width)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true")
    assert browser.run("return document.documentElement.scrollWidth") <= width


def test_charts_stay_legible_on_a_phone(browser: Browser) -> None:
    browser.open("probed", width=400)
    sizes = browser.run(
        "return [...document.querySelectorAll('figure svg text')].map(e => e.getBoundingClientRect().height).filter(h => h > 0)"
    )
    assert len(sizes) > 100 and sorted(sizes)[len(sizes) // 10] >= 10, (
        "pixels; what has no room scrolls in its own frame"
    )


def test_on_paper_it_is_light_and_shows_what_matters_without_buttons(browser: Browser) -> None:
    browser.open("probed", scheme="dark", media="print", width=800)
    assert colors(browser, "h1")[1] == (255, 255, 255)
    assert browser.texts("#tools, #theme, nav, a.csv") == []
    assert len(browser.texts("figure h3")) > 5 and browser.texts("#repeat") and browser.texts("#claims")
    assert browser.paper().startswith(b"%PDF")


# --- Whatever the result holds


def test_a_hostile_result_runs_nothing_and_is_shown_as_it_is(browser: Browser) -> None:
    browser.open("hostile")
    assert browser.run("return document.scripts.length") == 1
    assert browser.run("return document.images.length") == 0
    assert "<script>alert(" in browser.texts("h1")[0] or "<script>alert(" in browser.texts("main")[0]
    browser.click(f"{ROWS} td a.cell")
    assert "<script>alert(" in browser.texts("dialog[open]")[0]
    assert browser.run("return document.querySelectorAll('dialog script, dialog img').length") == 0
    browser.press("\ue00c")
    options = browser.run("return [...document.querySelectorAll('#family option')].map(o => o.value)")
    assert any("<script>" in value for value in options)
    choose(browser, "family", next(value for value in options if value.startswith("@")))
    assert len(browser.texts(ROWS)) == 2
    assert browser.driver.title.startswith("<script>") and "\u202e" in EVIL and "\u202e" not in browser.driver.title


# --- For everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["probed", "everything", "hostile"])
def test_axe_finds_nothing_serious(browser: Browser, axe: str, which: str, scheme: str) -> None:
    browser.open(which, scheme=scheme)
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true")
    browser.run(axe + ";window.axe = axe")
    found = browser.driver.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations), e => done(String(e)))"
    )
    assert isinstance(found, list), found
    serious = [violation for violation in found if violation["impact"] in ("serious", "critical")]
    assert [(violation["id"], violation["nodes"][0]["html"][:200]) for violation in serious] == []
