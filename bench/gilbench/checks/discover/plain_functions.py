"""Functions that the user names as file.py:function. With --items, one call of the benchmark is one call for each item."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gilbench.cases.benchmark import Benchmark
from gilbench.checks.driven.source_files import Found, parsed
from gilbench.checks.driven.turn_taking import Calls, Listing, Task, Turns, failure_of
from gilbench.errors import Failure, UserError

NAME = "function"
LOOKS_FOR = ""
ORDERED = False


# --- In the parent


def find(tree: Path, named: Sequence[str] = ()) -> list[Found]:
    """Return nothing: no function is a benchmark before the user says so."""
    return []


def asked_for(tree: Path, functions: Sequence[tuple[str, str]], asked: Any) -> list[Found]:
    """Return the files of the functions that were named. Raises UserError for --items without any.

    functions: (file, function), in the order given. A file of a package is not a benchmark file: it comes from each arm.
    """
    if asked.items is not None and not functions:
        raise UserError("--items goes with a function: name it as file.py:function")
    found = []
    for file in dict.fromkeys(file for file, _ in functions):
        path = tree / file
        if not path.is_file():
            continue
        mine = tuple(function for name, function in functions if name == file)
        names = [f"{file}:{function}" for function in mine]
        settings = {
            f"functions:{file}": names,
            "items": asked.items,
            "arms_own": (path.parent / "__init__.py").is_file(),
        }
        defined = tuple(node.name for node in parsed(path).body if hasattr(node, "name"))
        found.append(Found(file, tuple(name for name in mine if name.partition(".")[0] in defined), settings))
    return found


# --- In the child


def listed(task: Task) -> Listing:
    """Import the files; list the functions."""
    benchmarks, failures = [], {}
    for file in task.files:
        for name in task.settings[f"functions:{file}"]:
            try:
                _call(task, name)
                benchmarks.append(Benchmark("plain_functions", file, name, name.partition(":")[2]))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever somebody's module raises is reported with its name
                failures[name] = failure_of(error)
    return Listing(benchmarks, failures)


def drive(task: Task, turns: Turns) -> None:
    """Take turns on each function."""
    turns.started()
    for name in task.order or ():
        turns.begin(name)
        failure: Failure | None = None
        try:
            call, items = _call(task, name)
            turns.take(Calls(call), items)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            failure = failure_of(error)
        turns.end(failure)


def _call(task: Task, name: str) -> tuple[Callable[[], Any], list[Any] | None]:
    """Return a call of the function for all items, and the items. Raises UserError where it cannot be called so."""
    file, _, dotted = name.partition(":")
    found: Any = _module(Path(task.tree) / file)
    for part in dotted.split("."):
        if not hasattr(found, part):
            raise UserError(f"{file} has no {dotted!r}")
        found = getattr(found, part)
    if not callable(found):
        raise UserError(f"{name!r} is of type {type(found).__name__}: it cannot be called")
    if inspect.iscoroutinefunction(found) or inspect.isgeneratorfunction(found):
        raise UserError(f"{name!r} does nothing when it is called: name a function that runs it to its end")
    function: Callable[..., Any] = found
    said = task.settings.get("items")
    if said is None:
        return function, None
    from gilbench.targets.items import items_of

    items = items_of(said, vars(_module(Path(task.tree) / file)))
    return lambda: [function(item) for item in items], items


def _module(path: Path) -> Any:
    """Import a file under its name, as a module of its package where it is in one."""
    folder, parts = path.parent, [path.stem]
    while (folder / "__init__.py").is_file():
        folder, parts = folder.parent, [folder.name, *parts]
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    module = importlib.import_module(".".join(parts))
    if Path(str(module.__file__)).resolve() != path.resolve():
        raise UserError(f"another module is named {parts[0]!r} too: rename {path.name}")
    return module
