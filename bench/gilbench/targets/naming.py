"""From what the user types to workloads: names and patterns of those that come along, and work of the user's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gilbench.errors import UserError, nearest
from gilbench.targets.builtin import OWN_TOO, all_workloads, choose
from gilbench.targets.calls import CALL, ITEMS, Calls, Graph
from gilbench.targets.own import builds_one, own_workloads
from gilbench.targets.workload import Workload


def is_own(target: str) -> bool:
    """Return whether a target is the user's own, and no name of the registry."""
    return ":" in target or target.endswith(".py")


def graph(target: str) -> str:
    """Return the target that stands for what a function builds."""
    return target if target.endswith(CALL) else target + CALL


def chosen(patterns: Sequence[str], items: str | None = None) -> list[Workload]:
    """Return the workloads that a command line names: those of the registry in its order, then the user's own.

    A single dask object meets the default scheduler of its kind too: so what builds it is called here, once.
    Raises UserError, in one line, for what there is not.
    """
    registered = [pattern for pattern in patterns if not is_own(pattern)]
    own = [workload for target in patterns if is_own(target) for workload in own_workloads(target, items)]
    if items is not None and not any(isinstance(workload.build, Calls) for workload in own):
        raise UserError("--items are for a function of your own: name it as my_file.py:function or module:function")
    found = _registered(registered) if registered or not own else []
    found += [replace(w, collection=builds_one(w.build)) if isinstance(w.build, Graph) else w for w in own]
    return list({workload.name: workload for workload in found}.values())


def workload_of(target: str, items: str | None = None) -> Workload:
    """Return the one workload that a target names. items: by default those that this process was started with.

    Raises UserError, in one line, where there is none.
    """
    if not is_own(target):
        found = all_workloads().get(target)
        if found is None:
            raise UserError(f"no workload is named {target!r}" + nearest(target, all_workloads(), OWN_TOO))
        return found
    own = own_workloads(target, os.environ.get(ITEMS) if items is None else items)
    if len(own) > 1:
        raise UserError(f"{target!r} has several workloads: name one, {' or '.join(w.name for w in own)}")
    return own[0]


def _registered(patterns: Sequence[str]) -> list[Workload]:
    try:
        return choose(all_workloads(), patterns)
    except UserError:
        for pattern in patterns:
            if Path(f"{pattern}.py").is_file():
                raise UserError(f"no workload or family matches {pattern!r}: did you mean {pattern}.py?") from None
        raise
