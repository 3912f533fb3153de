"""What is measured: one module per family, each workload a decorated function that builds a Job.

Adding a file here adds a family; adding a decorated function adds a workload. Nothing else has a list of them.

Modules of this package import dask, numpy and pandas inside their functions only: `gilbench list` reads every family,
and must stay instant. Tasks are module-level functions, so that every scheduler can pickle them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SIZES: Final = ("tiny", "small", "default", "large")
NO_ANSWER: Final = object()


@dataclass(frozen=True)
class Job:
    """One computation, its graph already built, that can be timed again and again.

    collections: the dask objects to compute (Delayed, Array, DataFrame, Bag).
    answer: what `dask.compute(*collections)` must return, as a list with one item for each collection.
        Left out, the sync scheduler's result is the answer.
    together: one `dask.compute` for all collections (True), or one for each (False).
    moved_bytes: data that has to reach or leave tasks in one compute, in bytes; 0 where that is not the point.
    """

    collections: Sequence[Any]
    answer: Any = NO_ANSWER
    together: bool = True
    moved_bytes: int = 0


@dataclass(frozen=True)
class Workload:
    """A named computation at several sizes.

    name: unique over all families; what the user types.
    family: name of the module it stands in.
    summary: first line of the build function's docstring.
    build: returns a Job, given one of `sizes` as keyword arguments.
    sizes: size name -> keyword arguments of `build`.
    claims: ids of the tutorial's claims that it measures (see bench/gilbench/explain/tutorial.py).
    modules: imported, and their thread pools pinned, in every process that runs tasks before anything is timed.
    representative: stands for its family in the quick profile, and meets every scheduler in the default one.
    scaling: measured at every worker count in the default profile, not only at the largest; a representative one meets
        every scheduler in the quick profile too.
    sweep: measured at every size except tiny in the default profile, because size is its point.
    collection: has a default scheduler of its own worth measuring (`.compute()` with nothing said), and is called
        both as `x.compute(scheduler=...)` and as `dask.compute(x, scheduler=...)`.
    pinned: inner threads are pinned to one; False leaves them as users get them.
    measures: "time", and "memory" where the peak memory of the process tree is a result too.
    threshold: the change of time that matters to `gilbench check`, as a fraction; None for what its --threshold says.
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

    tiny (about 5 ms under sync: for the check and the tests), small, default (about 0.1 s under sync) and large are
    keyword arguments of the function. `attributes` are further fields of Workload.
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
