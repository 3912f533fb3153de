"""From what the user types to workloads: names and patterns of the built-in ones, and targets of the user's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from gilbench import variables
from gilbench.errors import UserError, nearest
from gilbench.process import alarm
from gilbench.targets.builtin import OTHERWISE, all_workloads, choose
from gilbench.targets.calls import Calls, Graph, builds_single_collection
from gilbench.targets.own import CALL, own_workloads
from gilbench.targets.workload import Workload

ITEMS_WHOSE = "--items are for a function of your own: name it as my_file.py:function or module:function"


def is_own(target: str) -> bool:
    """Return whether a target is the user's own work, and not the name of a built-in workload."""
    return ":" in target or target.endswith(".py")


def graph(target: str) -> str:
    """Return the target that names what a function builds.

    >>> graph("my_file.py:build")
    'my_file.py:build()'
    """
    return target if target.endswith(CALL) else target + CALL


def loaded_within(seconds: float, targets: Sequence[str]) -> AbstractContextManager[None]:
    """Return a context manager that raises UserError where loading the user's own work takes longer than this."""
    own = ", ".join(repr(target) for target in targets if is_own(target))
    late = f"{own} does not load within {seconds:g} s: move what takes so long out of the import, or see --timeout"
    return alarm.within(seconds, late) if own else nullcontext()


def chosen(patterns: Sequence[str], items: str | None = None) -> list[Workload]:
    """Return the workloads that a command line names: built-in ones in their usual order, then the user's own.

    A single dask object is also measured under the default scheduler of its kind. To know whether it is one, the function
    that builds it is called here, once.
    Raises UserError, in one line, for a target that does not exist.
    """
    built_in = [pattern for pattern in patterns if not is_own(pattern)]
    own = [workload for target in patterns if is_own(target) for workload in own_workloads(target, items)]
    if items is not None and not any(isinstance(workload.build, Calls) for workload in own):
        raise UserError(ITEMS_WHOSE)
    found = _built_in(built_in) if built_in or not own else []
    found += [
        replace(workload, collection=builds_single_collection(workload.build))
        if isinstance(workload.build, Graph)
        else workload
        for workload in own
    ]
    return list({workload.name: workload for workload in found}.values())


def workload_of(target: str, items: str | None = None) -> Workload:
    """Return the single workload that a target names. items: by default those that this process was started with.

    Raises UserError, in one line, where there is none, or more than one.
    """
    if not is_own(target):
        found = all_workloads().get(target)
        if found is None:
            raise UserError(f"no workload is named {target!r}" + nearest(target, all_workloads(), OTHERWISE))
        return found
    own = own_workloads(target, os.environ.get(variables.ITEMS) if items is None else items)
    if len(own) > 1:
        names = " or ".join(workload.name for workload in own)
        raise UserError(f"{target!r} has several workloads: name one, {names}")
    return own[0]


def _built_in(patterns: Sequence[str]) -> list[Workload]:
    try:
        return choose(all_workloads(), patterns)
    except UserError:
        for pattern in patterns:
            if Path(f"{pattern}.py").is_file():
                raise UserError(f"no workload or family matches {pattern!r}: did you mean {pattern}.py?") from None
        raise
