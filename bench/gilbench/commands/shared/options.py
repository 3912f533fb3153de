"""Types of options, and options that several commands share."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

path_type = click.Path(path_type=Path)
positive = click.FloatRange(min=0, min_open=True)


def of_own_work(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the user's own functions; what --graph names joins `workloads` or `targets`."""
    items = click.option(
        "--items", metavar="EXPR|FILE", help="What your function is called with: one task for each item."
    )
    graph = click.option(
        "--graph",
        "graphs",
        multiple=True,
        metavar="TARGET",
        help="Measure what this function builds with dask. Repeatable.",
    )
    return items(graph(command))


class Percent(click.ParamType[float]):
    """A fraction, written as `5%` or `0.05`."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the fraction."""
        try:
            return float(value[:-1]) / 100 if isinstance(value, str) and value.endswith("%") else float(value)
        except ValueError:
            self.fail(f"{value!r} is not a percentage: write 5% or 0.05", param, ctx)


class Threshold(click.ParamType[tuple[str, float]]):
    """A change that matters: `3%` for all cases, or `PATTERN=3%` for some."""

    name = "threshold"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Return pattern and fraction; the pattern is "*" where none is given."""
        pattern, _, fraction = value.rpartition("=") if isinstance(value, str) else ("", "", value)
        found: float = Percent().convert(fraction, param, ctx)
        if not 0 < found < math.inf:
            self.fail(f"{value!r} must be above 0", param, ctx)
        return pattern or "*", found


class Seconds(click.ParamType[float]):
    """A time of 0 or more, written as `20us`, `1ms`, `0.5s` or a number of seconds."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        found = re.fullmatch(r"([0-9.e-]+) *(s|ms|us|µs|ns)?", str(value))
        try:
            seconds = float(found[1]) * {"s": 1, "ms": 1e-3, "ns": 1e-9, None: 1}.get(found[2], 1e-6) if found else -1
        except ValueError:
            seconds = -1
        if not 0 <= seconds < math.inf:
            self.fail(f"{value!r} is not a time: write 20us, 1ms or 0.5s", param, ctx)
        return seconds
