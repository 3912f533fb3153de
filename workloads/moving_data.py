"""Data that must move: free between threads, but pickled and sent twice, through the main session, between processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gilbench import Job, workload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _fill(number: int, size: int) -> bytes:
    # Not bytes(size): its pages were never written to, and are cheaper to copy than real data.
    return bytes([number]) * size


def _ones(count: int) -> NDArray[np.float64]:
    import numpy as np

    return np.ones(count)


def _weighted_sum(values: NDArray[np.float64], weight: int) -> float:
    return float(values.sum() * weight)


@workload(
    tiny={"tasks": 4, "size": 2**12},
    small={"tasks": 4, "size": 2**16},
    default={"tasks": 4, "size": 2**22},
    large={"tasks": 2, "size": 2**26},
    claims=("copy-back",),
    representative=True,
    sweep=True,
)
def return_bytes(tasks: int, size: int) -> Job:
    """Tasks that return bytes: 4 KB, 64 KB, 4 MB, 64 MB

    There is hardly any work, and the result grows with the size. Measures the claim that processes must copy their results
    back to the main session, and what that costs: a fixed time, and a time per megabyte.
    """
    from dask import delayed

    return Job(
        collections=[delayed(_fill)(number, size) for number in range(1, tasks + 1)],
        answer=[_fill(number, size) for number in range(1, tasks + 1)],
        moved_bytes=tasks * size,
    )


@workload(
    tiny={"consumers": 2, "count": 2**7},
    small={"consumers": 4, "count": 2**17},
    default={"consumers": 4, "count": 2**21},
    large={"consumers": 4, "count": 2**24},
    claims=("copy-back",),
    modules=("numpy",),
)
def broadcast_bytes(consumers: int, count: int) -> Job:
    """One task makes an array, four others read it

    16 MB at the default size. Measures the claim that processes copy results back to the main session, for a result that
    is not even asked for: it goes back, and out again once per reader. Distributed workers pass it on directly.
    """
    from dask import delayed

    array = delayed(_ones)(count)
    return Job(
        collections=[delayed(_weighted_sum)(array, weight) for weight in range(1, consumers + 1)],
        answer=[float(count * weight) for weight in range(1, consumers + 1)],
        # Out of the task that makes it, and into each task that reads it.
        moved_bytes=8 * count * (1 + consumers),
    )


# At most 8 MB in all at the default size: distributed warns about graphs over 10 MB, which is another lesson.
@workload(
    tiny={"tasks": 2, "count": 2**7},
    small={"tasks": 4, "count": 2**13},
    default={"tasks": 4, "count": 2**18},
    large={"tasks": 4, "count": 2**22},
    modules=("numpy",),
)
def embedded_bytes(tasks: int, count: int) -> Job:
    """An array in the graph, as an argument of every task

    2 MB per task at the default size. Data in the graph is pickled for every task that uses it, in every compute. Measures
    what delayed(f)(big_array) costs, and why tasks should read or make their own data.
    """
    from dask import delayed

    array = _ones(count)
    return Job(
        collections=[delayed(_weighted_sum)(array, weight) for weight in range(1, tasks + 1)],
        answer=[float(count * weight) for weight in range(1, tasks + 1)],
        moved_bytes=8 * count * tasks,
    )
