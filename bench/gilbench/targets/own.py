"""The user's own work, which is measured where it is, without being copied or registered.

    package.module:function    calls of a function: one task per item of --items, or eight tasks without arguments
    my_file.py:function        the same; processes import the file as a module of its folder
    my_file.py:build()         what a function builds: a dask object, or a list of them; also --graph my_file.py:build
    my_file.py                 every workload of a file written like those in workloads/
    my_file.py:name            one of those workloads

Items reach every process as the text that the user wrote, in an environment variable.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from gilbench import variables
from gilbench.errors import UserError
from gilbench.targets.calls import Calls, Graph
from gilbench.targets.items import items_of
from gilbench.targets.modules import import_target, is_dotted, look_up, workloads_in
from gilbench.targets.workload import SIZES, Workload

OWN: Final = "own"  # the family of the user's own work
CALL: Final = "()"  # after a function's name: measure what the function builds, not the function
TASKS: Final = 8  # how often a function without items is called


def own_workloads(target: str, items: str | None) -> list[Workload]:
    """Return the workloads that a target names. Raises UserError, in one line, where it names none.

    items: what --items says (see gilbench.targets.items), or None. Only a function takes them.
    """
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
    return [
        Workload(
            name=target,
            family=OWN,
            summary=_summary(function),
            build=build,
            sizes=dict.fromkeys(SIZES, _keywords() if isinstance(build, Calls) else {}),
            modules=(module.__name__,),
            representative=True,
        )
    ]


def _workloads_of_file(target: str) -> list[Workload]:
    found = workloads_in(target, target)
    if not found:
        raise UserError(f"{target} has no workload: name a function of it, {target}:function, or see `gilbench new`")
    return [replace(workload, name=f"{target}:{name}", family=OWN) for name, workload in found.items()]


def _keywords() -> dict[str, int]:
    """Return the arguments that the environment has for building Calls."""
    variable_of = {"items": variables.TAKE, "parts": variables.PARTS}
    return {name: int(os.environ[variable]) for name, variable in variable_of.items() if variable in os.environ}


def _summary(function: Callable[..., Any]) -> str:
    """Return the first line of the docstring. Other callables than functions and classes have only their type's."""
    documented = inspect.isroutine(function) or inspect.isclass(function)
    return (inspect.getdoc(function) or "").partition("\n")[0] if documented else ""


def _function(found: Any, target: str) -> Callable[..., Any]:
    """Return the function to call. Raises UserError where calling it would not do the work."""
    if hasattr(type(found), "__dask_graph__"):
        found = getattr(found, "__wrapped__", found)  # decorated with dask.delayed, which gilbench does by itself
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
    """Raise UserError where the function cannot be called with these arguments, judging by its signature."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # written in C, without a signature
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise UserError(f"{target!r} is called {how}: {error}") from error
