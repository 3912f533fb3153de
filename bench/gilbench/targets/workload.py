"""What a workload is: a decorated function that builds a Job. The built-in ones are in the folder workloads/, one family
per file.

Adding a file there adds a family, and adding a decorated function adds a workload; nothing else has a list of them. The
user's own file of workloads is written in the same way. Families import dask, numpy and pandas inside their functions
only, because `gilbench list` imports every family and must stay instant. Tasks are functions at module level, so that
every scheduler can pickle them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SIZES: Final = ("tiny", "small", "default", "large")
NO_ANSWER: Final = object()


@dataclass(frozen=True)
class Job:
    """A computation whose graph is already built, so that it can be timed again and again.

    collections: the dask objects to compute (Delayed, Array, DataFrame, Bag).
    answer: what `dask.compute(*collections)` must return, as a list with one item per collection. If it is left out, the
        sync scheduler's result is the answer.
    together: one `dask.compute` for all collections (True), or one for each (False).
    moved_bytes: size of the data that must reach or leave tasks in each compute; 0 where that is not the point.
    """

    collections: Sequence[Any]
    answer: Any = NO_ANSWER
    together: bool = True
    moved_bytes: int = 0


@dataclass(frozen=True)
class Workload:
    """A named computation at several sizes.

    name: what the user types; unique among all families.
    family: name of the file that defines it, without .py; "own" for all of the user's own work.
    summary: first line of the build function's docstring.
    build: returns a Job, given one of `sizes` as keyword arguments.
    sizes: size name -> keyword arguments of `build`.
    claims: ids of the tutorial's claims that it measures (see gilbench.explain.tutorial).
    modules: imported in every process that runs tasks, and their thread pools pinned, before anything is timed.
    representative: represents its family in the quick profile, and runs on every scheduler in the default profile.
    scaling: measured at every worker count in the default profile, not only at the largest. If it is also representative,
        it runs on every scheduler in the quick profile too.
    sweep: measured at every size in the default profile, because size is its point.
    collection: a dask object with a default scheduler of its own, which is measured too (`.compute()` without
        arguments). It is computed both by `x.compute(scheduler=...)` and by `dask.compute(x, scheduler=...)`.
    pinned: inner threads are pinned to one per task; False leaves them as users get them.
    measures: "time", and "memory" where the peak memory of the process tree is a result too.
    threshold: the change in time that matters to `gilbench check`, as a fraction; None for the value of --threshold.
    """

    name: str
    family: str
    summary: str
    build: Callable[..., Job]
    sizes: Mapping[str, Mapping[str, Any]]
    claims: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    representative: bool = False
    scaling: bool = False
    sweep: bool = False
    collection: bool = False
    pinned: bool = True
    measures: tuple[str, ...] = ("time",)
    threshold: float | None = None


def workload(
    *,
    tiny: Mapping[str, Any],
    small: Mapping[str, Any],
    default: Mapping[str, Any],
    large: Mapping[str, Any],
    **attributes: Any,
) -> Callable[[Callable[..., Job]], Workload]:
    """Turn a function that builds a Job into a Workload of that name.

    tiny (about 5 ms under sync, for the check and the tests), small, default (about 0.1 s under sync) and large: the
    keyword arguments of the function at each size. attributes: further fields of Workload.
    """
    sizes = {"tiny": tiny, "small": small, "default": default, "large": large}

    def wrap(build: Callable[..., Job]) -> Workload:
        lines = (build.__doc__ or "").strip().splitlines()
        return Workload(
            name=build.__name__,
            family=build.__module__.rpartition(".")[2],
            summary=lines[0] if lines else "",
            build=build,
            sizes=sizes,
            **attributes,
        )

    return wrap
