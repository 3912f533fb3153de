"""What the user names: workloads of the registry, and work of his own, which is neither copied nor registered.

    package.module:function    calls of a function: one task per item of --items, or some tasks without arguments
    my_file.py:function        the same; processes import the file as a module of its folder
    my_file.py:build()         what a function builds: a dask object, or a list of them; `--graph my_file.py:build` says the same
    my_file.py                 every workload of a module that is written like those in workloads/
    my_file.py:name            one of them

Items travel to every process in an environment variable, as the text that the user wrote.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from gilbench.errors import UserError, describe
from gilbench.targets.builtin import workloads_in
from gilbench.targets.calls import CALL, PARTS, TAKE, TASKS, Calls, Graph, items_of
from gilbench.targets.modules import import_target, is_dotted, look_up
from gilbench.targets.workload import SIZES, Workload

OWN = "own"  # the family of all that is the user's own


def own_workloads(target: str, items: str | None) -> list[Workload]:
    """Return the workloads that a target of the user's own stands for. Raises UserError, in one line, where it is none."""
    if target.endswith(".py"):
        return _workloads_of_file(target)
    place, _, name = target.removesuffix(CALL).rpartition(":")
    if not (place.endswith(".py") or is_dotted(place)) or not is_dotted(name):
        raise UserError(f"{target!r} names nothing: write my_file.py:function or package.module:function")
    module = import_target(place, target)
    found = look_up(module, name, target)
    if isinstance(found, Workload):
        return [replace(found, name=target, family=OWN)]
    function = _function(found, target)
    build: Calls | Graph
    if target.endswith(CALL):
        _check_call(function, (), target, "without arguments, as it builds what to measure")
        build = Graph(function, target)
    elif items is None:
        _check_call(function, (), target, "without arguments; give it some with --items")
        build = Calls(function, ((),) * TASKS)
    else:
        values = items_of(items, vars(module))
        _check_call(function, values[:1], target, "with one item each")
        build = Calls(function, tuple((value,) for value in values))
    told = {"items": TAKE, "parts": PARTS} if isinstance(build, Calls) else {}
    arguments = {name: int(os.environ[variable]) for name, variable in told.items() if variable in os.environ}
    documented = inspect.isroutine(function) or inspect.isclass(function)  # others tell of their type
    return [
        Workload(
            name=target,
            family=OWN,
            summary=(inspect.getdoc(function) or "").partition("\n")[0] if documented else "",
            build=build,
            sizes=dict.fromkeys(SIZES, arguments),
            modules=(module.__name__,),
            representative=True,
        )
    ]


def _workloads_of_file(target: str) -> list[Workload]:
    found = workloads_in(import_target(target, target))
    if not found:
        raise UserError(f"{target} has no workload: name a function of it, {target}:function, or see `gilbench new`")
    return [replace(workload, name=f"{target}:{name}", family=OWN) for name, workload in found.items()]


def _function(found: Any, target: str) -> Callable[..., Any]:
    """Return the function to call. Raises UserError where calling it would not do the work."""
    if hasattr(type(found), "__dask_graph__"):
        found = getattr(found, "__wrapped__", found)  # decorated with dask.delayed: that is what we do ourselves
    if hasattr(type(found), "__dask_graph__"):
        raise UserError(f"{target!r} is a dask object: give a function that builds it, with --graph")
    if not callable(found):
        raise UserError(f"{target!r} is of type {type(found).__name__}: it cannot be called")
    if inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
        raise UserError(f"{target!r} is a generator: nothing runs before it is read; return a list of what it yields")
    if inspect.iscoroutinefunction(found):
        raise UserError(f"{target!r} is a coroutine: dask runs plain functions; wrap it with asyncio.run")
    if isinstance(found, functools._lru_cache_wrapper):
        raise UserError(
            f"{target!r} keeps its results in a cache: no call but the first does the work; name {target}.__wrapped__"
        )
    return found  # type: ignore[no-any-return]


def _check_call(function: Callable[..., Any], arguments: Sequence[Any], target: str, how: str) -> None:
    """Raise UserError where the function cannot be called so, as far as its signature tells."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # written in C, and does not tell
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise UserError(f"{target!r} is called {how}: {error}") from error


@functools.cache
def builds_one(graph: Graph) -> bool:
    """Return whether a graph is one dask object, which can be computed by its own `.compute()`. Raises UserError."""
    try:
        return len(graph().collections) == 1
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{graph.target!r} raised {describe(error)}") from error
