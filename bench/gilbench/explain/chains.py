"""Why a speed-up is what it is: taken apart by intervention. Each step of a chain switches one thing and is measured in the
same rounds as the others, so that the factors multiply to the speed-up that users get.

    sync as it is  ->  allocator leveled  ->  one worker  ->  all workers  ->  allocator as it is again

The names follow the literature: a chain is a speedup stack (Eyerman, Du Bois, and Eeckhout, ISPASS 2012) whose factors multiply,
as the efficiencies of the POP project do. A cause is what changes when it alone is switched; nothing here is inferred from
a correlation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from gilbench import units
from gilbench.cases.case import Case
from gilbench.cases.plan import arms_of
from gilbench.explain import selected
from gilbench.process.levels import LEVELED
from gilbench.results.summary import CaseSummary, Summary
from gilbench.stats import Estimate

NAMED: Final = 1.05  # a factor is named as a cause when its whole interval lies beyond this, or below its inverse
# Times as wide as a 95 % interval, in logs: a result makes a hundred such statements, and few of them may be chance.
SURE: Final = 1.5
FEW, SURE_OF_FEW = 4, 2.5  # with fewer rounds than this, the spread itself is hardly known
BEYOND: Final = 1.05  # times what the workers and the GIL allow, beyond which a factor is a fault of the measurement

ALLOCATOR, ONE_WORKER, WORKERS, ALLOCATOR_AGAIN = "allocator", "one worker", "workers", "allocator, workers"
STEPS: Final = (ALLOCATOR, ONE_WORKER, WORKERS, ALLOCATOR_AGAIN)


@dataclass(frozen=True)
class Cause:
    """One step of a chain. name: one of STEPS. factor: the speed-up that switching this alone brings; below 1 it costs."""

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


@dataclass(frozen=True)
class Chain:
    """A speed-up taken apart.

    case: all workers, leveled. causes: in the order of STEPS. speedup: sync as it is over all workers as they are. limit: the
    most that the workers can bring: their number, or 1 over the fraction of the time that the GIL is held.
    """

    case: Case
    causes: tuple[Cause, ...]
    speedup: Estimate
    limit: float

    def cause(self, name: str) -> Cause:
        """Return the step of that name."""
        return next(cause for cause in self.causes if cause.name == name)

    @property
    def unexplained(self) -> float:
        """The speed-up over the product of its factors: 1 where they explain all of it.

        Each figure is a median over rounds, and medians do not multiply exactly.
        """
        return self.speedup.value / math.prod(cause.factor.value for cause in self.causes)

    @property
    def allocator(self) -> Estimate:
        """What the allocator alone contributes to the speed-up that users get: its two steps together."""
        before, after = self.cause(ALLOCATOR).factor, self.cause(ALLOCATOR_AGAIN).factor
        down = math.hypot(_log(before.value, before.low), _log(after.value, after.low))
        up = math.hypot(_log(before.high, before.value), _log(after.high, after.value))
        value = before.value * after.value
        return Estimate(value, value * math.exp(-down), value * math.exp(min(up, 700.0)), min(before.n, after.n))

    @property
    def impossible(self) -> bool:
        """Whether the workers seem to bring more than they can: then the measurement is at fault, and nothing wins by it."""
        return self.cause(WORKERS).factor.low > BEYOND * self.limit


def surely(factor: Estimate, side: int) -> bool:
    """Return whether a factor is a gain (side 1) or a loss (side -1) beyond NAMED, for certain."""
    value, end = math.log(factor.value), factor.low if side > 0 else factor.high
    if end <= 0 or math.isinf(end):
        return False
    reach = (SURE if factor.n >= FEW else SURE_OF_FEW) * abs(value - math.log(end))
    return side * value - reach > math.log(NAMED)


def chains(summary: Summary) -> list[Chain]:
    """Return a chain for each workload, size and scheduler of which every step was measured, in the order of the cases."""
    known = {case.case: case for case in summary.cases if case.case.measure == "time"}
    return [chain for case in known if (chain := _chain(summary, known, case)) is not None]


def _chain(summary: Summary, known: dict[Case, CaseSummary], case: Case) -> Chain | None:
    if case.scheduler == "sync" or case.level != LEVELED or case.parallelism == 1:
        return None
    arms = arms_of(case)
    if any(arm not in known for arm in arms):
        return None
    measured = [known[arm] for arm in arms]
    factors = [summary.ratio(before, after) for before, after in pairwise(measured)]
    causes = tuple(Cause(name, factor) for name, factor in zip(STEPS, factors, strict=True))
    return Chain(case, causes, summary.ratio(measured[0], measured[-1]), _limit(summary, case))


def _limit(summary: Summary, case: Case) -> float:
    """Return the most that the workers of a case can bring."""
    limit = float(case.parallelism)
    for probing in summary.probes:
        _, low, _ = selected.gil_held(probing) or (0.0, 0.0, 0.0)
        if probing.workload == case.workload and case.threads > 1 and low > 0:
            limit = min(limit, case.workers * max(1.0, 1 / low))
    return limit


def sentence(chain: Chain) -> str:
    """Return what a person should know of a speed-up: how large, what it comes from, and what is lost."""
    who = f"{chain.case.scheduler} {chain.case.shape}"
    if chain.impossible:
        workers = chain.cause(WORKERS).factor
        return (
            f"{who}: the workers seem to bring {units.estimate(workers, 'ratio')}, and cannot bring more than "
            f"{units.times(chain.limit)}: the measurement is at fault"
        )
    parts = list(_parts(chain))
    if abs(math.log(chain.unexplained)) > math.log(NAMED):
        parts.append(f"{units.times(chain.unexplained)} is not explained")
    why = "; ".join(parts) if parts else "no single cause stands out from the noise"
    return f"{who}: {pace(chain.speedup.value)} as sync, as users get them: {why}"


def pace(ratio: float) -> str:
    """Return a speed-up in words: `2.0x as fast`, or `3.0x as slow`."""
    return f"{units.times(ratio)} as fast" if ratio >= 1 else f"{units.times(1 / ratio)} as slow"


def _parts(chain: Chain) -> Iterator[str]:
    """Yield the causes that stand out, the largest gain first, then what is lost."""
    allocator = chain.allocator
    found: list[tuple[float, str]] = []
    if surely(allocator, 1):
        text = "because freed memory is kept (MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ do that for sync too)"
        found.append((allocator.value, f"{units.times(allocator.value)} {text}"))
    elif surely(allocator, -1):
        text = "is lost because freed memory is given back to the system (MALLOC_TRIM_THRESHOLD_ avoids that)"
        found.append((allocator.value, f"{units.times(1 / allocator.value)} {text}"))
    one, workers = chain.cause(ONE_WORKER), chain.cause(WORKERS)
    if one.gains:
        found.append((one.factor.value, f"{units.times(one.factor.value)} from leaving the main thread"))
    elif one.costs:
        lost = "the pool" if chain.case.workers == 1 else "copying and the pool"
        found.append((one.factor.value, f"{units.times(1 / one.factor.value)} is lost to {lost}"))
    if workers.gains:
        found.append((workers.factor.value, f"{units.times(workers.factor.value)} from {_several(chain.case)}"))
    elif workers.costs:
        found.append(
            (workers.factor.value, f"{units.times(1 / workers.factor.value)} is lost with {_several(chain.case)}")
        )
    yield from (text for _, text in sorted(found, reverse=True))


def _several(case: Case) -> str:
    if case.workers == 1:
        return f"{case.threads} threads"
    return f"{case.workers} processes" if case.threads == 1 else f"{case.workers} processes of {case.threads} threads"


def headline(found: Sequence[Chain]) -> str:
    """Return the message of all chains: how many speed-ups owe more to the allocator than to the workers."""
    more = [
        chain
        for chain in found
        if surely(chain.allocator, 1) and chain.allocator.low > chain.cause(WORKERS).factor.high
    ]
    if more:
        return f"{len(more)} of {len(found)} speed-ups owe more to the allocator than to the workers"
    gains = [chain for chain in found if chain.cause(WORKERS).gains]
    return f"Workers themselves bring a gain in {len(gains)} of {len(found)} cases"


def _log(above: float, below: float) -> float:
    return math.inf if below <= 0 or math.isinf(above) else math.log(above / below)
