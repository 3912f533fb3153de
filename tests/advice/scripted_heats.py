"""Contenders, facts and heats from a script: no clock, no process."""

from __future__ import annotations

import itertools
from dataclasses import replace

from gilbench.advice.choice import Advice, advised
from gilbench.advice.racing import Contender, Heat
from gilbench.advice.target_facts import Facts
from gilbench.stats import Estimate

SYNC, THREADS, PROCESSES = Contender("sync"), Contender("threads", 1, 4), Contender("processes", 4)
LOKY, CLUSTER = Contender("loky", 4), Contender("distributed", 4)
FACTS = Facts(
    tasks=40,
    task_seconds=0.01,
    longest_seconds=0.011,
    seconds=0.4,
    compute_seconds=0.41,
    cpu_over_wall=1.0,
    result_bytes=100.0,
    held=Estimate(0.5, 0.48, 0.52, 1000),
)
WAITING = replace(FACTS, cpu_over_wall=0.2)


def heats(times: dict[Contender, float], count: int = 2, noise: float = 0.01) -> list[Heat]:
    """Heats whose rounds differ by the noise: up for one contender where it is down for the next."""
    return [
        Heat(
            {
                contender: [value * (1 + sign), value, value * (1 - sign), value]
                for (contender, value), sign in zip(times.items(), itertools.cycle((noise, -noise)), strict=False)
            }
        )
        for _ in range(count)
    ]


def given(
    times: dict[Contender, float], facts: Facts = FACTS, count: int = 2, noise: float = 0.01, once: bool = False
) -> Advice:
    """The advice on such heats, with four CPUs."""
    return advised("mine.py:f", facts, heats(times, count, noise), {}, once, cpus=4)


def held(value: float) -> Facts:
    """Facts with a GIL that is held for this fraction of the time."""
    return replace(FACTS, held=Estimate(value, value - 0.01, value + 0.01, 1000))
