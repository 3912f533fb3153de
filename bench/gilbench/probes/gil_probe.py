"""gil: how much of the wall time the GIL is held, and how often it changes hands, sampled from outside the process.

The probed process finds out where its own interpreter keeps the GIL: it sets odd switch intervals, and takes the only slot
behind `_PyRuntime` that follows them all. This way, no version's layout has to be known. The parent reads that memory through
/proc/PID/mem at random moments, so that no rhythm of the work can alias with the sampling. gilknocker and distributed's
`gil_contention` measure something else: how long threads wait for the GIL.

The fraction held while tasks run one after the other (sync) bounds the speed-up on threads: at most min(n, 1 / held).
Switches are counted while tasks run on threads: above a few thousand a second, the handing over alone costs more than
threads gain.
"""

from __future__ import annotations

import math
import random
import statistics
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gilbench.probes import Found, Probed, Question, Scene, Unavailable

SCHEDULERS = ("sync", "threads")
PINNED = True
OF_WORKLOADS = True
SECONDS = 0.5  # of sampling
GAP = 60e-6  # seconds between two samples, on average
CALIBRATION = 0.1  # seconds of sampling in each of its two steps
EARLY, LATE = 0.02, 0.02  # seconds of being busy before and after the sampling
BUSY, IDLE = 0.97, 0.03  # what a busy loop must read at least, and a sleep at most
MANY_SWITCHES = 5000  # a second
HARMLESS, HOPELESS = 0.05, 0.8  # fractions held, below which threads are not limited, and above which they hardly gain
BLOCKS = 20  # stretches of sampling, over which the interval is taken

# struct _gil_runtime_state since CPython 3.11: unsigned long interval; PyThreadState *last_holder; int locked;
# unsigned long switch_number. These are offsets in bytes from `interval`; the calibration proves them right.
LOCKED, SWITCHES = 16, 24
INTERVALS = (12347, 7919, 23456)  # microseconds
REACH = 1 << 20  # bytes behind _PyRuntime that are searched


@dataclass(frozen=True)
class Held:
    """What was sampled.

    held: fraction of wall time; low, high: its 95 % interval. switches: of the GIL's holder, per second. samples: how many.
    """

    held: float
    low: float
    high: float
    switches: float
    samples: int


# --- In the probed process


def address() -> int:
    """Return the address of this interpreter's GIL interval. Raises Unavailable where it cannot be known for certain."""
    import ctypes

    if sys.platform != "linux":
        raise Unavailable(f"the GIL can be read on Linux only, and this is {sys.platform}")
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        raise Unavailable("this free-threaded interpreter runs without a GIL")
    try:
        runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    except (AttributeError, ValueError) as error:
        raise Unavailable(f"this interpreter is not a CPython that exposes its runtime: {error}") from error
    before = sys.getswitchinterval()
    found: set[int] | None = None
    try:
        for microseconds in INTERVALS:
            sys.setswitchinterval(microseconds / 1e6)
            slots = _slots(runtime, round(sys.getswitchinterval() * 1e6))
            found = slots if found is None else found & slots
    except OSError as error:
        raise Unavailable(f"/proc/self/mem cannot be read: {error.strerror}") from error
    finally:
        sys.setswitchinterval(before)
    if found is None or len(found) != 1:
        raise Unavailable(f"{len(found or ())} places in memory look like the GIL: this interpreter is not known")
    return runtime + found.pop()


