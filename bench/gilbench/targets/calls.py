"""The user's own work as a Job: calls of a function, one for each item, or a graph that a function builds."""

from __future__ import annotations

import itertools
import json
import os
import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from gilbench.errors import UserError
from gilbench.targets.workload import Job

T = TypeVar("T")


ITEMS = "GILBENCH_ITEMS"


TAKE = "GILBENCH_TAKE"  # how many of the items are enough, for a short look


PARTS = "GILBENCH_PARTS"  # how many tasks they go into


TASKS = 8  # of a function without items


MOST_ITEMS = 1_000_000  # beyond it is an endless iterator, or a graph that no scheduler can hold


CALL = "()"  # behind a function's name: what it builds is measured, and not the function


LAZY = {  # what values have that are not computed before they are read -> what to do
    "__dask_graph__": "name its function with --graph",
    "__next__": "return a list of what it yields",
    "__await__": "call it by asyncio.run",
}


@dataclass(frozen=True)
class Calls:
    """Builds the Job of a function: one task per call. arguments: of each call."""

    function: Callable[..., Any]
    arguments: tuple[tuple[Any, ...], ...]

    def __call__(self, items: int | None = None, parts: int | None = None) -> Job:
        """Return the Job of so many calls, evenly spread over all of them, in so many tasks.

        items: None, or more than there are, for all. parts: None for a task each, with the function's result; else a
        task's result is a list of them.
        """
        from dask import delayed

        calls = self.calls(items)
        tasks = calls if parts is None else [partial(_call_all, list(batch)) for batch in batches(calls, parts)]
        name = getattr(self.function, "__name__", type(self.function).__name__)  # as timelines show it
        # Items are bound, and not given to dask as arguments: it would look into every list for dask objects.
        runs = [delayed(task, pure=False, traverse=False) for task in tasks]
        return Job([run(dask_key_name=f"{name}-{uuid4().hex}") for run in runs])

    def calls(self, items: int | None = None) -> list[Callable[[], Any]]:
        """Return so many of the calls."""
        return [partial(_call, self.function, *arguments) for arguments in spread(self.arguments, items)]


@dataclass(frozen=True)
class Graph:
    """Builds the Job of what a function returns. target: how the user named it."""

    function: Callable[[], Any]
    target: str

    def __call__(self) -> Job:
        """Return the Job of the dask objects. Raises UserError where the function returns something else."""
        built = self.function()
        collections = list(built) if isinstance(built, list | tuple) else [built]
        strange = [type(one).__name__ for one in collections if not hasattr(one, "__dask_graph__")]
        if strange or not collections:
            what = f"something of type {strange[0]}" if strange else "an empty list"
            raise UserError(f"{self.target!r} must return a dask object or a list of them, and returns {what}")
        return Job(collections)


def items_of(text: str, names: Mapping[str, Any]) -> list[Any]:
    """Return the items that a text names: a file (.json, or one item per line), or a Python expression.

    The expression is the user's own, as code on a command line is; it sees the names of his module, glob and Path.
    """
    try:
        if os.path.isfile(text):  # noqa: PTH113 - Path.is_file raises for an expression that is too long for a name
            content = Path(text).read_text(encoding="utf-8-sig")
            found = json.loads(content) if text.endswith(".json") else filter(str.strip, content.splitlines())
        else:
            from glob import glob

            found = eval(text, {"glob": glob, "Path": Path, **names})  # noqa: S307
        values = list(itertools.islice(found, MOST_ITEMS + 1))
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        if isinstance(error, NameError | SyntaxError):
            why = f"no such file, and as Python {why}"
        elif isinstance(error, TypeError):
            why += "; write a list, such as '[1, 2, 3]'"
        raise UserError(f"--items {_short(text)} gives no items: {why}") from error
    if not values or len(values) > MOST_ITEMS:
        raise UserError(f"--items {_short(text)} gives {f'over {MOST_ITEMS:,}' if values else 'no'} items")
    return values


def spread(values: Sequence[T], count: int | None) -> Sequence[T]:
    """Return so many of the values, evenly spread over all and in their order; all for None, or where there are fewer."""
    total = len(values)
    if count is None or count >= total:
        return values
    return [values[(2 * at + 1) * total // (2 * count)] for at in range(count)]


def batches(values: Sequence[T], count: int) -> list[Sequence[T]]:
    """Return the values in order, in so many batches, which differ by one in size at most."""
    count, total = min(count, len(values)), len(values)
    return [values[i * total // count : (i + 1) * total // count] for i in range(count)]


def refuse_lazy(results: Sequence[Any]) -> None:
    """Raise UserError where a result is not computed yet: its time would be that of computing nothing."""
    for result in results:
        for attribute, mend in LAZY.items():
            if hasattr(type(result), attribute):
                raise UserError(f"its result is of type {type(result).__name__} and not computed yet: {mend}")


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function, and name the item where it raises."""
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        if arguments:
            error.add_note(f"item {_short(arguments[0])}")
        raise


def _call_all(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    return [call() for call in calls]


def _short(value: Any) -> str:
    shorter = reprlib.Repr()
    shorter.maxstring = shorter.maxother = 60
    return re.sub(r" at 0x[0-9a-fA-F]+", "", shorter.repr(value))  # another one in every process
