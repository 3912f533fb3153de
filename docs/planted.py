"""Tasks with a dial for each cause, for docs/plant_causes.py, which sets the variable PLANTED to `kind dial`.

All work is checksums of a block that stays in a core's cache, without the GIL, unless the dial says otherwise. A task is
LENGTH seconds long on a machine that does 1 GB of sha256 in a second, and proportionally longer on others.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import statistics
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

from gilbench import Job, workload

VARIABLE = "PLANTED"
TASKS = 12
BLOCK = bytes(1 << 17)
BLOCKS = 48  # of a task: about 6 MB, some 5 ms
MEGABYTE = 1 << 20
PIECE = 16 * MEGABYTE  # of what is allocated: below the 32 MB from which glibc always maps
LOCK = threading.Lock()
_streamed: list[Any] = []  # an array far larger than any cache, for each process


def dialed() -> tuple[str, float]:
    """Return kind and dial from the environment; nothing where it says nothing."""
    kind, dial = (os.environ.get(VARIABLE) or "nothing 0").split()
    return kind, float(dial)


# A cold start: each process that imports this module first waits for as long as the dial says.
if dialed()[0] == "cold-start":
    time.sleep(dialed()[1])


def workers() -> int:
    """Return the number of CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def digest(blocks: float) -> int:
    """Checksum so many blocks without the GIL; return their number."""
    for _ in range(round(blocks)):
        hashlib.sha256(BLOCK)
    return round(blocks)


def loop(seconds: float) -> None:
    """Hold the GIL for some CPU time of this thread."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def gil(share: float) -> int:
    """Hold the GIL for a share of the time, in turns of a millisecond or so."""
    turns = 6
    for _ in range(turns):
        start = time.thread_time()
        digest((1 - share) * BLOCKS / turns)
        spent = time.thread_time() - start
        loop(spent * share / (1 - share) if share < 1 else 0.005 / turns)
    return turns


def returned(size: int) -> bytes:
    """Work, then return so many bytes."""
    digest(BLOCKS)
    return bytes([1]) * size


def allocate(megabytes: float) -> int:
    """Allocate so much, write to each page, and release it."""
    pieces = []
    for _ in range(round(megabytes * MEGABYTE / PIECE)):
        piece = bytearray(PIECE)
        piece[::4096] = b"x" * (PIECE // 4096)
        pieces.append(piece)
    return digest(BLOCKS) + len(pieces)


def stream(share: float) -> float:
    """Read memory for a share of the task, and checksum within the cache for the rest."""
    import numpy as np

    if not _streamed:
        _streamed.append(np.ones(1 << 23))
    return digest((1 - share) * BLOCKS) + float(_streamed[0].sum() if share else 0)


def locked(share: float) -> int:
    """Hold a lock that all tasks share for a share of the task."""
    with LOCK:
        done = digest(share * BLOCKS)
    return done + digest((1 - share) * BLOCKS)


def after(before: Any, blocks: int) -> int:
    """Work, once another task is done."""
    return digest(blocks)


def nested(threads: int) -> int:
    """Work in several threads of its own."""
    inner = [threading.Thread(target=digest, args=(BLOCKS // threads,)) for _ in range(threads)]
    for thread in inner:
        thread.start()
    for thread in inner:
        thread.join()
    return threads


Call = tuple[Callable[..., Any], tuple[Any, ...]]


def calls(kind: str, dial: float) -> list[Call]:
    """Return the function and the arguments of each task; of tasks that do not need one another."""

    def several(function: Callable[..., Any], *arguments: Any, count: int = TASKS) -> list[Call]:
        return [(function, arguments)] * count

    if kind in ("nothing", "cold-start"):
        return several(digest, BLOCKS)
    if kind == "imbalance":
        return [*several(digest, BLOCKS * 4, count=1), *several(digest, BLOCKS * 4 / dial, count=workers() - 1)]
    if kind == "payload":
        return several(returned, round(dial * MEGABYTE) // 4, count=4)
    if kind == "length":
        return several(digest, max(1.0, dial / 0.005 * BLOCKS), count=max(TASKS, min(400, round(0.04 / dial))))
    if kind == "inner-threads":
        return several(nested, round(dial))
    one = {"gil": (gil, TASKS), "allocation": (allocate, 4), "streams": (stream, TASKS), "lock": (locked, TASKS)}
    if kind not in one:
        raise ValueError(f"no such cause: {kind}")
    function, count = one[kind]
    return several(function, dial, count=count)


@workload(tiny={}, small={}, default={}, large={})
def planted() -> Job:
    """Tasks with a planted cause"""
    from dask import delayed

    kind, dial = dialed()
    if kind == "chain":
        last = delayed(after, pure=False)(None, BLOCKS)
        for _ in range(TASKS - 1):
            last = delayed(after, pure=False)(last, BLOCKS)
        return Job([last])
    tasks = [delayed(function, pure=False)(*arguments) for function, arguments in calls(kind, dial)]
    return Job(tasks, moved_bytes=round(dial * MEGABYTE) if kind == "payload" else 0)


# --- The same tasks without gilbench and without dask


def sent(function: Callable[..., Any], *arguments: Any) -> bytes:
    """Return what dask's processes would: a pickle."""
    import cloudpickle

    return cloudpickle.dumps(function(*arguments))  # type: ignore[no-any-return]


def plainly(kind: str, dial: float, turns: int = 7) -> dict[str, float]:
    """Return the median seconds of all tasks in a plain loop ("loop"), on one worker of a pool ("one"), and on all ("all").

    The pools are those of concurrent.futures: of processes where the cause is the payload, of threads otherwise.
    """
    work = calls(kind, dial)
    processes = kind == "payload"

    def loop() -> None:
        for function, arguments in work:
            function(*arguments)

    def on(pool: Executor) -> Callable[[], None]:
        def compute() -> None:
            if processes:
                answers = [pool.submit(sent, function, *arguments) for function, arguments in work]
                for answer in answers:
                    pickle.loads(answer.result())  # noqa: S301 - what this program has pickled itself
            else:
                for done in [pool.submit(function, *arguments) for function, arguments in work]:
                    done.result()

        return compute

    def pool_of(count: int) -> Executor:
        return ProcessPoolExecutor(count, get_context("spawn")) if processes else ThreadPoolExecutor(count)

    with pool_of(1) as single, pool_of(workers()) as whole:
        ways = {"loop": loop, "one": on(single), "all": on(whole)}
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(turns + 2):
            for name, compute in ways.items():
                start = time.perf_counter()
                compute()
                if turn >= 2:  # the first two warm up
                    seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in seconds.items()}


if __name__ == "__main__":
    print(json.dumps(plainly(sys.argv[1], float(sys.argv[2]))))
