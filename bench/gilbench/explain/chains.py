"""Why a speed-up is what it is: taken apart by intervention. Each step of a chain switches one thing and is measured in the
same rounds as the others, so that the factors multiply to the speed-up that users get.

    sync as it is  ->  allocator leveled  ->  one worker  ->  all workers  ->  allocator as it is again

The names follow the literature: a chain is a speedup stack (Eyerman, Du Bois, and Eeckhout, ISPASS 2012) whose factors multiply,
as the efficiencies of the POP project do. A cause is what changes when it alone is switched; nothing here is inferred from
a correlation. What all workers bring is taken apart once more, from what each task saw: see gilbench.explain.efficiencies.
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
from gilbench.explain import efficiencies, selected
from gilbench.explain.efficiencies import Efficiencies, Held
from gilbench.explain.factors import NAMED, Cause, surely
from gilbench.process.levels import LEVELED
from gilbench.results.summary import INNER_THREADS, CaseSummary, Summary
from gilbench.schedulers import all_schedulers
from gilbench.stats import Estimate, quotient, scaled, spatial_median, total

AND: Final = "and to "  # begins the text of what else the ideal is lost to
NOTICED: Final = 1.2  # times as long, from which a first compute is mentioned
BEYOND: Final = 1.05  # times what the workers and the GIL allow, beyond which a factor is a fault of the measurement

ALLOCATOR, ONE_WORKER, WORKERS, ALLOCATOR_AGAIN = "allocator", "one worker", "workers", "allocator, workers"
STEPS: Final = (ALLOCATOR, ONE_WORKER, WORKERS, ALLOCATOR_AGAIN)


@dataclass(frozen=True)
class Chain:
    """A speed-up taken apart.

    case: all workers, leveled. causes: in the order of STEPS. speedup: sync as it is over all workers as they are. limit: the
    most that the workers can bring: their number, or 1 over the fraction of the time that the GIL is held. workers: what the
    step of all workers consists of; None where its tasks were not timed one by one, and `unwatched` then says why. moved_bytes:
    to and from tasks in one compute, where the workload is about that. starting: how many times as long the first compute takes,
    with starting the workers; None where nothing has to start.
    """

    case: Case
    causes: tuple[Cause, ...]
    speedup: Estimate
    limit: float
    workers: Efficiencies | None = None
    unwatched: str = ""
    moved_bytes: int = 0
    starting: Estimate | None = None

    def cause(self, name: str) -> Cause:
        """Return the step of that name."""
        return next(cause for cause in self.causes if cause.name == name)

    @property
    def unexplained(self) -> float:
        """The speed-up over the product of its factors: 1 where they explain all of it.

        The factors multiply in every round. The speed-up is that of the table, a median over rounds of its own.
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


@dataclass(frozen=True)
class Named:
    """A cause that is certain. name: a step, or what the ideal is lost to. text: how it is said."""

    name: str
    factor: Estimate
    text: str


def chains(summary: Summary) -> list[Chain]:
    """Return a chain for each workload, size and scheduler of which every step was measured, in the order of the cases."""
    known = {case.case: case for case in summary.cases if case.case.measure == "time"}
    measured = [arms for case in known if (arms := _arms(known, case)) is not None]
    pairs = [(one, many, _nested(sync), _held(summary, many.case)) for _, sync, one, many, _ in measured]
    apart = efficiencies.efficiencies(pairs)
    return [_chain(summary, arms, workers) for arms, workers in zip(measured, apart, strict=True)]


def _arms(known: dict[Case, CaseSummary], case: Case) -> list[CaseSummary] | None:
    """Return the arms of a chain, if the case is what a chain is about and all of them were measured."""
    if case.scheduler == "sync" or case.level != LEVELED or case.parallelism == 1:
        return None
    arms = arms_of(case)
    return [known[arm] for arm in arms] if all(arm in known for arm in arms) else None


