"""A control: if this does not scale with the workers, nothing else in the same result can be trusted."""

from __future__ import annotations

import time

from gilbench import Job, workload


def _sleep(number: int, seconds: float) -> int:
    time.sleep(seconds)
    return number


@workload(
    tiny={"tasks": 4, "seconds": 0.001},
    small={"tasks": 8, "seconds": 0.005},
    default={"tasks": 8, "seconds": 0.02},
    large={"tasks": 8, "seconds": 0.2},
    claims=("lazy",),
    representative=True,
)
def sleep(tasks: int, seconds: float) -> Job:
    """Tasks that only sleep: must scale with the workers

    Sleeping needs no core, no GIL, no memory and no data, so on every parallel scheduler the time must fall as workers
    are added. That shows whether the harness and the scheduler do what the case says. Also measures the claim that
    delayed is lazy: building this graph takes far less time than running one of its tasks.
    """
    from dask import delayed

    return Job(
        collections=[delayed(_sleep)(number, seconds) for number in range(tasks)],
        answer=list(range(tasks)),
    )
