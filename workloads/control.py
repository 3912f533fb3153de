"""Controls: if these do not scale with the workers, nothing else in the same result can be trusted."""

from __future__ import annotations

import time

from gilbench import Job, workload


def _sleep(number: int, seconds: float) -> int:
    time.sleep(seconds)
    return number


def _burn(number: int, iterations: int) -> bytes:
    import hashlib

    return hashlib.pbkdf2_hmac("sha256", b"gilbench", number.to_bytes(4, "big"), iterations)


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


@workload(
    tiny={"tasks": 4, "iterations": 1_000},
    small={"tasks": 8, "iterations": 25_000},
    default={"tasks": 8, "iterations": 50_000},
    large={"tasks": 8, "iterations": 400_000},
)
def burn(tasks: int, iterations: int) -> Job:
    """Tasks that burn CPUs without the GIL: must scale with free CPUs

    They stay within the caches. `sleep` scales even on a machine whose CPUs are taken. This does not: where it fails to scale
    although sleep does, another program, another virtual machine or a shared core has taken the CPUs, and no other speed-up
    can reach the ideal either.
    """
    import hashlib

    from dask import delayed

    # From CPython's own function, in the process that builds the graph: the answer of every scheduler is compared with it.
    answer = [
        hashlib.pbkdf2_hmac("sha256", b"gilbench", number.to_bytes(4, "big"), iterations) for number in range(tasks)
    ]
    return Job([delayed(_burn)(number, iterations) for number in range(tasks)], answer=answer)
