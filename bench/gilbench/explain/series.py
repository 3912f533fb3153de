"""The series that a case belongs to in tables and charts, and the kind of parallelism behind it."""

from __future__ import annotations

from typing import Final

from gilbench.cases.case import Case

SINGLE: Final = "distributed 1x1"


def name_of(case: Case) -> str:
    """Return the name of a case's series: its scheduler, and for distributed also the shape of its cluster.

    A cluster of one process with many threads behaves differently from one of many processes, so each has its own series.
    """
    if case.scheduler != "distributed":
        return case.scheduler
    if case.workers > 1 and case.threads > 1:
        return "distributed mix"
    return "distributed 1xN" if case.threads > 1 else "distributed Nx1" if case.workers > 1 else SINGLE


def kind_of(case: Case) -> str:
    """Return what runs the tasks in parallel: "serial", "threads", "processes" or "mix" (processes with several threads)."""
    if case.scheduler == "sync":
        return "serial"
    if case.workers > 1 and case.threads > 1:
        return "mix"
    return "threads" if case.threads > 1 or case.scheduler == "threads" else "processes"
