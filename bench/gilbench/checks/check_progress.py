"""What a person sees while a check goes on: how many cases are decided, and how long the others will take."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from gilbench import units
from gilbench.checks.family import Family
from gilbench.console import progress

EPOCHS = 12  # that a case takes, roughly
NARROW = 0.7  # of the threshold: half the interval of a case without a difference, when it is decided


@contextmanager
def check_progress(out: IO[str], max_time: float) -> Iterator[Callable[[Family], None]]:
    """Yield a function to call after each epoch: a bar on a terminal, elsewhere one line for each case, once decided."""
    began = time.monotonic()
    announced: set[str] = set()
    with progress(out, "starting both arms") as shown:

        def show(family: Family) -> None:
            gone = time.monotonic() - began
            status = check_status(family, gone, max_time)
            undecided = {checked.case.name for checked in family.open()}
            for checked in family.cases:
                if checked.started and checked.case.name not in undecided | announced:
                    announced.add(checked.case.name)
                    shown.news(f"{status}  {checked.case.name}: {checked.kind}")
            shown.state(gone, check_time_left(family, max_time - gone), status)

        yield show


def check_status(family: Family, gone: float, max_time: float) -> str:
    """Return how many cases are decided, the time gone, and the time to go. gone, max_time: seconds."""
    still = len(family.open())
    left = units.duration(check_time_left(family, max_time - gone))
    return f"{len(family.cases) - still}/{len(family.cases)} decided  {units.duration(gone)} gone, about {left} to go"


def check_time_left(family: Family, most: float) -> float:
    """Return the seconds to go, at most `most`.

    Assumes that an interval narrows with the square root of its epochs, and that a case is decided once its interval
    lies inside the threshold.
    """
    still = family.open()
    measured = [checked for checked in family.cases if checked.epochs]
    usual = statistics.mean(checked.seconds / len(checked.epochs) for checked in measured) if measured else 1.0
    left = 0.0
    for checked in still:
        verdict, n = checked.verdict, len(checked.epochs)
        wanted = float(EPOCHS)
        if verdict is not None and n and math.isfinite(verdict.high):
            half = math.log(verdict.high / verdict.ratio)
            wanted = min(n * (half / (NARROW * checked.design.margin)) ** 2, 2 * checked.design.exploring)
        left += min(max(1.0, wanted - n) * usual, max(0.0, checked.patience - checked.seconds))
    return max(0.0, min(left, most))