def _chain(summary: Summary, measured: Sequence[CaseSummary], workers: Efficiencies | None) -> Chain:
    factors = _factors(summary, measured)
    causes = tuple(Cause(name, factor) for name, factor in zip(STEPS, factors, strict=True))
    _, _, one, many, as_users = measured
    return Chain(
        many.case,
        causes,
        summary.ratio(measured[0], as_users),
        _limit(summary, many.case),
        workers,
        one.unwatched or many.unwatched,
        many.moved_bytes,
        _starting(many),
    )


def _factors(summary: Summary, measured: Sequence[CaseSummary]) -> list[Estimate]:
    """Return the factor of each step: from the rounds that all arms share, as one center, so that they multiply.

    In every round the factors multiply exactly. Their medians, each taken by itself, do not.
    """
    factors = [summary.ratio(before, after) for before, after in pairwise(measured)]
    times = [dict(zip(arm.rounds, arm.observations, strict=False)) for arm in measured]
    shared = [round_ for round_ in times[0] if all(round_ in known for known in times)]
    if not shared:
        return factors
    steps = [[math.log(before[at] / after[at]) for before, after in pairwise(times)] for at in shared]
    centers = map(math.exp, spatial_median(steps))
    return [scaled(factor, center / factor.value) for factor, center in zip(factors, centers, strict=True)]


def _starting(many: CaseSummary) -> Estimate | None:
    """Return how many times as long as a later compute the first one takes, with starting the workers for it."""
    scheduler = all_schedulers().get(many.case.scheduler)
    if scheduler is None or not scheduler.crosses or many.opening is None:
        return None
    first = total(many.opening, many.first) if many.first else many.opening
    return quotient(first, many.estimate)


def _nested(sync: CaseSummary) -> bool:
    """Return whether tasks have inner threads, as their CPU time under sync says."""
    return any(flag.startswith(INNER_THREADS) for flag in sync.flags)


def _held(summary: Summary, case: Case) -> Held | None:
    for probing in summary.probes:
        if probing.workload == case.workload and (held := selected.gil_held(probing)):
            return Held(*held)
    return None


def _limit(summary: Summary, case: Case) -> float:
    """Return the most that the workers of a case can bring."""
    held = _held(summary, case)
    if held is None or case.threads == 1 or held.low <= 0:
        return float(case.parallelism)
    return min(float(case.parallelism), case.workers * max(1.0, 1 / held.low))


def sentence(chain: Chain) -> str:
    """Return what a person should know of a speed-up: how large, what it comes from, and what is lost."""
    who = f"{chain.case.scheduler} {chain.case.shape}"
    if chain.impossible:
        workers = chain.cause(WORKERS).factor
        return (
            f"{who}: the workers seem to bring {units.estimate(workers, 'ratio')}, and cannot bring more than "
            f"{units.times(chain.limit)}: the measurement is at fault"
        )
    parts: list[str] = []
    for cause in named(chain):
        if cause.text.startswith(AND) and parts:
            parts[-1] += f" {cause.text}"
        else:
            parts.append(cause.text)
    if abs(math.log(chain.unexplained)) > math.log(NAMED):
        parts.append(f"{units.times(chain.unexplained)} is not explained")
    parts = parts or ["no single cause stands out from the noise"]
    if chain.starting and starts_slowly(chain):
        parts.append(f"a first compute that has to start the workers takes {units.times(chain.starting.value)} as long")
    unseen = f" (what the workers lose is not told apart: {chain.unwatched})" if chain.unwatched else ""
    return f"{who}: {pace(chain.speedup.value)} as sync, as users get them: {'; '.join(parts)}{unseen}"


def pace(ratio: float) -> str:
    """Return a speed-up in words: `2.0x as fast`, or `3.0x as slow`."""
    return f"{units.times(ratio)} as fast" if ratio >= 1 else f"{units.times(1 / ratio)} as slow"


