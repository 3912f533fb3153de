"""Factors of a speed-up, and when one of them may be named as a cause."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from gilbench.stats import Estimate

NAMED: Final = 1.05  # a factor is named as a cause when its whole interval lies beyond this, or below its inverse
# Times as wide as a 95 % interval, in logs: a result makes a hundred such statements, and few of them may be chance.
SURE: Final = 1.5
FEW, SURE_OF_FEW = 4, 2.5  # with fewer rounds than this, the spread itself is hardly known


@dataclass(frozen=True)
class Cause:
    """One factor of a speed-up. name: what it is due to. factor: the speed-up that it alone brings; below 1 it costs."""

    name: str
    factor: Estimate

    @property
    def gains(self) -> bool:
        """Whether it makes things faster for certain."""
        return surely(self.factor, 1)

    @property
    def costs(self) -> bool:
        """Whether it makes things slower for certain."""
        return surely(self.factor, -1)


def surely(factor: Estimate, side: int) -> bool:
    """Return whether a factor is a gain (side 1) or a loss (side -1) beyond NAMED, for certain."""
    value, end = math.log(factor.value), factor.low if side > 0 else factor.high
    if end <= 0 or math.isinf(end):
        return False
    reach = (SURE if factor.n >= FEW else SURE_OF_FEW) * abs(value - math.log(end))
    return side * value - reach > math.log(NAMED)
