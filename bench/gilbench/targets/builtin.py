"""The workloads that come with gilbench. Their folder is the registry: there is no second list to edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Final

from gilbench import workloads
from gilbench.errors import UserError, nearest
from gilbench.files import names_in
from gilbench.targets.modules import workloads_in
from gilbench.targets.workload import Workload

OTHERWISE: Final = "see `gilbench list`; your own work is named my_file.py:function or my_file.py"
"""What an error says after an unknown name that resembles no known one."""


@cache
def all_workloads() -> dict[str, Workload]:
    """Return name -> Workload for every family: files in alphabetical order, workloads in their order in the file.

    Raises UserError, in one line, where a file cannot be imported or two workloads have the same name.
    """
    found: dict[str, Workload] = {}
    for family in names_in(workloads):
        file = Path(workloads.__path__[0], f"{family}.py")
        for workload in workloads_in(str(file), f"{file.parent.name}/{file.name}").values():
            if workload.name in found:
                raise UserError(f"two workloads are named {workload.name!r}: rename the one in workloads/{family}.py")
            found[workload.name] = workload
    return found


def choose(known: Mapping[str, Workload], patterns: Iterable[str]) -> list[Workload]:
    """Return the workloads whose name or family matches any pattern, in the order of `known`; all of them for no pattern.

    known: name -> Workload. patterns: as for a shell, with * and ?.
    Raises UserError, with the nearest names, for a pattern that matches nothing.
    """
    patterns = list(patterns)
    families = {workload.family for workload in known.values()}
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in (*known, *families)):
            hint = nearest(pattern, [*known, *families], OTHERWISE)
            raise UserError(f"no workload or family matches {pattern!r}{hint}")
    return [
        workload
        for workload in known.values()
        if not patterns
        or any(fnmatchcase(workload.name, pattern) or fnmatchcase(workload.family, pattern) for pattern in patterns)
    ]
