"""granularity: the shortest tasks that leave a scheduler half of its efficiency (METG of 50 %), for four patterns of graphs.

After Slaughter et al., "Task Bench: a parameterized benchmark for evaluating parallel runtime performance", SC20: the
minimum effective task granularity (METG) says in one figure what scheduling costs, in the unit in which work is divided.

Efficiency is the time that the tasks alone would take on all workers, over the time that the compute took. A task's own
time is calibrated in one thread, so that whatever slows tasks down while they run side by side (the GIL, a memory bus, a
clock that is slower when all cores work) counts against the scheduler as well. The graphs have a few dozen tasks, like
one compute of a user. So the fixed costs of a compute are included, about a thirtieth of them for each task.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gilbench import units
from gilbench.probes import Found, Probed, Scene, Unavailable
from gilbench.probes._patterns import PATTERNS, Speed, Steps

SCHEDULERS = None
PINNED = True
OF_WORKLOADS = False

SHORTEST, LONGEST = 10e-6, 100e-3  # seconds of one task
HALF: Final = 0.5  # of the ideal efficiency
TIGHT: Final = 1.35  # ratio of the two durations between which it lies, small enough to interpolate
MOST: Final = 12  # measurements of one search; 8 where nothing goes wrong
ENOUGH: Final = 0.4  # seconds of computes behind one efficiency
FEWEST_COMPUTES, MOST_COMPUTES = 2, 12
UNCLEAR: Final = (0.3, 0.6)  # efficiencies so near to half that the next compute might fall on its other side
TRIAL, TRIALS = 0.03, 5  # seconds of one trial of how much of the CPUs other programs leave, and the number of trials
POOR: Final = 0.75  # a best efficiency below it means that the workers do not have a CPU each


@dataclass(frozen=True)
class Metg:
    """What a search found.

    seconds: of the shortest task that keeps half of the efficiency; None where that is out of reach. low, high: seconds of
    the tasks tried between which it lies. bound: "", or "below" or "above" where it lies outside of all that was tried.
    points: (seconds of a task, efficiency), shortest first.
    """

    seconds: float | None
    low: float
    high: float
    bound: str
    points: tuple[tuple[float, float], ...]


# --- In the probed process


def calibrate_work(scene: Scene) -> Found:
    """Return how long work takes. Every pattern is computed once before, because workers import what they run only then."""
    from gilbench.probes._patterns import calibrate, steps_of

    for pattern in PATTERNS:
        _computes(scene, steps_of(pattern, scene.case.parallelism, per_worker=4), 1, lambda walls: True)
    speed = calibrate()
    return {"fixed": speed.fixed, "each": speed.each}


def efficiency_of_pattern(
    scene: Scene, pattern: str, task_seconds: float, workers: int, fixed: float, each: float
) -> Found:
    """Return the efficiency of the fastest of several computes, and the number of computes.

    The fastest and not the median: whatever else the machine does slows a compute of milliseconds down, and never speeds
    it up, so that the fastest one is nearest to what the scheduler costs. fixed, each: of a Speed, in seconds.
    """
    from gilbench.probes._patterns import rounds, steps_of, tasks_per_worker

    speed = Speed(fixed, each)
    size, steps = speed.bytes_for(task_seconds), steps_of(pattern, workers, tasks_per_worker(task_seconds, workers))
    ideal = rounds(steps, workers) * speed.seconds_for(size)
    walls = _computes(scene, steps, size, lambda walls: enough(walls, ideal))
    return {"efficiency": ideal / min(walls), "computes": len(walls)}


def enough(walls: Sequence[float], ideal: float) -> bool:
    """Return whether these computes show if half of the efficiency is reached. Near half, more of them are needed.

    walls: seconds of each compute. ideal: seconds of one compute if scheduling cost nothing.
    """
    low, high = UNCLEAR
    clear = not low < ideal / min(walls) < high
    return len(walls) >= FEWEST_COMPUTES and (clear or sum(walls) >= ENOUGH or len(walls) >= MOST_COMPUTES)


def _computes(scene: Scene, steps: Steps, size: int, enough: Callable[[Sequence[float]], bool]) -> list[float]:
    """Compute one graph repeatedly until that is enough; return the seconds of each compute. Raises WrongAnswer."""
    from dask import compute

    from gilbench.cases.checking import WrongAnswer
    from gilbench.probes._patterns import Graph, answers

    graph, right, walls = Graph(steps, size), answers(steps), list[float]()
    while not walls or not enough(walls):
        start = time.perf_counter()
        (results,) = compute(graph, **scene.opened.keywords)
        walls.append(time.perf_counter() - start)
        scene.settle()
        if results != right:
            raise WrongAnswer(f"a graph of the granularity probe gives {results}, not {right}")
    return walls


def efficiency_without_scheduler(scene: Scene, workers: int, fixed: float, each: float) -> Found:
    """Return the efficiency ("room") that `workers` threads reach without any scheduler: other programs leave no more."""
    from concurrent.futures import ThreadPoolExecutor

    from gilbench.probes._patterns import work

    speed, walls = Speed(fixed, each), list[float]()
    size = speed.bytes_for(TRIAL)
    with ThreadPoolExecutor(workers) as pool:
        while len(walls) < TRIALS:
            start = time.perf_counter()
            list(pool.map(work, [size] * workers))
            walls.append(time.perf_counter() - start)
    return {"room": speed.seconds_for(size) / min(walls)}


# --- In the parent


def examine(probed: Probed) -> Found:
    """Search the METG of every pattern. Return plain data for each (see `described`).

    Raises Unavailable where other programs take so much of the CPUs that no scheduler could keep half of its efficiency.
    """
    speed, case = probed.ask(calibrate_work), probed.case
    _check_room(probed, speed)

    def efficiency_of(pattern: str) -> Callable[[float], float]:
        return lambda seconds: float(
            probed.ask(efficiency_of_pattern, pattern=pattern, task_seconds=seconds, workers=case.parallelism, **speed)[
                "efficiency"
            ]
        )

    shape = {"workers": case.parallelism, "processes": case.workers, "threads": case.threads}
    found: Found = {}
    for pattern in PATTERNS:
        metg = search(efficiency_of(pattern))
        if metg.bound == "above":
            _check_room(probed, speed)
        found[pattern] = {**described(metg), **shape}
    return found


def _check_room(probed: Probed, speed: Mapping[str, float]) -> None:
    workers = probed.case.parallelism
    room = float(probed.ask(efficiency_without_scheduler, workers=workers, **speed)["room"])
    if room < HALF:
        bare = "a thread that needs" if workers == 1 else f"{workers} threads that need"
        raise Unavailable(
            f"other programs take the CPUs: even {bare} no scheduler reached {room:.2f} of the ideal; "
            "measure again on a quiet machine"
        )


def search(efficiency: Callable[[float], float], shortest: float = SHORTEST, longest: float = LONGEST) -> Metg:
    """Find the shortest task that keeps half of the efficiency, by bisection on the log of its duration.

    efficiency: seconds of a task -> efficiency, roughly increasing, measured again in every call. A disturbance makes a
    measurement worse, hardly ever better. So the longest task that misses half is measured again before the result is
    believed, and the better figure counts. Where it then reaches half, the search was misled, and goes back to below it.
    """
    found: dict[float, float] = {}
    asked: list[float] = []

    def reaches_half(seconds: float) -> bool:
        asked.append(seconds)
        found[seconds] = max(found.get(seconds, 0.0), efficiency(seconds))
        return found[seconds] >= HALF

    # On a busy machine every long compute is disturbed: shorter tasks may reach half where the longest do not.
    high = next((longest / divisor for divisor in (1, math.sqrt(10), 10) if reaches_half(longest / divisor)), None)
    if high is None:
        return Metg(None, longest, math.inf, "above", _points(found))
    low, believed = 0.0, set[float]()
    while len(asked) < MOST:
        if not low:
            tried = shortest
        elif high / low > TIGHT:
            tried = math.sqrt(low * high)
        elif low not in believed:
            believed.add(tried := low)
        else:
            break
        if not reaches_half(tried):
            low = tried
            continue
        if tried == shortest:
            return Metg(None, 0.0, shortest, "below", _points(found))
        high, low = tried, max(seconds for seconds in found if seconds < tried and found[seconds] < HALF)
    return Metg(_crossing((low, found[low]), (high, found[high])), low, high, "", _points(found))


def _points(found: Mapping[float, float]) -> tuple[tuple[float, float], ...]:
    return tuple(sorted(found.items()))


def _crossing(low: tuple[float, float], high: tuple[float, float]) -> float:
    """Return where the line between two points (seconds, efficiency) crosses half, seconds being on a log scale."""
    (short, worse), (long, better) = low, high
    return short * math.pow(long / short, (HALF - worse) / (better - worse))


def described(metg: Metg) -> Found:
    """Return it as plain data.

    metg: seconds, or None; bound and reason then say why. between: seconds. best: the highest efficiency of all points.
    """
    best = max(efficiency for _, efficiency in metg.points)
    found: Found = {"metg": metg.seconds, "best": best, "points": [list(point) for point in metg.points]}
    if not metg.bound:
        return {**found, "between": [metg.low, metg.high]}
    if metg.bound == "below":
        reason = f"even tasks of {units.seconds(metg.high)} keep half of the efficiency"
    else:
        reason = f"tasks of {units.seconds(metg.low)} have {best:.2f} of the ideal efficiency at best, less than half"
    return {**found, "bound": metg.bound, "reason": reason}


def format(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what a person should know."""
    for scheduler, patterns in found.items():
        limits = ", ".join(f"{metg_text([metg])} ({pattern})" for pattern, metg in patterns.items())
        yield f"{scheduler} keeps half its efficiency down to tasks of {limits}"
        best = max((metg["best"] for metg in patterns.values()), default=1.0)
        if best < POOR:
            workers = max(metg["workers"] for metg in patterns.values())
            lack = "its worker had no CPU of its own" if workers == 1 else f"its {workers} workers had no CPU each"
            yield f"{scheduler} never gets beyond {best:.2f} of the ideal, as if {lack}"


def metg_text(found: Sequence[Found]) -> str:
    """Return the METG of several patterns as text: `0.45 ms`, `80 to 120 µs`, `less than 10 to 80 µs`, `more than 100 ms`.

    found: as in `described`.
    """
    ends = sorted((_end(metg) for metg in found), key=lambda end: end[1])
    (less, shortest), (more, longest) = ends[0], ends[-1]
    first, last = _short(shortest), _short(longest)
    if first == last:
        return f"{less or more}{last}"
    figure, unit = first.split()
    return f"{less}{figure if last.endswith(f' {unit}') and not more else first} to {more}{last}"


def _end(metg: Found) -> tuple[str, float]:
    """Return "", "less than " or "more than ", and seconds."""
    bound = metg.get("bound")
    if bound:
        return ("less than ", SHORTEST) if bound == "below" else ("more than ", LONGEST)
    return "", float(metg["metg"])


def _short(seconds: float) -> str:
    """Format seconds with two digits: the search is no more precise."""
    figure, unit = units.seconds(float(f"{seconds:.2g}")).split()
    return f"{float(figure):g} {unit}"
