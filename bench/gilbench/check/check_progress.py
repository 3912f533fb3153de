"""What a person sees while a check goes on: a bar on a terminal, elsewhere a line for each case decided."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from gilbench import units
from gilbench.check.family import Family
from gilbench.console import bar_wanted, printable

EPOCHS = 12  # that a case takes, about


NARROW = 0.7  # of the threshold: half the interval of a case without a difference, when it is decided


@contextmanager
def of_check(out: IO[str], max_time: float) -> Iterator[Callable[[Family], None]]:
    """Yield a function to be called after each epoch: a bar on a terminal, elsewhere a line for each case decided."""
    began = time.monotonic()
    if not bar_wanted(out):
        told: set[str] = set()

        def tell(family: Family) -> None:
            still = {checked.case.name for checked in family.open()}
            for checked in family.cases:
                if checked.case.name not in still | told and checked.started:
                    told.add(checked.case.name)
                    status = check_status(family, time.monotonic() - began, max_time)
                    print(f"{status}  {printable(checked.case.name)}: {checked.kind}", file=out, flush=True)

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(bar_width=24), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(file=out), transient=True) as shown:
        task = shown.add_task("starting both arms", total=None)

        def draw(family: Family) -> None:
            gone = time.monotonic() - began
            total = gone + check_time_left(family, max_time - gone)
            shown.update(task, completed=gone, total=total, description=check_status(family, gone, max_time))

        yield draw


def check_status(family: Family, gone: float, max_time: float) -> str:
    """Return cases decided, time gone and time to go."""
    still = len(family.open())
    left = units.duration(check_time_left(family, max_time - gone))
    return f"{len(family.cases) - still}/{len(family.cases)} cases decided  {units.duration(gone)} gone, about {left} to go"


def check_time_left(family: Family, most: float) -> float:
    """Return seconds to go: an interval narrows with the root of its epochs, and ends a case inside the threshold."""
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
