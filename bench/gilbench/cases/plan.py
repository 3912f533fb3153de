"""Workloads x schedulers -> cases; profiles, filters and random rounds. Pure: no clock, no process."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gilbench.cases.case import Case
from gilbench.process.levels import AS_IS, LEVELED
from gilbench.targets.workload import Workload

if TYPE_CHECKING:
    from gilbench.schedulers import Scheduler, Shape


TIMEOUT = 120.0  # seconds that one observation may take, by default
FOR_PROBES = 1 / 3  # share of a run's --max-time that is kept for the probes
THRESHOLD = 0.03  # a change of time that matters, as a fraction, by default


@dataclass(frozen=True)
class Profile:
    """How much to measure, and how well.

    sizes: sizes of every workload; those whose point is size (`sweep`) get `sweep_sizes`.
    breadth: "representative" (one workload a family under the core schedulers), "core" (all workloads under these, the
        representatives under every scheduler), "all" (everything). Workloads for scaling get more: see `_shapes`.
    precision: a case is done when its 95 % interval reaches at most this far to either side, as a fraction of the estimate.
    min_observations, max_observations: processes per case.
    budget: seconds that one process should spend on computing its case, over all its computes.
    max_time: seconds for the whole run, including making data and starting processes.
    """

    name: str
    sizes: tuple[str, ...]
    sweep_sizes: tuple[str, ...]
    breadth: str
    precision: float
    min_observations: int
    max_observations: int
    budget: float
    max_time: float


SWEEP = ("tiny", "small", "default", "large")  # four sizes: a fixed cost and a rate can be told apart

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("quick", ("small",), ("small",), "representative", 0.15, 2, 5, 0.4, 105.0),
        Profile("default", ("default",), SWEEP, "core", 0.10, 2, 8, 0.8, 555.0),
        Profile("thorough", ("default",), SWEEP, "all", 0.03, 6, 30, 1.0, 2 * 3600.0),
    )
}


@dataclass(frozen=True)
class Plan:
    """Everything that decides what a run does, so that an interrupted run can be continued.

    collections: workloads that are called as `dask.compute` in one round and as `.compute()` in the next.
    timeout: seconds that one observation may take. left_out: what cannot be measured here, and why.
    environment: variables that the workers get on top of the user's own.
    """

    profile: Profile
    cases: tuple[Case, ...]
    seed: int
    timeout: float
    collections: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain data for the result file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Read `as_json` back. Raises KeyError or TypeError on anything else."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data["profile"].items()}
        profile = Profile(**values)
        cases = tuple(Case(**case) for case in data["cases"])
        return cls(
            profile=profile,
            cases=cases,
            seed=data["seed"],
            timeout=data["timeout"],
            collections=tuple(data["collections"]),
            left_out=tuple(data["left_out"]),
            environment=dict(data["environment"]),
        )


@dataclass(frozen=True)
class Selection:
    """What the user asked for; empty means all. `workloads` are names, families or glob patterns."""

    workloads: tuple[str, ...] = ()
    schedulers: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    workers: tuple[int, ...] = ()

    @property
    def narrows(self) -> bool:
        """Whether the user named workloads or schedulers: these are then measured in full."""
        return bool(self.workloads or self.schedulers)


def cases_of(
    workloads: Iterable[Workload],
    schedulers: Mapping[str, Scheduler],
    profile: Profile,
    selection: Selection,
    cpus: int,
    *,
    leveled: bool = True,
) -> tuple[Case, ...]:
    """Return the cases that the profile and the selection ask for, each once.

    The sync baseline of every case whose time is measured is always among them. leveled: whether times are measured with the
    allocator leveled, with the arms that take speed-ups apart beside them; otherwise everything is measured as it is.
    """
    breadth = "all" if selection.narrows else profile.breadth
    found: dict[Case, None] = {}
    for workload in workloads:
        if breadth == "representative" and not workload.representative:
            continue
        for size in selection.sizes or (profile.sweep_sizes if workload.sweep else profile.sizes):
            for scheduler in schedulers.values():
                if selection.schedulers and scheduler.name not in selection.schedulers:
                    continue
                for shape in _shapes(workload, scheduler, breadth, cpus):
                    if selection.workers and shape.workers * shape.threads not in selection.workers:
                        continue
                    for measure in workload.measures if scheduler.core or breadth == "all" else ("time",):
                        level = LEVELED if leveled and measure == "time" else AS_IS
                        case = Case(
                            workload.name,
                            size,
                            scheduler.name,
                            shape.workers,
                            shape.threads,
                            workload.pinned,
                            measure,
                            level,
                        )
                        if measure == "time":
                            found[case.baseline] = None
                        found[case] = None
                        if (
                            level == LEVELED
                            and case.parallelism == cpus > 1
                            and _explained(workload, scheduler, breadth)
                        ):
                            found |= dict.fromkeys(arms_of(case))
    return tuple(found)


def arms_of(case: Case) -> tuple[Case, ...]:
    """Return the cases whose times take a case's speed-up apart, each one step from the one before it.

    sync as it is, sync leveled, one worker, all workers, and all workers as they are: see gilbench.explain.chains.
    """
    return (
        replace(case.baseline, level=AS_IS),
        case.baseline,
        replace(case, workers=1, threads=1),
        case,
        replace(case, level=AS_IS),
    )


def watched_cases(cases: Iterable[Case]) -> frozenset[Case]:
    """Return the cases whose tasks are timed one by one: of each speed-up that is taken apart, one worker and all, leveled.

    cases: of a plan. A speed-up is taken apart where all of its arms are among them.
    """
    planned = frozenset(cases)
    found: set[Case] = set()
    for case in planned:
        if case.scheduler != "sync" and case.measure == "time" and case.level == LEVELED and case.parallelism > 1:
            arms = arms_of(case)
            if planned.issuperset(arms):
                found.update(arms[2:4])
    return frozenset(found)


def _explained(workload: Workload, scheduler: Scheduler, breadth: str) -> bool:
    """Return whether the speed-up of this workload under this scheduler is taken apart in a run of this breadth."""
    if not workload.pinned or scheduler.name == "sync" or scheduler.collections_only or not scheduler.advisable:
        return False
    if breadth == "all":
        return True
    return scheduler.core and workload.representative and (workload.scaling or breadth == "core")


def _shapes(workload: Workload, scheduler: Scheduler, breadth: str, cpus: int) -> Sequence[Shape]:
    """Return the shapes in which this workload runs under this scheduler."""
    shapes = scheduler.shapes(cpus)
    if scheduler.collections_only:
        return shapes if workload.collection else ()
    if breadth == "all":
        return shapes
    star = workload.representative and workload.scaling
    if breadth == "representative":
        return shapes[:1] if scheduler.core or star else ()
    if star or (workload.scaling and scheduler.core):
        return shapes
    return shapes[:1] if scheduler.core or workload.representative else ()


def shuffled(cases: Iterable[Case], seed: int, round_: int) -> list[Case]:
    """Return the cases of a round in random order, which depends on nothing but seed, round and cases.

    Workloads come in random order, and so do the cases within a workload, one right after the other. This way, cases that are
    compared with each other meet the same state of the machine, which changes by the minute.
    """
    draw = random.Random(f"{seed}/{round_}")
    blocks: dict[tuple[str, str], list[Case]] = {}
    for case in sorted(cases):
        blocks.setdefault((case.workload, case.size), []).append(case)
    keys = draw.sample(list(blocks), len(blocks))
    return [case for key in keys for case in draw.sample(blocks[key], len(blocks[key]))]


def drawn_seed() -> int:
    """Return a random seed (32 bits), for when the user gives none."""
    return random.SystemRandom().randrange(2**32)


def observation_seed(seed: int, case: Case, round_: int) -> int:
    """Return the seed (32 bits) of one observation's memory layout."""
    return _hashed(f"{seed}/{case.name}/{round_}")


def round_seed(seed: int, round_: int) -> int:
    """Return the seed (32 bits) of the memory layout that the observations of a round share."""
    return _hashed(f"{seed}/{round_}")


def _hashed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
