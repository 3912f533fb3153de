"""What a run measured and found, as data: observations, probings, and the result that holds them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gilbench.cases.case import Case
from gilbench.cases.plan import Plan
from gilbench.errors import Failure
from gilbench.machine import Value


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
