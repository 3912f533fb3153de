"""Work that is neither all Python nor all numpy, like most real work."""

from __future__ import annotations

from gilbench import Job, workload
from gilbench.workloads._kernels import parts, roots_below, sqrt_sum, square_sum, squares_below


def _in_turns(loops: tuple[int, int], numbers: tuple[int, int], turns: int) -> tuple[int, float]:
    squares, roots = 0, 0.0
    for loop, number in zip(parts(loops[1] - loops[0], turns), parts(numbers[1] - numbers[0], turns), strict=True):
        squares += square_sum(loops[0] + loop[0], loops[0] + loop[1])
        roots += sqrt_sum(numbers[0] + number[0], numbers[0] + number[1])
    return squares, roots


@workload(
    tiny={"tasks": 4, "loops": 40_000, "numbers": 960_000, "turns": 2},
    small={"tasks": 8, "loops": 250_000, "numbers": 6_000_000, "turns": 2},
    default={"tasks": 8, "loops": 1_000_000, "numbers": 24_000_000, "turns": 6},
    large={"tasks": 8, "loops": 10_000_000, "numbers": 240_000_000, "turns": 60},
    claims=("cluster",),
    modules=("numpy",),
    representative=True,
)
def half_and_half(tasks: int, loops: int, numbers: int, turns: int) -> Job:
    """Half Python loop, half numpy, alternating about every millisecond

    Threads can only overlap the numpy half, so they can at best double the speed on any number of cores. Measures the
    claim that threads and processes together need a Cluster and a Client, on the kind of work where that mix might be
    best. The halves take the same time on the machine they were tuned on, and roughly the same on others.
    """
    from dask import delayed

    cuts = list(zip(parts(loops, tasks), parts(numbers, tasks), strict=True))
    return Job(
        collections=[delayed(_in_turns)(*cut, turns) for cut in cuts],
        answer=[
            (squares_below(loop[1]) - squares_below(loop[0]), roots_below(number[1]) - roots_below(number[0]))
            for loop, number in cuts
        ],
    )
