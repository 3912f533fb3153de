"""The series that a case belongs to in tables and charts, and the kind of parallelism behind it."""

from __future__ import annotations

from typing import Final

from gilbench.cases.case import Case
from gilbench.schedulers import MIX, PROCESSES, SERIAL, THREADS, Shape, all_schedulers

SINGLE: Final = "distributed 1x1"


def name_of(case: Case) -> str:
    """Return the name of a case's series: its scheduler, and for some schedulers also the shape.

    A cluster of one process with many threads behaves differently from one of many processes, so each has its own series.
    """
    scheduler = all_schedulers().get(case.scheduler)
    return scheduler.series(Shape(case.workers, case.threads)) if scheduler else case.scheduler


def kind_of(case: Case) -> str:
    """Return what runs the tasks in parallel: "serial", "threads", "processes" or "mix" (processes with several threads)."""
    scheduler = all_schedulers().get(case.scheduler)
    if scheduler and scheduler.kind == SERIAL:
        return SERIAL
    if case.workers > 1 and case.threads > 1:
        return MIX
    return THREADS if case.threads > 1 or (scheduler and scheduler.kind == THREADS) else PROCESSES
