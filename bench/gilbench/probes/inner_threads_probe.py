"""inner_threads: how many CPUs one task after the other keeps busy by itself, and which library's threads do it.

CPU time of the whole process over wall time, under sync, with inner threads as users get them. Then each library's pool is
pinned to one thread in turn: where the ratio falls back toward 1, that pool was the cause.

Other programs take CPUs away and lower that ratio. So on Linux the parent counts at random moments how many threads of the
process run or wait for a CPU: on average that is nearly the ratio that the process would have with the machine to itself.
Elsewhere it is CPU time over wall time as measured. Either way, two threads that are known to be busy must first read as 2.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gilbench.probes import Found, Probed, Question, Scene, Unavailable

SCHEDULERS = ("sync",)
PINNED = False
OF_WORKLOADS = True
FREE, WITH_ONE_PINNED = 0.3, 0.2  # seconds of computes, at least
CALM = 0.15  # seconds after which OpenBLAS's threads no longer spin while they wait for work: 2**28 cycles
BUSY = 0.1  # seconds for which two threads are known to be busy
LOW, HIGH = 1.7, 2.5  # bounds of what these must read as
GAP = 1e-3  # seconds between two samples, on average
CLEAR = 1.15  # the ratio above which inner threads are at work
# Share of the excess over 1: a pool whose pinning removes that much is a culprit. It is not more, because pyarrow pinned to
# one thread still uses another one to read.
ENOUGH = 0.4


@dataclass(frozen=True)
class Pool:
    """A library's own threads.

    title: its name in a sentence. pin: what a user writes to have one thread only. loaded: whether the library is in use.
    pinned: a block with one thread only. spins: whether its threads keep a CPU busy for a while after their work is done,
    which must not be mistaken for work of the pinned pool.
    """

    title: str
    pin: str
    loaded: Callable[[], bool]
    pinned: Callable[[], AbstractContextManager[object]]
    spins: bool = False


# --- In the probed process


def _libraries(user_api: str) -> bool:
    from threadpoolctl import threadpool_info

    return any(library["user_api"] == user_api for library in threadpool_info())


def _limited(user_api: str) -> AbstractContextManager[object]:
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[object] = threadpool_limits(1, user_api)
    return limited


@contextmanager
def _arrow_pinned() -> Iterator[None]:
    import pyarrow

    before = pyarrow.cpu_count(), pyarrow.io_thread_count()
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    try:
        yield
    finally:
        pyarrow.set_cpu_count(before[0])
        pyarrow.set_io_thread_count(before[1])


def _pandas_has_threads() -> bool:
    if "pandas" not in sys.modules:
        return False
    import pandas

    try:
        pandas.get_option("mode.max_threads")
    except pandas.errors.OptionError:  # pandas before 3.1 has no threads of its own
        return False
    return True


def _pandas_pinned() -> AbstractContextManager[object]:
    import pandas

    pinned: AbstractContextManager[object] = pandas.option_context("mode.max_threads", 1)
    return pinned


POOLS: Mapping[str, Pool] = {
    "blas": Pool(
        "numpy's BLAS",
        "threadpoolctl.threadpool_limits(1) or OPENBLAS_NUM_THREADS=1, MKL_NUM_THREADS=1",
        lambda: _libraries("blas"),
        lambda: _limited("blas"),
        spins=True,
    ),
    "openmp": Pool(
        "OpenMP",
        "threadpoolctl.threadpool_limits(1) or OMP_NUM_THREADS=1",
        lambda: _libraries("openmp"),
        lambda: _limited("openmp"),
        spins=True,
    ),
    "pyarrow": Pool(
        "pyarrow's pools",
        "pyarrow.set_cpu_count(1) and pyarrow.set_io_thread_count(1)",
        lambda: "pyarrow" in sys.modules,
        _arrow_pinned,
    ),
    "pandas": Pool(
        "pandas' own (mode.max_threads)",
        'pandas.set_option("mode.max_threads", 1)',
        _pandas_has_threads,
        _pandas_pinned,
    ),
}


def loaded_pools(scene: Scene) -> Found:
    """Return the names of the pools whose libraries are loaded."""
    return {"pools": [name for name, pool in POOLS.items() if pool.loaded()]}


def compute_pinned(scene: Scene, seconds: float, pool: str = "") -> Found:
    """Compute for this many seconds, with one pool, if any, pinned to one thread. Return start, end and CPU seconds."""
    with POOLS[pool].pinned() if pool else nullcontext():
        if pool and POOLS[pool].spins:
            time.sleep(CALM)
        cpu, start = time.process_time(), time.perf_counter()
        while (now := time.perf_counter()) < start + seconds:
            scene.compute()
        return {"start": start, "end": now, "cpu": time.process_time() - cpu}


def keep_two_threads_busy(scene: Scene, seconds: float) -> Found:
    """Keep two threads busy without the GIL for this many seconds. Return start, end and CPU seconds."""
    import hashlib

    block, stop = bytes(1 << 20), threading.Event()
    time.sleep(CALM)

    def work() -> None:
        while not stop.is_set():
            hashlib.sha256(block)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    cpu, start = time.process_time(), time.perf_counter()
    time.sleep(seconds)
    found = {"start": start, "end": time.perf_counter(), "cpu": time.process_time() - cpu}
    stop.set()
    for thread in threads:
        thread.join()
    return found


# --- In the parent


def examine(probed: Probed) -> Found:
    """Return CPU time over wall time, the same with each loaded pool pinned, and the pools that are the cause.

    cpu_over_wall: nearly what it would be on an idle machine. cpu_got_over_wall: what it was. pools: empty where there are
    no inner threads. Raises Unavailable where two busy threads do not read as such.
    """
    known, _ = _ratios(probed, keep_two_threads_busy, seconds=BUSY)
    if not LOW <= known <= HIGH:
        raise Unavailable(
            f"calibration failed: two busy threads read {known:.2f}, not {LOW} to {HIGH} (is the machine busy?)"
        )
    free, got = _ratios(probed, compute_pinned, seconds=FREE)
    pools: dict[str, float] = {}
    if free > CLEAR:
        for pool in probed.ask(loaded_pools)["pools"]:
            pools[pool], _ = _ratios(probed, compute_pinned, seconds=WITH_ONE_PINNED, pool=pool)
    return {"cpu_over_wall": free, "cpu_got_over_wall": got, "pools": pools, "culprits": culprits(free, pools)}


def _ratios(probed: Probed, question: Question, **what: object) -> tuple[float, float]:
    """Ask what keeps threads busy; return how many CPUs these could have used on average, and how many they got."""
    with sampling(probed.pid) as samples:
        done = probed.ask(question, **what)
    got = done["cpu"] / (done["end"] - done["start"])
    # On Linux the clock is the same in all processes.
    seen = [threads for moment, threads in samples if done["start"] <= moment <= done["end"]]
    return (sum(seen) / len(seen) if seen else got), got


@contextmanager
def sampling(pid: int) -> Iterator[list[tuple[float, int]]]:
    """Yield a list that fills with (moment, threads of the process that run or wait for a CPU). Stays empty outside Linux.

    The moments are random, so that no rhythm of the work can alias with them.
    """
    samples: list[tuple[float, int]] = []
    tasks, stop, draw = Path(f"/proc/{pid}/task"), threading.Event(), random.Random()

    def sample() -> None:
        while not stop.wait(draw.expovariate(1 / GAP)):
            samples.append((time.perf_counter(), runnable(tasks)))

    sampler = threading.Thread(target=sample, daemon=True)
    if tasks.is_dir():
        sampler.start()
    try:
        yield samples
    finally:
        stop.set()
        if sampler.ident is not None:
            sampler.join()


def runnable(tasks: Path) -> int:
    """Return how many threads in a folder /proc/PID/task run or wait for a CPU."""
    count = 0
    try:
        for task in tasks.iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):  # ended between two reads
                # The state follows the name, which may itself contain parentheses and spaces.
                count += (task / "stat").read_bytes().rpartition(b")")[2].split(None, 1)[0] == b"R"
    except (FileNotFoundError, ProcessLookupError):
        return 0  # the process ended too: its caller, which waits for an answer, reports that
    return count


def culprits(free: float, pools: Mapping[str, float]) -> list[str]:
    """Return the pools whose pinning removes much of the ratio's excess over 1, the one that removes most first.

    >>> culprits(1.9, {"blas": 1.88, "pandas": 1.01})
    ['pandas']
    >>> culprits(1.1, {"blas": 0.6})
    []
    """
    if free <= CLEAR:
        return []
    found = [name for name, ratio in pools.items() if free - ratio >= ENOUGH * (free - 1)]
    return sorted(found, key=lambda name: pools[name])


def format(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what a person should know."""
    for scheduler, ratios in found.items():
        ratio = f"CPU time is {ratios['cpu_over_wall']:.1f}x wall time under {scheduler}"
        if ratios["cpu_over_wall"] <= CLEAR:
            yield f"none: {ratio}"
        elif ratios["culprits"]:
            whose = [POOLS[name] for name in ratios["culprits"]]
            titles, pins = " and ".join(pool.title for pool in whose), ", ".join(pool.pin for pool in whose)
            yield f"{ratio}: {titles}; pin to one thread ({pins}), or give dask fewer workers"
        else:
            tried = ", ".join(ratios["pools"]) or "none"
            yield (
                f"{ratio}, and pinning one pool alone (tried: {tried}) does not stop it: "
                "another library's, or several at once; give dask fewer workers"
            )
