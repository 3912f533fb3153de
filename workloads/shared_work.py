"""Two results that need the same expensive work: one dask.compute for both, or one for each."""

from __future__ import annotations

import statistics
from typing import Any

from gilbench import Job, workload
from gilbench.workloads._kernels import parts, roots_below, sqrt_sum, square_sum, squares_below


# Half the time in Python and half in numpy. The claim has nothing to do with the GIL, so the work should favor neither
# threads nor processes, and the saving should show on every scheduler.
def _expensive(loops: tuple[int, int], numbers: tuple[int, int]) -> float:
    return square_sum(*loops) + sqrt_sum(*numbers)


def _gather(values: list[float]) -> list[float]:
    return sorted(values)


def _job(tasks: int, loops: int, numbers: int, *, together: bool) -> Job:
    from dask import delayed

    cuts = list(zip(parts(loops, tasks), parts(numbers, tasks), strict=True))

    def shared() -> Any:
        return delayed(_gather)([delayed(_expensive)(*cut) for cut in cuts])

    # Separately, each result gets tasks of its own. Under the same keys, distributed might still hold the values of the
    # first compute when the second starts, and whether it does is a race.
    first = shared()
    second = first if together else shared()
    results: list[Any] = [delayed(statistics.fmean)(first), delayed(max)(second)]
    expected = [
        squares_below(loop[1]) - squares_below(loop[0]) + roots_below(number[1]) - roots_below(number[0])
        for loop, number in cuts
    ]
    return Job(collections=results, answer=[statistics.fmean(expected), max(expected)], together=together)


@workload(
    tiny={"tasks": 4, "loops": 40_000, "numbers": 1_000_000},
    small={"tasks": 8, "loops": 250_000, "numbers": 6_000_000},
    default={"tasks": 8, "loops": 1_000_000, "numbers": 24_000_000},
    large={"tasks": 8, "loops": 10_000_000, "numbers": 240_000_000},
    claims=("graph", "visualize"),
    modules=("numpy",),
    representative=True,
)
def together(tasks: int, loops: int, numbers: int) -> Job:
    """Two results of the same work, in one dask.compute

    A mean and a maximum of the same 8 expensive values: 11 tasks. Together with separately, measures the claim that
    computing two results at once does the shared work only once. Its graph is the one that .visualize() draws.
    """
    return _job(tasks, loops, numbers, together=True)


@workload(
    tiny={"tasks": 4, "loops": 40_000, "numbers": 1_000_000},
    small={"tasks": 8, "loops": 250_000, "numbers": 6_000_000},
    default={"tasks": 8, "loops": 1_000_000, "numbers": 24_000_000},
    large={"tasks": 8, "loops": 10_000_000, "numbers": 240_000_000},
    claims=("graph",),
    modules=("numpy",),
)
def separately(tasks: int, loops: int, numbers: int) -> Job:
    """Two results of the same work, in two calls of dask.compute

    The work of together, done once for each result: 20 tasks instead of 11, and about twice the time if the claim holds.
    """
    return _job(tasks, loops, numbers, together=False)
