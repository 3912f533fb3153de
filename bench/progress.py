"""What a person sees while a run goes on: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from bench import stats, units
from bench.check.family import Family
from bench.plan import Case
from bench.report import printable
from bench.results import Observation
from bench.run import Ledger, Listener
from bench.summary import estimates
from bench.worker import Order

EPOCHS = 12  # that a case takes, about
NARROW = 0.7  # of the threshold: half the interval of a case without a difference, when it is decided


@contextmanager
def progress(out: IO[str], *, bar: bool) -> Iterator[Listener]:
    """Yield a listener that shows a rich progress bar, or writes plain lines."""
    if not bar:
        yield Lines(out)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(bar_width=24), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(file=out), transient=True) as shown:
        yield Bar(shown)


class Lines:
    """One line for each observation, for a log: never a control character."""

    def __init__(self, out: IO[str]) -> None:
        self.out = out
        self.began = time.monotonic()

    def starting(self, order: Order, ledger: Ledger) -> None:
        """Say nothing: the line comes when there is something to tell."""

    def observed(self, observation: Observation, ledger: Ledger) -> None:
        """Write the line."""
        print(
            f"{self.status(observation.round, ledger)}  {so_far(observation.case, ledger)}", file=self.out, flush=True
        )

    def status(self, round_: int, ledger: Ledger) -> str:
        """Return round, cases done, time gone and time to go."""
        done, elapsed = len(ledger.stops), units.duration(time.monotonic() - self.began)
        left = units.duration(ledger.time_left())
        return f"round {round_ + 1}  {done}/{len(ledger.plan.cases)} cases done  {elapsed} gone, about {left} to go"


class Bar(Lines):
    """A rich progress bar over the seconds that the run takes."""

    def __init__(self, shown: object) -> None:
        super().__init__(out=None)  # type: ignore[arg-type]
        from rich.progress import Progress

        assert isinstance(shown, Progress)
        self.shown = shown
        self.task = shown.add_task("starting", total=None)
        self.news = ""

    def starting(self, order: Order, ledger: Ledger) -> None:
        """Name the case being measured."""
        self.news = f"{order.case.name}"
        self._show(order.round, ledger)

    def observed(self, observation: Observation, ledger: Ledger) -> None:
        """Show the estimate so far."""
        self.news = so_far(observation.case, ledger)
        self._show(observation.round, ledger)

    def _show(self, round_: int, ledger: Ledger) -> None:
        gone, left = ledger.spent, ledger.time_left()
        self.shown.update(
            self.task, completed=gone, total=gone + left, description=f"{self.status(round_, ledger)}  {self.news}"
        )


def so_far(case: Case, ledger: Ledger) -> str:
    """Return the case's name and what is known of it."""
    observed = ledger.of(case)
    if observed and observed[-1].failure:
        return f"{case.name}: failed: {': '.join(observed[-1].failure)}"
    figure = estimates(ledger.observations).get(case)
    if figure is None:
        return case.name
    show = units.size if case.measure == "memory" else units.seconds
    width = stats.relative_half_width(figure)
    spread = f" ±{width:.0%}" if width < 1 else ""
    return f"{case.name}: {show(figure.value)}{spread} (n={figure.n})"


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


def bar_wanted(out: IO[str]) -> bool:
    """Return whether a bar may be drawn: on a terminal that takes colours, where the user did not say no."""
    return out.isatty() and os.environ.get("TERM") != "dumb" and "NO_COLOR" not in os.environ
