"""An order: what one child process is asked to open and measure. It travels as JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gilbench.cases.case import Case


@dataclass(frozen=True)
class Order:
    """What one child process is asked to open, and how to measure it.

    call: "function" for dask.compute(x, scheduler=...), "method" for x.compute(scheduler=...).
    loops, values: fixed by the first observation of the case; None in that one. budget: seconds of computing to spend.
    seconds_left: until the whole run should end. round_seed: of the memory layout that all observations of a round share,
    where they are forked from prepared processes. forked: whether this process is. spawns: whether its pools start their
    processes as users do, so that the time this takes is measured. watch: whether to compute a few more times, after everything
    is timed, with each task timed where it runs (see gilbench.cases.watching).
    """

    case: Case
    round: int
    seed: int
    call: str
    budget: float
    loops: int | None = None
    values: int | None = None
    seconds_left: float = math.inf
    round_seed: int = 0
    forked: bool = False
    spawns: bool = True
    watch: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Order:
        """Read `as_json` back."""
        return cls(**{**data, "case": Case(**data["case"])})
