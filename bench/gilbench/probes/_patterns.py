"""The task graphs whose granularity is probed: which task depends on which, and a task whose duration can be chosen.

The patterns are Task Bench's (Slaughter et al., "Task Bench: a parameterized benchmark for evaluating parallel runtime
performance", SC20). Only the standard library is imported at the top: every process of a pool imports this module.
"""

from __future__ import annotations

import time
import uuid
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

PATTERNS: Final = ("trivial", "stencil_1d", "tree", "all_to_all")
MOST: Final = 16  # tasks for each worker
TENS: Final = 32  # tasks of a graph at least, while they are short
FEWEST: Final = 3  # tasks for each worker, when they are long
LASTING: Final = 0.2  # seconds that the tasks of one worker should last together, where they are long

CHUNK: Final = 1 << 18  # bytes at a time: they stay in a core's cache, and take about 50 µs without the GIL
BUFFER: Final = bytes(CHUNK)
FEW_BYTES, MANY_BYTES = 1 << 14, 1 << 22  # whose times calibrate the work

# For each step, for each of its tasks: the tasks of the previous step (as indices) that it depends on.
Steps = Sequence[Sequence[Sequence[int]]]
Key = tuple[str, int, int]


@dataclass(frozen=True)
class Speed:
    """How long work takes: `fixed` seconds, and `each` second per byte."""

    fixed: float
    each: float

    def bytes_for(self, seconds: float) -> int:
        """Return how many bytes of work last for this many seconds."""
        return max(1, round((seconds - self.fixed) / self.each))

    def seconds_for(self, size: int) -> float:
        """Return how many seconds this many bytes of work last."""
        return self.fixed + size * self.each


def work(size: int, *inputs: int) -> int:
    """Be a task: work on `size` bytes without the GIL, and return how many paths of the graph end here.

    crc32 releases the GIL above 5 KiB, needs hardly any memory and starts within 0.2 µs: a task of 10 µs is nearly all
    native work. (hashlib takes 1 to 3 µs to start, partly under locks that threads share.)
    """
    for _ in range(size // CHUNK):
        zlib.crc32(BUFFER)
    zlib.crc32(memoryview(BUFFER)[: size % CHUNK])
    return 1 + sum(inputs)


def calibrate(seconds: float = 0.1) -> Speed:
    """Measure how long work takes in one thread. The fastest of many tries counts: a neighbor can only slow it down."""
    best = dict.fromkeys((FEW_BYTES, MANY_BYTES), float("inf"))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for size in best:
            start = time.perf_counter()
            work(size)
            best[size] = min(best[size], time.perf_counter() - start)
    each = (best[MANY_BYTES] - best[FEW_BYTES]) / (MANY_BYTES - FEW_BYTES)
    return Speed(max(0.0, best[FEW_BYTES] - FEW_BYTES * each), each)


# --- The shape of a graph


def tasks_per_worker(task_seconds: float, workers: int) -> int:
    """Return how many tasks each worker gets: fewer when they are long, so that one compute takes about 0.3 s at most."""
    return min(max(MOST, -(-TENS // workers)), max(FEWEST, int(LASTING / task_seconds)))


def steps_of(pattern: str, workers: int, per_worker: int) -> Steps:
    """Return the graph of a pattern, with about `per_worker` tasks for each worker. Raises ValueError for an unknown pattern.

    trivial: one step of tasks that depend on nothing. stencil_1d: each task depends on itself and its neighbors in the
    previous step. all_to_all: each on every task of the previous step. tree: each on two, down to a single one.
    """
    if pattern == "trivial":
        return [[()] * (workers * per_worker)]
    if pattern == "tree":
        return _tree(workers * max(2, per_worker // 2))
    # Two tasks for each worker and step, so that a worker that is done early finds another; of long tasks a single one.
    each = 2 if per_worker > FEWEST + 2 else 1
    width, later = workers * each, range(1, per_worker // each)
    if pattern == "stencil_1d":
        inputs = [range(max(0, i - 1), min(width, i + 2)) for i in range(width)]
    elif pattern == "all_to_all":
        inputs = [range(width)] * width
    else:
        raise ValueError(f"no such pattern: {pattern}")
    return [[()] * width, *(inputs for _ in later)]


def _tree(leaves: int) -> Steps:
    steps: list[list[Sequence[int]]] = [[()] * leaves]
    while (width := len(steps[-1])) > 1:
        steps.append([range(i, min(i + 2, width)) for i in range(0, width, 2)])
    return steps


def tasks(steps: Steps) -> int:
    """Return the number of tasks."""
    return sum(map(len, steps))


def rounds(steps: Steps, workers: int) -> int:
    """Return how many tasks the busiest worker has to run at least, one after the other.

    tasks / workers, rounded up in each step: toward its end a tree has less than one task for each worker, which no
    scheduler can change.
    """
    return sum(-(-len(step) // workers) for step in steps)


def answers(steps: Steps) -> list[int]:
    """Return the results of the last step's tasks."""
    before: list[int] = []
    for step in steps:
        before = [1 + sum(before[i] for i in inputs) for inputs in step]
    return before


class Graph:
    """A dask collection whose parts are the tasks of the last step: a graph of plain keys, which no optimization touches.

    These are not Delayed objects, because dask.compute takes 0.2 ms to merge the graph of each, before the scheduler sees
    the first task: independent tasks would look more expensive than dependent ones.
    """

    __dask_optimize__ = None

    def __init__(self, steps: Steps, size: int) -> None:
        # The keys are new: distributed would not compute again what it still holds under an old key.
        name = f"work-{uuid.uuid4().hex}"
        self.tasks = {
            (name, step, i): (work, size, *((name, step - 1, j) for j in inputs))
            for step, layer in enumerate(steps)
            for i, inputs in enumerate(layer)
        }
        self.last = [(name, len(steps) - 1, i) for i in range(len(steps[-1]))]

    def __dask_graph__(self) -> Mapping[Key, tuple[Any, ...]]:
        return self.tasks

    def __dask_keys__(self) -> list[Key]:
        return self.last

    def __dask_tokenize__(self) -> Key:
        return self.last[0]

    def __dask_postcompute__(self) -> tuple[Callable[[Sequence[int]], list[int]], tuple[()]]:
        return list, ()

    @staticmethod
    def __dask_scheduler__(*arguments: Any, **keywords: Any) -> Any:
        """Act as the default scheduler: threads, as for Delayed."""
        from dask.threaded import get

        return get(*arguments, **keywords)
