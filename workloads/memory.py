"""How much memory is needed when many tasks read the same data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gilbench import Job, workload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _counting(count: int) -> NDArray[np.float64]:
    import numpy as np

    return np.arange(count, dtype=np.float64)


def _every_nth_sum(values: NDArray[np.float64], first: int, step: int, passes: int) -> float:
    # With a step, every task touches every page of the array, and none makes a temporary array. Several passes give the
    # memory sampler time to see the peak.
    return [float(values[first::step].sum()) for _ in range(passes)][-1]


# Above 32 MB, even at the small size: glibc keeps the memory of smaller arrays for later use, so after the warm-up the
# peak would be no higher than what an idle process holds.
@workload(
    tiny={"tasks": 4, "count": 2**20, "passes": 1},
    small={"tasks": 4, "count": 4_500_000, "passes": 2},
    default={"tasks": 8, "count": 4_500_000, "passes": 4},
    large={"tasks": 8, "count": 36_000_000, "passes": 4},
    claims=("memory",),
    modules=("numpy",),
    representative=True,
    measures=("time", "memory"),
)
def shared_array(tasks: int, count: int, passes: int) -> Job:
    """Tasks that all read one large array: how much memory is needed

    One task makes the array, 36 MB at the default size, and the others read all of it. Measures the claim that threads
    share one memory while processes each have their own: threads need the array once, processes need a copy for every
    worker, and more on the way through the main session.
    """
    from dask import delayed

    array = delayed(_counting)(count)
    # first, first + tasks, ...: count / tasks numbers, without a remainder at any size.
    each = count // tasks
    return Job(
        collections=[delayed(_every_nth_sum)(array, first, tasks, passes) for first in range(tasks)],
        answer=[float(each * first + tasks * (each * (each - 1) // 2)) for first in range(tasks)],
    )
