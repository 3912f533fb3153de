"""The benchmark: what `gilbench check` times in somebody's project, and what it has in common with a case."""

from __future__ import annotations

from dataclasses import dataclass

from gilbench.cases.case import Case


@dataclass(frozen=True, order=True)
class Benchmark:
    """One benchmark of a project: a test, an asv method, a pyperf function, a call, or a command.

    kind: the module in gilbench.checks.discover that opens it. file: relative to the project, with slashes; empty for a
    command. name: unique in its project, in the form that its kind's own tool prints. function: the name that the file defines
    it by, without parameters; empty where there is none. place: its position in the file, for kinds that keep to this order.
    """

    kind: str
    file: str
    name: str
    function: str = ""
    place: int = 0


Subject = Case | Benchmark
"""What a check compares between two arms. Both kinds are hashable, can be sorted among themselves, and have a unique `name`."""
