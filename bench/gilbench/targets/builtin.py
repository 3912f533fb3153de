"""The workloads that come with gilbench: found in their folder, without a second list to edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from types import ModuleType

from gilbench import workloads
from gilbench.errors import UserError, nearest
from gilbench.plugins import modules_in
from gilbench.targets.workload import Workload


@cache
def all_workloads() -> dict[str, Workload]:
    """Return name -> Workload for every family, in the order in which the files and functions stand."""
    found: dict[str, Workload] = {}
    for module in modules_in(workloads):
        for value in workloads_in(module).values():
            if value.name in found:
                raise UserError(
                    f"two workloads are named {value.name!r}: rename the one in workloads/{value.family}.py"
                )
            found[value.name] = value
    return found


def workloads_in(module: ModuleType) -> dict[str, Workload]:
    """Return name in the module -> Workload, for all that were made there and not imported from elsewhere."""
    family = module.__name__.rpartition(".")[2]
    return {
        name: value for name, value in vars(module).items() if isinstance(value, Workload) and value.family == family
    }


OWN_TOO = "see `gilbench list`; your own work is named my_file.py:function or my_file.py"


def choose(names: Mapping[str, Workload], patterns: Iterable[str]) -> list[Workload]:
    """Return the workloads that match any pattern (all of them for no pattern), in the registry's order.

    Raises UserError, with the nearest names, for a pattern that matches nothing.
    """
    patterns = list(patterns)
    families = {workload.family for workload in names.values()}
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in (*names, *families)):
            raise UserError(
                f"no workload or family matches {pattern!r}{nearest(pattern, [*names, *families], OWN_TOO)}"
            )
    return [
        workload
        for workload in names.values()
        if not patterns
        or any(fnmatchcase(workload.name, pattern) or fnmatchcase(workload.family, pattern) for pattern in patterns)
    ]
