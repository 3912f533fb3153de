"""What a person sees while a run goes on: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from gilbench import stats, units
from gilbench.cases.case import Case
from gilbench.cases.opening import Order
from gilbench.measure.rounds import Ledger, Listener
from gilbench.results.observations import Observation
from gilbench.results.summary import estimates


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
        return f"{case.name}: failed: {observed[-1].failure}"
    figure = estimates(ledger.observations).get(case)
    if figure is None:
        return case.name
    show = units.size if case.measure == "memory" else units.seconds
    width = stats.relative_half_width(figure)
    spread = f" ±{width:.0%}" if width < 1 else ""
    return f"{case.name}: {show(figure.value)}{spread} (n={figure.n})"
