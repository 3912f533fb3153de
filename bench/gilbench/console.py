"""The console: lines without delay, text without control characters, progress as a bar or lines, and stopping on a signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Say = Callable[[str], object]


def sayer(err: IO[str]) -> Say:
    """Return a function that writes a line without delay."""

    def say(line: str) -> None:
        err.write(f"{line}\n")
        err.flush()

    return say


def printable(text: str) -> str:
    """Return text without control characters: a result file must not steer the terminal that shows it."""
    return "".join(character if character.isprintable() else "?" for character in text)


class Lines:
    """Progress for a log, which keeps everything: a line for each piece of news, and nothing in between."""

    def __init__(self, out: IO[str]) -> None:
        self._say = sayer(out)

    def news(self, line: str) -> None:
        """Write something that is now known, without control characters."""
        self._say(printable(line))

    def state(self, gone: float, left: float, text: str) -> None:
        """Write nothing: the state is old as soon as it is written."""


class Bar:
    """Progress for a terminal, as a bar that is drawn over and over: the state, without the news."""

    def __init__(self, shown: RichProgress, text: str) -> None:
        self._shown = shown
        self._task = shown.add_task(text, total=None)

    def news(self, line: str) -> None:
        """Draw nothing: the next state says it."""

    def state(self, gone: float, left: float, text: str) -> None:
        """Draw the bar. gone, left: seconds. text: what is going on."""
        self._shown.update(self._task, completed=gone, total=gone + left, description=text)


Progress = Lines | Bar


@contextmanager
def progress(out: IO[str], text: str = "starting") -> Iterator[Progress]:
    """Yield a bar on a terminal, which is wiped at the end, and plain lines elsewhere. text: what a new bar says."""
    if not bar_wanted(out):
        yield Lines(out)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (BarColumn(bar_width=24), TextColumn("{task.description}", markup=False))
    with RichProgress(*columns, console=Console(file=out), transient=True) as shown:
        yield Bar(shown, text)


def bar_wanted(out: IO[str]) -> bool:
    """Return whether to draw a bar: on a terminal that understands colors, unless the user said no."""
    return out.isatty() and os.environ.get("TERM") != "dumb" and "NO_COLOR" not in os.environ


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt here, as Ctrl-C does.

    CI systems cancel a job with it. What was measured is then kept, and no worker, worktree, or folder is left behind.
    Does nothing outside the main thread, where Python sets no handler.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
