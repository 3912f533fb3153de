"""What the user names: a workload of the registry, or a function of his own as `module:function` or `file.py:function`.

A function becomes a workload without being registered: one task per item, or some tasks without arguments where no items
are given. Items travel to every process in an environment variable, as the text that the user wrote.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.errors import UserError
from bench.registry import all_workloads
from workloads import SIZES, Job, Workload

ITEMS = "GILBENCH_ITEMS"
OWN = "own"  # the family of the user's functions
TASKS = 8  # of a function without items


def is_own(target: str) -> bool:
    """Return whether a target names a function of the user's."""
    return ":" in target


def workload_of(target: str) -> Workload:
    """Return the workload that a target names. Raises UserError, in one line, where there is none."""
    if is_own(target):
        return own_workload(target, os.environ.get(ITEMS))
    found = all_workloads().get(target)
    if found is None:
        near = difflib.get_close_matches(target, list(all_workloads()), 3, 0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "see `gilbench list`, or write module:function"
        raise UserError(f"no workload is named {target!r}: {hint}")
    return found


def own_workload(target: str, items: str | None) -> Workload:
    """Return a workload of one task per item, each a call of the user's function."""
    place, _, name = target.rpartition(":")
    module = _module(place, target)
    function = _function(module, name, target)
    values = None if items is None else items_of(items, vars(module))
    _check_call(function, values, target)
    return Workload(
        name=target,
        family=OWN,
        summary=(inspect.getdoc(function) or "").partition("\n")[0],
        build=partial(_build, function, values),
        sizes={key: {} for key in SIZES},
        modules=(module.__name__,),
        representative=True,
    )


def items_of(text: str, names: Mapping[str, Any]) -> list[Any]:
    """Return the items that a text names: a file (.json, or one item per line), or a Python expression.

    The expression is the user's own, as code on a command line is; it sees the names of his module, glob and Path.
    """
    path = Path(text)
    try:
        if path.is_file():
            content = path.read_text()
            found = json.loads(content) if path.suffix == ".json" else content.splitlines()
        else:
            from glob import glob

            found = eval(text, {"glob": glob, "Path": Path, **names})  # noqa: S307
        values = list(found)
    except Exception as error:
        raise UserError(f"--items {text!r} gives no items: {type(error).__name__}: {error}") from error
    if not values:
        raise UserError(f"--items {text!r} gives no items: it is empty")
    return values


def _build(function: Callable[..., Any], items: Sequence[Any] | None) -> Job:
    from dask import delayed

    task = delayed(function, pure=False, traverse=False)
    if items is None:
        return Job([task() for _ in range(TASKS)])
    return Job([task(item) for item in items])


def _module(place: str, target: str) -> ModuleType:
    name = place
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_file():
            raise UserError(f"{target!r}: there is no file {place}")
        name = path.stem
        folder = str(path.parent.absolute())
        if folder not in sys.path:
            sys.path.insert(0, folder)  # processes that spawn get it too, and import the module by its name
        known = importlib.util.find_spec(name)
        if known is None or known.origin is None or not Path(known.origin).samefile(path):
            raise UserError(f"{target!r}: another module is named {name!r} too: rename the file")
    elif str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise UserError(f"{target!r} cannot be imported: {type(error).__name__}: {error}") from error


def _function(module: ModuleType, name: str, target: str) -> Callable[..., Any]:
    found = vars(module).get(name)
    if found is None:
        callables = [key for key, value in vars(module).items() if callable(value)]
        near = difflib.get_close_matches(name, callables, 3, 0.5)
        raise UserError(
            f"{target!r}: no function {name!r} there" + (f": did you mean {' or '.join(near)}?" if near else "")
        )
    if not callable(found):
        raise UserError(f"{target!r} is a {type(found).__name__} and no function")
    if inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
        raise UserError(f"{target!r} is a generator: nothing runs before it is read; return a list of what it yields")
    if inspect.iscoroutinefunction(found):
        raise UserError(f"{target!r} is a coroutine: dask runs plain functions; wrap it with asyncio.run")
    return found  # type: ignore[no-any-return]


def _check_call(function: Callable[..., Any], items: Sequence[Any] | None, target: str) -> None:
    """Raise UserError where the function cannot be called so, as far as its signature tells."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # written in C, and does not tell
    try:
        signature.bind(*([] if items is None else [items[0]]))
    except TypeError as error:
        how = "without arguments; give it some with --items" if items is None else "with one item each"
        raise UserError(f"{target!r} is called {how}: {error}") from error
