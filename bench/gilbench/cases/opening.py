"""What a child process is asked to open: one case, with everything that decides how it is measured."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gilbench.cases.case import Case


@dataclasses.dataclass(frozen=True)
class Order:
    """What one worker is asked to measure.

    call: "function" for dask.compute(x, scheduler=...), "method" for x.compute(scheduler=...).
    loops, values: fixed by the case's first observation, None in that one. budget: seconds of computing to spend.
    seconds_left: until the whole run should end.
    """

    case: Case
    round: int
    seed: int
    call: str
    budget: float
    loops: int | None = None
    values: int | None = None
    seconds_left: float = math.inf

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Order:
        """Read `as_json` back."""
        from gilbench.cases.case import Case

        return cls(**{**data, "case": Case(**data["case"])})
