"""Lines that are written at once, for a person who waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

Say = Callable[[str], object]


def sayer(err: IO[str]) -> Say:
    """Return a function that writes a line at once."""

    def say(line: str) -> None:
        err.write(f"{line}\n")
        err.flush()

    return say
