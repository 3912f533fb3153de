"""What a run measured and found, as data: observations, probings, and the result that holds them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from gilbench.cases import watching
from gilbench.cases.case import Case
from gilbench.cases.plan import Plan
from gilbench.errors import Failure
from gilbench.machine import Value

# What reading a file that gilbench did not write raises.
MALFORMED: Final = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)
# What reading a malformed finding raises: a figure is missing; it is of another type (also where a mapping is expected);
# it is text, or not a number, where a number is formatted; it is zero where it divides; it is infinite.
MALFORMED_FINDING: Final = (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError, OverflowError)
# Seconds or bytes. Nothing measured lies beyond, and the logs of what lies far beyond are too much for the statistics.
LEAST, MOST = 1e-12, 1e18
# Metadata that is calculated with.
FIGURES: Final = (
    *("open_seconds", "first_seconds", "build_seconds", "busy_seconds", "others_cpus", "stolen_cpus", "cpu_over_wall"),
    *("tasks", "build_tasks", "workers_used", "moved_bytes", "loops"),
    *watching.FIGURES,
)


@dataclass(frozen=True)
class Probing:
    """What the probes found about one workload or, if the workload is "", about the schedulers themselves.

    found: probe -> scheduler -> what was found, as plain data. reasons: probe -> scheduler -> why there is no finding.
    """

    workload: str
    size: str
    found: Mapping[str, Mapping[str, Mapping[str, Any]]]
    reasons: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Observation:
    """One fresh process that measured one case: a run of several values, or a failure.

    values: seconds per compute (bytes for a memory case). warmups: (loops, value). metadata: pyperf's and gilbench's.
    failure: None where there are values. seconds: wall time from the start of the process to its end.
    """

    case: Case
    round: int
    seed: int
    call: str
    seconds: float
    values: tuple[float, ...] = ()
    warmups: tuple[tuple[int, float], ...] = ()
    metadata: Mapping[str, Value] = field(default_factory=dict)
    failure: Failure | None = None

    @property
    def value(self) -> float:
        """The median of the values of this process, which is the only number that statistics use."""
        return statistics.median(self.values)

    def as_json(self) -> dict[str, Any]:
        """Return plain data for a line of the journal."""
        return {**asdict(self), "failure": self.failure.as_json() if self.failure else None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Observation:
        """Read `as_json` back. Raises KeyError, TypeError or ValueError on anything else."""
        return cls(
            case=Case(**data["case"]),
            round=data["round"],
            seed=data["seed"],
            call=data["call"],
            seconds=data["seconds"],
            values=tuple(data["values"]),
            warmups=tuple((loops, value) for loops, value in data["warmups"]),
            metadata=data["metadata"],
            failure=Failure.from_json(data["failure"]) if data["failure"] else None,
        )


@dataclass(frozen=True)
class Result:
    """Everything that one run measured.

    stops: case name -> why measuring it stopped; empty while the run is going on.
    probes: what the probes found, one item for each workload and size that was probed.
    """

    name: str
    plan: Plan
    machine: Mapping[str, Value]
    observations: tuple[Observation, ...] = ()
    stops: Mapping[str, str] = field(default_factory=dict)
    probes: tuple[Probing, ...] = ()


def checked(result: Result) -> Result:
    """Return a result that was read from a file, as it is.

    Raises one of MALFORMED if gilbench cannot have written it: a wrong type, a value that is 0 or negative, and so on.
    What is inside a finding is left to those who read it, because only its probe knows what it looks like.
    """
    _check_plan(result.plan)
    _check_facts(result.machine)
    _check(str, *result.stops.keys(), *result.stops.values())
    for observation in result.observations:
        _check_observation(observation)
    for probing in result.probes:
        _check_probing(probing)
    return result


def _check_plan(plan: Plan) -> None:
    profile = plan.profile
    _check(str, profile.name, *profile.sizes, *profile.sweep_sizes, profile.breadth)
    _check(int, plan.seed, profile.min_observations, profile.max_observations)
    for figure in (profile.precision, profile.budget, profile.max_time, plan.timeout):
        _check_number(figure)
        if figure < 0:  # 0 means that nothing stops early, as in the results of a check
            raise ValueError(figure)
    _check(str, *plan.collections, *plan.left_out, *plan.environment.keys(), *plan.environment.values())
    for case in plan.cases:
        _check_case(case)


def _check_case(case: Case) -> None:
    _check(str, case.workload, case.size, case.scheduler, case.level)
    _check(int, case.workers, case.threads, case.pinned)
    if case.measure not in ("time", "memory") or min(case.workers, case.threads) < 1:
        raise ValueError(case)


def _check_observation(observation: Observation) -> None:
    _check_case(observation.case)
    _check(int, observation.round, observation.seed)
    _check(str, observation.call)
    _check_number(observation.seconds)
    for value in observation.values:
        _check_number(value, positive=True)
    for loops, value in observation.warmups:
        _check(int, loops)
        _check_number(value)
    _check_facts(observation.metadata)
    for name in FIGURES:
        _check_number(observation.metadata.get(name, 0))
    if observation.failure:
        _check(str, observation.failure.kind, observation.failure.reason)
    elif not observation.values:
        raise ValueError(observation)


def _check_probing(probing: Probing) -> None:
    _check(str, probing.workload, probing.size)
    _check(Mapping, probing.found, probing.reasons, *probing.found.values(), *probing.reasons.values())
    for found in probing.found.values():
        _check(Mapping, *found.values())
    for reasons in probing.reasons.values():
        _check(str, *reasons.values())


def _check_facts(facts: Mapping[str, Value]) -> None:
    _check(Mapping, facts)
    for fact in facts.values():
        _check(str | int | float, fact)
        if isinstance(fact, int):
            float(fact)  # raises OverflowError if it is too large to be calculated with


def _check(kind: Any, *values: object) -> None:
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(value)


def _check_number(value: object, *, positive: bool = False) -> None:
    if not isinstance(value, int | float):
        raise TypeError(value)
    if not abs(value) <= MOST or (positive and value < LEAST):
        raise ValueError(value)
