"""What delayed itself costs: to build a graph, and to run a task that does nothing."""

from __future__ import annotations

import time

from workloads import Job, workload


def _add(x: int, y: int) -> int:
    return x + y


def _build_only(count: int) -> int:
    from dask import delayed

    return len([delayed(time.sleep)(1.0) for _ in range(count)])


# Not a thousand tasks at the default size: distributed takes up to 3 ms for each, in every single compute.
@workload(
    tiny={"tasks": 10},
    small={"tasks": 125},
    default={"tasks": 500},
    large={"tasks": 5_000},
    claims=("lazy",),
    representative=True,
)
def tiny_tasks(tasks: int) -> Job:
    """Many delayed additions: the cost per task

    The work is nothing, so the time over the number of tasks is what each scheduler takes to run a task: the size below
    which splitting work up cannot pay. The graph, of lazy objects as the claim says, is built before anything is timed.
    """
    from dask import delayed

    return Job(
        collections=[delayed(_add)(number, 2 * number) for number in range(tasks)],
        answer=[3 * number for number in range(tasks)],
    )


@workload(
    tiny={"tasks": 2, "count": 10},
    small={"tasks": 8, "count": 60},
    default={"tasks": 8, "count": 240},
    large={"tasks": 8, "count": 2_400},
    claims=("lazy",),
)
def lazy_build(tasks: int, count: int) -> Job:
    """Build delayed sleeps and never run them

    Thousands of delayed(time.sleep)(1.0) at the default size. Measures the claim that delayed returns a lazy object:
    were a single one of them run, this would take more than a second.
    """
    from dask import delayed

    return Job(collections=[delayed(_build_only)(count) for _ in range(tasks)], answer=[count] * tasks)
