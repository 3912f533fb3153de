"""The user's own work as a Job: calls of a function, one per item, or a graph that a function builds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar
from uuid import uuid4

from gilbench.errors import UserError, describe
from gilbench.targets.items import shortened
from gilbench.targets.workload import Job

T = TypeVar("T")

LAZY: Final = {
    "__dask_graph__": "name its function with --graph",
    "__next__": "return a list of what it yields",
    "__await__": "call it with asyncio.run",
}
"""An attribute of results that are not computed until they are read -> what the user should do instead."""


@dataclass(frozen=True)
class Calls:
    """Builds the Job of a function that is called again and again. arguments: a tuple for each call."""

    function: Callable[..., Any]
    arguments: tuple[tuple[Any, ...], ...]

    def __call__(self, items: int | None = None, parts: int | None = None) -> Job:
        """Return the Job.

        items: number of calls to make, spread evenly over all of them; all for None, or where there are fewer.
        parts: number of tasks to divide the calls into, each of which returns a list of results; for None each call is a
        task of its own, and returns the function's result.
        """
        from dask import delayed

        calls = self.calls(items)
        tasks = calls if parts is None else [partial(_call_all, list(batch)) for batch in batches(calls, parts)]
        name = getattr(self.function, "__name__", type(self.function).__name__)  # as timelines show it
        # Items are bound to the task, not passed through dask, which would search every list for dask objects.
        runs = [delayed(task, pure=False, traverse=False) for task in tasks]
        return Job([run(dask_key_name=f"{name}-{uuid4().hex}") for run in runs])

    def calls(self, items: int | None = None) -> list[Callable[[], Any]]:
        """Return the calls, ready to be made without arguments. items: how many of them, as in building the Job."""
        return [partial(_call, self.function, *arguments) for arguments in spread(self.arguments, items)]


@dataclass(frozen=True)
class Graph:
    """Builds the Job of the dask objects that a function returns. target: what the user typed."""

    function: Callable[[], Any]
    target: str

    def __call__(self) -> Job:
        """Return the Job. Raises UserError where the function returns anything but dask objects."""
        built = self.function()
        collections = list(built) if isinstance(built, list | tuple) else [built]
        others = [type(value).__name__ for value in collections if not hasattr(value, "__dask_graph__")]
        if others or not collections:
            what = f"something of type {others[0]}" if others else "an empty list"
            raise UserError(f"{self.target!r} must return a dask object or a list of them, but returns {what}")
        return Job(collections)


@functools.cache
def builds_single_collection(graph: Graph) -> bool:
    """Return whether a graph is a single dask object, which can be computed by its own `.compute()`.

    Calls the function, once. Raises UserError where that fails.
    """
    try:
        return len(graph().collections) == 1
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{graph.target!r} raised {describe(error)}") from error


def spread(values: Sequence[T], count: int | None) -> Sequence[T]:
    """Return `count` of the values, evenly spaced and in order; all of them for None, or where there are fewer.

    >>> spread([10, 11, 12, 13], 2)
    [11, 13]
    """
    total = len(values)
    if count is None or count >= total:
        return values
    return [values[(2 * at + 1) * total // (2 * count)] for at in range(count)]


def batches(values: Sequence[T], count: int) -> list[Sequence[T]]:
    """Return the values in order, in `count` batches whose sizes differ by at most one; fewer where there are fewer values.

    >>> batches([1, 2, 3, 4, 5], 2)
    [[1, 2], [3, 4, 5]]
    """
    count, total = min(count, len(values)), len(values)
    return [values[i * total // count : (i + 1) * total // count] for i in range(count)]


def refuse_lazy(results: Sequence[Any]) -> None:
    """Raise UserError for a result that is not computed yet: its time would be the time of computing nothing."""
    for result in results:
        for attribute, fix in LAZY.items():
            if hasattr(type(result), attribute):
                raise UserError(f"its result is of type {type(result).__name__} and not computed yet: {fix}")


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function; where it raises, add the item to the exception."""
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        if arguments:
            error.add_note(f"item {shortened(arguments[0])}")
        raise


def _call_all(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    return [call() for call in calls]
