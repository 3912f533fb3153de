"""A real browser for the page's tests. Where there is none they are left out, and the last lines say so.

Chromium and its driver are looked for on the PATH, and axe-core in .cache/axe; .ci/run puts them there. With
GILBENCH_BROWSER=required a test that would be left out fails.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.report.pages import page

AXE = Path(__file__).parents[2] / ".cache" / "axe" / "package" / "axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SKIPPED = "browser test left out"


def left_out(why: str) -> None:
    """Leave a test out, or fail it where the browser is required."""
    if os.environ.get("GILBENCH_BROWSER") == "required":
        pytest.fail(f"GILBENCH_BROWSER=required, and {why}")
    pytest.skip(f"{SKIPPED}: {why}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line that browser tests were left out, and why: nobody must take them for passed."""
    reasons = [
        report.longrepr[2] for report in terminalreporter.stats.get("skipped", []) if isinstance(report.longrepr, tuple)
    ]
    mine = [reason.partition(f"{SKIPPED}: ")[2] for reason in reasons if SKIPPED in reason]
    for why in dict.fromkeys(mine):
        terminalreporter.write_line(
            f"LEFT OUT: {mine.count(why)} browser tests of the page were not run: {why}", red=True
        )


@dataclass
class Browser:
    """A browser with one tab. folder: of the pages that it opens."""

    driver: Any
    folder: Path

    def open(
        self, which: str, *, width: int = 1280, scheme: str = "light", media: str = "", script: bool = True
    ) -> None:
        """Open one of the tests' pages, in a window so wide, by the address of a file."""
        path = self.folder / f"{which}.html"
        if not path.exists():
            path.write_text(page(which), encoding="utf-8")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.send("Emulation.setEmulatedMedia", media=media, features=features)
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self.log()
        self.driver.get(path.as_uri())

    def send(self, command: str, **what: Any) -> Any:
        """Send a command of Chrome's own protocol."""
        return self.driver.execute_cdp_cmd(command, what)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page, and return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        """The text of every element that is shown."""
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).map(e => e.innerText.trim())",
            selector,
        )

    def click(self, selector: str) -> None:
        """Click the first such element, as a person does."""
        element = self.driver.find_element("css selector", selector)
        self.run("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", element)
        element.click()

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait until a condition outside the page holds. Raises after ten seconds."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 10, poll_frequency=0.05).until(lambda _: until())

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def log(self) -> list[str]:
        """What the console said since the last call: errors, warnings, and what the policy refused."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses asked for since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
        return [request["request"]["url"] for request in sent]

    def picture(self) -> bytes:
        """A PNG of the window."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def paper(self) -> bytes:
        """A PDF of the page."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not program or not driver:
        left_out(f"no {'chromedriver' if program else 'Chromium'} on the PATH, .ci/run installs it")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(program)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for flag in ("--headless=new", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    if sys.platform == "linux" and os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium's own is not available as root
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(driver)))
    yield Browser(started, tmp_path_factory.mktemp("pages"))
    started.quit()


@pytest.fixture
def browser(tab: Browser) -> Iterator[Browser]:
    """The browser; after each test the console must be empty of errors."""
    tab.log()
    tab.requests()
    yield tab
    tab.send("Emulation.setScriptExecutionDisabled", value=False)
    assert tab.log() == []


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.exists():
        left_out("axe-core is not in .cache/axe, .ci/run fetches it")
    return AXE.read_text(encoding="utf-8")