def named(chain: Chain) -> list[Named]:
    """Return what is certain: the steps, the largest gain first, with what the ideal is lost to behind the workers."""
    steps = sorted(_steps(chain), key=lambda cause: -cause.factor.value)
    losses = _losses(chain)
    at = next((at + 1 for at, cause in enumerate(steps) if cause.name == WORKERS), len(steps))
    return [*steps[:at], *losses, *steps[at:]]


def first_named(chain: Chain) -> Named | None:
    """Return the certain cause with the largest effect, apart from the workers themselves; None where there is none."""
    found = [cause for cause in named(chain) if cause.name != WORKERS]
    return max(found, key=lambda cause: abs(math.log(cause.factor.value)), default=None)


def starts_slowly(chain: Chain) -> bool:
    """Return whether a first compute certainly takes noticeably longer, with starting the workers."""
    return chain.starting is not None and surely(chain.starting, 1) and chain.starting.low > NOTICED


def _steps(chain: Chain) -> Iterator[Named]:
    """Yield the steps that stand out."""
    allocator = chain.allocator
    if surely(allocator, 1):
        text = "because freed memory is kept (MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ do that for sync too)"
        yield Named(ALLOCATOR, allocator, f"{units.times(allocator.value)} {text}")
    elif surely(allocator, -1):
        text = "is lost because freed memory is given back to the system (MALLOC_TRIM_THRESHOLD_ avoids that)"
        yield Named(ALLOCATOR, allocator, f"{units.times(1 / allocator.value)} {text}")
    one, workers = chain.cause(ONE_WORKER), chain.cause(WORKERS)
    if one.gains:
        yield Named(ONE_WORKER, one.factor, f"{units.times(one.factor.value)} from leaving the main thread")
    elif one.costs:
        yield Named(ONE_WORKER, one.factor, f"{units.times(1 / one.factor.value)} is lost to {_pool(chain)}")
    if workers.gains:
        text = f"{units.times(workers.factor.value)} from {_several(chain.case)}"
        yield Named(WORKERS, workers.factor, text)
    elif workers.costs:
        text = f"{units.times(1 / workers.factor.value)} is lost with {_several(chain.case)}"
        yield Named(WORKERS, workers.factor, text)


def _pool(chain: Chain) -> str:
    """Return what one worker of a scheduler costs."""
    scheduler = all_schedulers().get(chain.case.scheduler)
    if scheduler is not None and not scheduler.crosses:
        return "the pool"
    if chain.moved_bytes >= efficiencies.MUCH_DATA:
        return f"copying {units.size(chain.moved_bytes)} to and from tasks, and the pool"
    return "copying and the pool"


def _losses(chain: Chain) -> list[Named]:
    """Return what part of the ideal is certainly lost to, the largest first."""
    if chain.workers is None:
        return []
    lost = chain.workers.lost
    rest = "the second CPU" if chain.workers.ideal == 2 else f"all {chain.workers.ideal} CPUs"
    opening = f"{'the rest of ' if chain.cause(WORKERS).gains else ''}{rest} is lost to "
    return [
        Named(
            loss.name,
            loss.factor,
            f"{opening if at == 0 else AND}{efficiencies.IN_WORDS[loss.name]} ({units.times(1 / loss.factor.value)})",
        )
        for at, loss in enumerate(lost)
    ]


def _several(case: Case) -> str:
    if case.workers == 1:
        return f"{case.threads} threads"
    return f"{case.workers} processes" if case.threads == 1 else f"{case.workers} processes of {case.threads} threads"


def lacking(found: Sequence[Chain]) -> Iterator[str]:
    """Yield a line where a result is from before the tasks of a speed-up were timed one by one."""
    without = [chain for chain in found if chain.workers is None and not chain.unwatched]
    if without:
        yield (
            f"what {len(without)} of {units.count(len(found), 'speed-up')} lose with all workers is not told apart: their tasks "
            "were not timed one by one, as `gilbench run` does today"
        )


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
