"""What delayed itself costs, with tasks that do nothing."""

from __future__ import annotations

from gilbench import Job, workload


def _add(x: int, y: int) -> int:
    return x + y


# Not a thousand tasks at the default size: distributed takes up to 3 ms for each, in every single compute.
@workload(
    tiny={"tasks": 40},
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
