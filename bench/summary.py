"""Observations -> estimates with intervals and speed-ups: what tables, charts and claims are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.plan import Case


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval. n: independent processes behind it. low and high are infinite or 0 for n < 2."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class CaseSummary:
    """What is known of one case.

    family: the workload's family.
    estimate: seconds per compute, or peak bytes beyond the idle scheduler for a memory case.
    speedup: sync time over this time; None without a sync case, and for memory cases.
    observations: one median value per process, in the order measured (s, or bytes).
    opening: seconds to open and warm the scheduler. first: seconds of the first compute after that.
    tasks: tasks executed in one compute. workers_used: distinct threads or processes that ran them.
    moved_bytes: data that had to reach or leave tasks in one compute; 0 where that is not the point.
    flags: what to know before trusting it, in a few words each.
    stop: why measuring stopped: "precision", "max observations", "max time", ...
    """

    case: Case
    family: str
    estimate: Estimate
    speedup: Estimate | None
    observations: tuple[float, ...]
    opening: Estimate | None
    first: Estimate | None
    tasks: int
    workers_used: int
    moved_bytes: int
    flags: tuple[str, ...]
    stop: str


@dataclass(frozen=True)
class Failure:
    """A case that gave no usable timing. kind: raised, timeout, killed, wrong answer or unavailable."""

    case: Case
    kind: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """One result file, digested.

    name: the result's name. machine: fingerprint of machine and software (see bench/machine.py), as in the file's metadata.
    """

    name: str
    machine: Mapping[str, str | int | float]
    cases: tuple[CaseSummary, ...]
    failures: tuple[Failure, ...]

    @property
    def timed(self) -> tuple[CaseSummary, ...]:
        """The cases whose estimate is in seconds."""
        return tuple(case for case in self.cases if case.case.measure == "time")

    @property
    def memory(self) -> tuple[CaseSummary, ...]:
        """The cases whose estimate is in bytes."""
        return tuple(case for case in self.cases if case.case.measure == "memory")
