"""What a terminal may be sent: lines at once, text without control characters, and a bar where one is wanted."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO

Say = Callable[[str], object]


def sayer(err: IO[str]) -> Say:
    """Return a function that writes a line at once."""

    def say(line: str) -> None:
        err.write(f"{line}\n")
        err.flush()

    return say


def bar_wanted(out: IO[str]) -> bool:
    """Return whether a bar may be drawn: on a terminal that takes colours, where the user did not say no."""
    return out.isatty() and os.environ.get("TERM") != "dumb" and "NO_COLOR" not in os.environ


def printable(text: str) -> str:
    """Return text without control characters: a result file must not steer the terminal that shows it."""
    return "".join(character if character.isprintable() else "?" for character in text)
