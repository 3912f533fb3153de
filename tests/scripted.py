"""Fakes for tests: workloads and timings from a script, so that no test depends on a clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.cases.plan import PROFILES, Plan, Profile
from gilbench.errors import Failure
from gilbench.results.records import Observation
from gilbench.results.verdicts import Line, Verdicts

MACHINE: Mapping[str, str | int | float] = {
    "cpu_model_name": "Test CPU",
    "usable_cpus": 2,
    "python_version": "3.11.7",
    "python_build": "gil",
    "gil": "enabled",
    "dask_version": "2026.8.0",
    "pandas_version": "3.1.1",
    "numpy_version": "2.4.6",
    "graph_drawing": "nothing: neither graphviz nor ipycytoscape is installed",
}


def profile(**changes: object) -> Profile:
    """The default profile with changes, and at least three observations."""
    return replace(PROFILES["default"], **{"min_observations": 3, **changes})  # type: ignore[arg-type]


def plan(cases: int | list[Case] = 3, *, seed: int = 1, **changes: object) -> Plan:
    """A plan of the cases given, or of that many sync cases of workloads w0, w1, ..."""
    chosen = [Case(f"w{i}", "default", "sync") for i in range(cases)] if isinstance(cases, int) else cases
    return Plan(profile(**changes), tuple(chosen), seed, timeout=10.0)


def observation(order: Order, value: float, seconds: float = 1.0, **metadata: object) -> Observation:
    """What a worker that took `value` seconds per compute would have written."""
    facts = {"loops": 1, "family": "scripted", "tasks": 8, "busy_seconds": 0.6, "unit": "second", **metadata}
    return Observation(order.case, order.round, order.seed, order.call, seconds, (value,) * 3, ((1, value),), facts)  # type: ignore[arg-type]


@dataclass
class Script:
    """A `start` for measure.rounds, which keeps its orders. value: (case, round) -> seconds. failures: case name -> failure."""

    value: Callable[[Case, int], float] = lambda case, round_: 0.1
    failures: Mapping[str, Failure] = field(default_factory=dict)
    seconds: float = 1.0
    orders: list[Order] = field(default_factory=list)

    def __call__(self, order: Order) -> Observation:
        self.orders.append(order)
        if order.case.name in self.failures:
            return Observation(
                order.case, order.round, order.seed, order.call, self.seconds, failure=self.failures[order.case.name]
            )
        return observation(order, self.value(order.case, order.round), self.seconds)

    @property
    def sequence(self) -> list[tuple[int, str]]:
        """(round, case name) in the order started."""
        return [(order.round, order.case.name) for order in self.orders]


def noisy(sd: float) -> Callable[[Case, int], float]:
    """Log-normal timings around 0.1 s that depend only on case and round."""
    return lambda case, round_: 0.1 * random.Random(f"{case.name}/{round_}").lognormvariate(0.0, sd)


HOSTILE = '<script>alert("x\'y")</script>|`*_[a](b)$x^{ & \\ \x00\x07\x1b[31m\r\n\t\u202e\ud800]]>'


def verdicts(text: str = "w", of: str = "time") -> Verdicts:
    """Two cases of each kind but `same`, in no order; `text` is in every place that can hold text."""
    lines = (
        Line(f"{text}-same", "same", 1.001, 0.99, 1.012, 0.05, 0.03, 0.004, 0.004004, 12, 33.0),
        Line(f"{text}-slower", "regression", 1.204, 1.153, 1.257, 0.05, 0.03, 0.004, 0.004816, 9, 30.5),
        Line(f"{text}-slowest", "regression", 2.5, 2.25, 2.75, 0.05, 0.02, 0.004, 0.01, 10, 31.0),
        Line(f"{text}-faster", "improvement", 0.8, 0.79, 0.81, 0.05, 0.03, 0.004, 0.0032, 11, 32.0),
        Line(f"{text}-fastest", "improvement", 0.5, 0.49, 0.51, 0.05, 0.03, 0.004, 0.002, 11, 32.0),
        Line(f"{text}-noisy", "inconclusive", 1.01, 0.7, 1.46, 0.9, 0.03, 0.004, 0.00404, 30, 60.0),
        Line(f"{text}-once", "inconclusive", 1.3, base=0.004, head=0.0052, n=1, seconds=2.0),
        Line(f"{text}-broken", "failed", reason=f"base: raised: ValueError: {text}", seconds=3.0),
        Line(f"{text}-killed", "failed", reason=f"base: killed: {text}", seconds=3.0),
    )
    return Verdicts(text, f"{text} too", lines, (f"base: {text}", "software: the same"), (f"note: {text}",), of)
