"""What delayed itself costs, with tasks that do nothing."""

from __future__ import annotations

from gilbench import Job, workload


def _add(x: int, y: int) -> int:
    return x + y


# Fewer than a thousand tasks at the default size, because distributed takes up to 3 ms for each in every compute.
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

    There is no work, so the time divided by the number of tasks is what each scheduler needs to run a task. Tasks shorter
    than that cannot pay off. The graph, of lazy objects as the claim says, is built before anything is timed.
    """
    from dask import delayed

    return Job(
        collections=[delayed(_add)(number, 2 * number) for number in range(tasks)],
        answer=[3 * number for number in range(tasks)],
    )
