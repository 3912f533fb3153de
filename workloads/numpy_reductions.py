"""Numpy on whole arrays: runs without the GIL, until the arrays are too small or the memory is too slow."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gilbench import Job, workload
from gilbench.workloads import _kernels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Where making an array takes longer than the work on it, each process makes the array once, in the untimed warm-up, and
# keeps it. So no data has to move between processes.


@lru_cache(maxsize=1)
def _shuffled(size: int) -> NDArray[np.float64]:
    import numpy as np

    return np.random.default_rng(0).permutation(size).astype(np.float64)


@lru_cache(maxsize=1)
def _counting(size: int) -> NDArray[np.float64]:
    import numpy as np

    return np.arange(size, dtype=np.float64)


@lru_cache(maxsize=1)
def _factors(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    # Small integers, so that the product is exact in whatever order a BLAS adds.
    numbers = np.arange(size * size).reshape(size, size)
    return (numbers % 7).astype(np.float64), (numbers % 11).astype(np.float64)


def _sort(size: int, step: int) -> list[float]:
    import numpy as np

    result: list[float] = np.sort(_shuffled(size))[::step].tolist()
    return result


def _matmul(size: int) -> float:
    left, right = _factors(size)
    return float((left @ right).sum())


def _rolled_sum(size: int, start: int) -> float:
    values = _counting(size)
    # Each task starts at a different place: if all began at the first element, they would share what one of them fetched.
    return float(values[start:].sum() + values[:start].sum())


def _add_often(size: int, calls: int) -> float:
    import numpy as np

    values = np.zeros(size)
    for _ in range(calls):
        np.add(values, 1.0, out=values)
    return float(values.sum())


@workload(
    tiny={"tasks": 4, "numbers": 2_500_000},
    small={"tasks": 8, "numbers": 12_000_000},
    default={"tasks": 8, "numbers": 48_000_000},
    large={"tasks": 8, "numbers": 480_000_000},
    modules=("numpy",),
    representative=True,
)
def sqrt_sum(tasks: int, numbers: int) -> Job:
    """Sum square roots with numpy

    A few long operations on arrays that fit a core's cache, with hardly any Python between them. This is the best case for
    threads, and what "numpy releases the GIL" promises. Almost no data has to move, so processes should be as fast.
    """
    from dask import delayed

    cuts = _kernels.parts(numbers, tasks)
    return Job(
        collections=[delayed(_kernels.sqrt_sum)(start, stop) for start, stop in cuts],
        answer=[_kernels.roots_below(stop) - _kernels.roots_below(start) for start, stop in cuts],
    )


@workload(
    tiny={"tasks": 4, "size": 2**15},
    small={"tasks": 8, "size": 2**16},
    default={"tasks": 8, "size": 2**18},
    large={"tasks": 8, "size": 2**21},
    modules=("numpy",),
    scaling=True,
)
def sort(tasks: int, size: int) -> Job:
    """Sort arrays with numpy

    One long call per task, without the GIL from start to end: scaling with the workers is as good here as the machine
    allows.
    """
    from dask import delayed

    step = size // 8
    expected = [float(value) for value in range(0, size, step)]
    return Job(
        collections=[delayed(_sort)(size, step) for _ in range(tasks)],
        answer=[expected] * tasks,
    )


@workload(
    tiny={"tasks": 4, "size": 300},
    small={"tasks": 8, "size": 400},
    default={"tasks": 8, "size": 640},
    large={"tasks": 8, "size": 1_400},
    modules=("numpy",),
)
def matmul(tasks: int, size: int) -> Job:
    """Multiply matrices, each task with one BLAS thread

    BLAS runs without the GIL and would use every core by itself. Limited to one thread, it shows what the scheduler's own
    workers contribute.
    """
    from dask import delayed

    # The sum of the product's entries: the sums of the left matrix's columns times the sums of the right matrix's rows.
    left, right = _factors(size)
    return Job(
        collections=[delayed(_matmul)(size) for _ in range(tasks)],
        answer=[float(left.sum(axis=0) @ right.sum(axis=1))] * tasks,
    )


@workload(
    tiny={"tasks": 2, "size": 2**22},
    small={"tasks": 8, "size": 2**23},
    default={"tasks": 16, "size": 2**24},
    large={"tasks": 80, "size": 2**25},
    modules=("numpy",),
)
def memory_bound_sum(tasks: int, size: int) -> Job:
    """Sum an array that no cache can hold

    Each task reads 128 MB from memory at the default size. All workers wait for the same memory bus, so no scheduler
    scales as it does on sort, whatever the GIL does. Each process holds an array of its own.
    """
    from dask import delayed

    return Job(
        collections=[delayed(_rolled_sum)(size, start) for start, _ in _kernels.parts(size, tasks)],
        answer=[float(size * (size - 1) // 2)] * tasks,
    )


@workload(
    tiny={"tasks": 4, "size": 2_000, "calls": 600},
    small={"tasks": 8, "size": 2_000, "calls": 3_000},
    default={"tasks": 8, "size": 2_000, "calls": 12_000},
    large={"tasks": 8, "size": 2_000, "calls": 120_000},
    modules=("numpy",),
)
def tiny_ufuncs(tasks: int, size: int, calls: int) -> Job:
    """Thousands of numpy calls on small arrays

    Each call releases the GIL for about a microsecond and then has to wait for it again. "Numpy releases the GIL" is true
    here too, and yet threads can be slower than no parallelism at all.
    """
    from dask import delayed

    return Job(
        collections=[delayed(_add_often)(size, calls) for _ in range(tasks)],
        answer=[float(size * calls)] * tasks,
    )