def _slots(start: int, wanted: int) -> set[int]:
    """Return the offsets of the 8-byte slots that hold a number. In /proc/self/mem a hole is an error, not a crash."""
    image = b""
    with Path("/proc/self/mem").open("rb", buffering=0) as memory:
        while len(image) < REACH:
            memory.seek(start + len(image))
            try:
                image += memory.read(1 << 16)
            except OSError:
                if not image:
                    raise
                break
    return {
        8 * i for i, (value,) in enumerate(struct.iter_unpack("Q", image[: len(image) // 8 * 8])) if value == wanted
    }


def find_gil(scene: Scene) -> Found:
    """Return the address of the GIL's interval (see `address`)."""
    return {"address": address()}


def stay_busy(scene: Scene, seconds: float) -> Found:
    """Hold the GIL all the time."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
    return {}


def stay_idle(scene: Scene, seconds: float) -> Found:
    """Never hold the GIL."""
    time.sleep(seconds)
    return {}


def compute_for(scene: Scene, seconds: float) -> Found:
    """Compute for this many seconds; return how many computes there were, and their seconds, without settling."""
    computes, spent, end = 0, 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        scene.compute()
        spent += time.perf_counter() - start
        computes += 1
        scene.settle()
    return {"computes": computes, "seconds": spent}


# --- In the parent


def examine(probed: Probed, question: Question = compute_for) -> Found:
    """Calibrate, then sample while the case computes. Raises Unavailable where the result could not be trusted.

    question: what keeps the process at work for `seconds`, and answers as `compute_for` does.
    """
    place = int(probed.ask(find_gil)["address"])
    calibrate(probed, place)
    found, done = _sampled(probed, place, SECONDS, question)
    return {
        "held": found.held,
        "low": found.low,
        "high": found.high,
        "switches_per_second": found.switches,
        "samples": found.samples,
        "computes": done["computes"],
    }


def calibrate(probed: Probed, place: int) -> None:
    """Raise Unavailable unless the GIL reads as held during a busy loop, and as free during a sleep."""
    steps: tuple[tuple[str, Question, float, float], ...] = (
        ("busy", stay_busy, BUSY, 1.0),
        ("idle", stay_idle, 0.0, IDLE),
    )
    for name, question, low, high in steps:
        read = _sampled(probed, place, CALIBRATION, question)[0].held
        check_reading(name, read, low, high)


def check_reading(name: str, read: float, low: float, high: float) -> None:
    """Raise Unavailable for a reading of a known state that lies outside these bounds."""
    if not low <= read <= high:
        raise Unavailable(f"calibration failed: {name} reads {read:.2f}, not {low} to {high}")


def _sampled(probed: Probed, place: int, seconds: float, question: Question) -> tuple[Held, Found]:
    """Sample for this many seconds while the probed process is at work on a question; return what was read, and its answer."""
    probed.pose(question, seconds=seconds + EARLY + LATE)
    time.sleep(EARLY)  # the question has to get there
    try:
        found = sample(probed.pid, place, seconds)
    except Unavailable:
        probed.answer()  # where the process died, this says why
        raise
    return found, probed.answer()


def sample(pid: int, place: int, seconds: float) -> Held:
    """Read the GIL of a child process for this many seconds, at exponentially distributed gaps. Raises Unavailable."""
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            return _sample(memory, place, seconds)
    except (OSError, struct.error) as error:
        raise Unavailable(f"the memory of the probed process cannot be read: {error}") from error


def _sample(memory: Any, place: int, seconds: float) -> Held:
    def peek(offset: int, form: str, size: int) -> int:
        memory.seek(place + offset)
        return int(struct.unpack(form, memory.read(size))[0])

    draw, blocks = random.Random(), [[0, 0] for _ in range(BLOCKS)]
    wake_up_sharply()
    first, start = peek(SWITCHES, "Q", 8), time.perf_counter()
    while (gone := time.perf_counter() - start) < seconds:
        block = blocks[int(gone / seconds * BLOCKS)]
        block[0] += peek(LOCKED, "i", 4) != 0
        block[1] += 1
        time.sleep(draw.expovariate(1 / GAP))
    switches = (peek(SWITCHES, "Q", 8) - first) / (time.perf_counter() - start)
    return estimate([(held, samples) for held, samples in blocks if samples], switches)


def estimate(blocks: list[tuple[int, int]], switches: float) -> Held:
    """Return the fraction of samples with the GIL held, and an interval.

    blocks: (samples with the GIL held, all samples) of successive stretches. The interval is the wider of two: Wilson's
    (Wilson, J. Am. Stat. Assoc. 22, 1927), which takes samples as independent, and Student's t over the blocks, which takes
    only blocks as independent.
    """
    from gilbench.stats import student_quantile

    held, samples = sum(block[0] for block in blocks), sum(block[1] for block in blocks)
    p, z2 = held / samples, 1.96**2
    center = (p + z2 / (2 * samples)) / (1 + z2 / samples)
    half = math.sqrt(z2) / (1 + z2 / samples) * math.sqrt(p * (1 - p) / samples + z2 / (4 * samples**2))
    low, high = center - half, center + half
    if len(blocks) > 1:
        error = statistics.stdev(block[0] / block[1] for block in blocks) / math.sqrt(len(blocks))
        reach = student_quantile(len(blocks) - 1, 0.975) * error
        low, high = min(low, p - reach), max(high, p + reach)
    return Held(p, max(0.0, low), min(1.0, high), switches, samples)


def wake_up_sharply() -> None:
    """Ask Linux to wake this thread on time: it may be up to 50 µs late otherwise. Best effort."""
    if sys.platform == "linux":
        import ctypes

        pr_set_timerslack = 29
        ctypes.CDLL(None).prctl(pr_set_timerslack, 1)


def format(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what a person should know."""
    sync, threads = found.get("sync", {}), found.get("threads", {})
    if "held" in sync:
        share = f"held {percent(sync['held'])} of the time ({percent(sync['low'])} to {percent(sync['high'])})"
        yield f"{share} while one task after the other runs: {meaning(sync['held'])}"
    if "switches_per_second" in threads:
        rate = threads["switches_per_second"]
        verdict = (
            "so many that handing over alone costs more than threads gain: use processes"
            if rate > MANY_SWITCHES
            else "few"
        )
        yield f"changes hands {rate:,.0f} times a second on threads, {verdict}; held {percent(threads['held'])} there"


def meaning(held: float) -> str:
    """Return what it means for threads that tasks, one after the other, hold the GIL for a fraction of the time."""
    if held < HARMLESS:
        return "it does not limit threads"
    if held > HOPELESS:
        return f"threads gain next to nothing (at most {1 / held:.1f}x): use processes, or code that releases the GIL"
    return f"threads are at most {1 / held:.1f}x as fast as sync, however many"


def percent(fraction: float) -> str:
    """Format a fraction: `24 %`."""
    return f"{100 * fraction:.0f} %"
