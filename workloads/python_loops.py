"""Plain Python, which holds the GIL throughout: threads can only take turns."""

from __future__ import annotations

from gilbench import Job, workload
from gilbench.workloads._kernels import parts, square_sum, squares_below
from gilbench.workloads._text import text, word_counts


def _count_words(seed: int, pages: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    for raw in text(seed, pages).split():
        word = raw.strip(",").lower()
        counts[word] = counts.get(word, 0) + 1
    return counts


@workload(
    tiny={"tasks": 4, "numbers": 60_000},
    small={"tasks": 16, "numbers": 500_000},
    default={"tasks": 16, "numbers": 2_000_000},
    large={"tasks": 16, "numbers": 20_000_000},
    claims=("loop-gil",),
    representative=True,
    scaling=True,
)
def sum_of_squares(tasks: int, numbers: int) -> Job:
    """Sum squares in a Python loop

    Arithmetic on Python integers never releases the GIL. Measures the claim that a Python loop cannot run in parallel
    on threads, while processes (and threads of a free-threaded Python) can divide it among them.
    """
    from dask import delayed

    cuts = parts(numbers, tasks)
    return Job(
        collections=[delayed(square_sum)(start, stop) for start, stop in cuts],
        answer=[squares_below(stop) - squares_below(start) for start, stop in cuts],
    )


@workload(
    tiny={"tasks": 4, "pages": 2},
    small={"tasks": 16, "pages": 20},
    default={"tasks": 16, "pages": 80},
    large={"tasks": 16, "pages": 800},
    claims=("loop-gil",),
)
def word_count(tasks: int, pages: int) -> Job:
    """Count words with a dict and string methods

    Measures the same claim as sum_of_squares on practical work: splitting, cleaning and counting strings, which creates
    many small objects. On a free-threaded Python these, unlike plain arithmetic, contend for memory.
    """
    from dask import delayed

    return Job(
        collections=[delayed(_count_words)(seed, pages) for seed in range(tasks)],
        answer=[word_counts(seed, pages) for seed in range(tasks)],
    )
