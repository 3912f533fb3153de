"""tasks: how long tasks take, one after the other, how large their results are, and whether they hold Python objects.

Together with what a scheduler adds to each task, and with how fast bytes travel between processes, this bounds what can be
gained at all. Seconds are those of the tasks alone, without dask's own work between them.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from gilbench import units
from gilbench.probes import Found, Probed, Scene, Unavailable

SCHEDULERS = ("sync",)
PINNED = True
OF_WORKLOADS = True
PICKLED = 16  # results whose size is measured, at most: spread evenly over all
SHORT = 1e-3  # seconds of a task below which the scheduler is a large part of the whole


# --- In the probed process


def time_tasks(scene: Scene) -> Found:
    """Compute once, and time every task. Sync runs tasks in this thread, so dask's callbacks see their starts and ends."""
    from dask.callbacks import Callback

    starts: dict[Hashable, tuple[float, float]] = {}
    seconds: list[float] = []
    cpu: list[float] = []
    results: list[Any] = []

    def begins(key: Hashable, *rest: Any) -> None:
        starts[key] = time.perf_counter(), time.process_time()

    def ends(key: Hashable, result: Any, *rest: Any) -> None:
        began, used = starts.pop(key)
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
        results.append(result)

    wall, programs = time.perf_counter(), _seconds_of_programs()
    with Callback(pretask=begins, posttask=ends):
        scene.compute()
    wall, programs = time.perf_counter() - wall, _seconds_of_programs() - programs
    scene.settle()
    shown = results[:: -(-len(results) // PICKLED)] if results else []
    sizes = [_pickled_size(result) for result in shown]
    return {
        "seconds": seconds,
        "compute_seconds": wall,
        "cpu_over_wall": (sum(cpu) + programs) / sum(seconds) if sum(seconds) else 1.0,
        "result_bytes": statistics.fmean(sizes) if sizes else 0.0,
        "object_text": any(_holds_objects(result) for result in shown),
    }


def _seconds_of_programs() -> float:
    """Return the CPU time of programs that tasks have started and waited for: such a task keeps a CPU busy too."""
    times = os.times()
    return times.children_user + times.children_system


def _pickled_size(result: Any) -> int:
    import pickle

    import cloudpickle

    buffers: list[pickle.PickleBuffer] = []
    try:
        head = cloudpickle.dumps(result, protocol=5, buffer_callback=buffers.append)
    except Exception:  # noqa: BLE001 - pickling runs other people's code; schedulers report what cannot be pickled
        return 0
    return len(head) + sum(buffer.raw().nbytes for buffer in buffers)


def _holds_objects(result: Any) -> bool:
    """Return whether a result is, or has, a pandas column of Python objects: work on these holds the GIL."""
    dtypes: Any = getattr(result, "dtypes", None)
    return any(str(dtype) == "object" for dtype in (dtypes if hasattr(dtypes, "__iter__") else (dtypes,)))


# --- In the parent


def examine(probed: Probed) -> Found:
    """Return how many tasks there are, how long they take (on a CPU and in all), and how large their results are."""
    answer = probed.ask(time_tasks)
    seconds = sorted(answer["seconds"])
    if not seconds:
        raise Unavailable("nothing was executed")
    return {
        "tasks": len(seconds),
        "median_seconds": statistics.median(seconds),
        "longest_seconds": seconds[-1],
        "seconds": sum(seconds),
        **{key: answer[key] for key in ("compute_seconds", "cpu_over_wall", "result_bytes", "object_text")},
    }


def format(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what a person should know."""
    for tasks in found.values():
        overhead = max(0.0, tasks["compute_seconds"] - tasks["seconds"]) / tasks["tasks"]
        short = (
            ": few schedulers pay off for tasks so short, put more into each" if tasks["median_seconds"] < SHORT else ""
        )
        longest = units.seconds(tasks["longest_seconds"])
        yield (
            f"{tasks['tasks']} tasks of {units.seconds(tasks['median_seconds'])} (the longest {longest}), "
            f"each returns {units.size(tasks['result_bytes'])}, sync adds {units.seconds(overhead)} to each{short}"
        )
