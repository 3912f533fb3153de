"""granularity: the shortest tasks that leave a scheduler half of its efficiency (METG of 50 %), for four patterns of graphs.

After Slaughter et al., "Task Bench: a parameterized benchmark for evaluating parallel runtime performance", SC20: the
minimum effective task granularity says in one figure what scheduling costs, in the unit in which one cuts work up.

Efficiency is the time that the tasks alone would take on all workers over the time that the compute took. A task's own
time is calibrated in one thread, so that whatever slows tasks down while they run side by side (the GIL, a memory bus, a
clock that is lower when all cores work) counts against the scheduler as well. The graphs have some tens of tasks, as in
one compute of a user, so that what a compute costs once is in it, a thirtieth for each task.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gilbench.probes import Found, Probed, Scene, Unavailable
from gilbench.probes._patterns import PATTERNS, Speed, Steps

SCHEDULERS = None
PINNED = True
OF_WORKLOADS = False

SHORTEST, LONGEST = 10e-6, 100e-3  # seconds of one task
HALF: Final = 0.5  # of the ideal efficiency
TIGHT: Final = 1.35  # of the two tasks between which it lies, the longer over the shorter: the rest is interpolated
MOST: Final = 12  # measurements of one search; 8 where nothing goes wrong
ENOUGH: Final = 0.4  # seconds of computes behind one efficiency
FEWEST_COMPUTES, MOST_COMPUTES = 2, 12
UNCLEAR: Final = (0.3, 0.6)  # efficiencies that the next compute might take to the other side of half
LOOK, LOOKS = 0.03, 5  # seconds of one look at what the machine has left for us, and how many of them
POOR: Final = 0.75  # a best efficiency below it means that the workers do not have a CPU each


@dataclass(frozen=True)
class Metg:
    """What a search found.

    seconds: of the shortest task that keeps half of the efficiency; None where that is out of reach. low, high: the tasks
    tried, in seconds, between which it lies. bound: "" or where it lies instead, "below" or "above" all that was tried.
    points: (seconds of a task, efficiency), shortest first.
    """

    seconds: float | None
    low: float
    high: float
    bound: str
    points: tuple[tuple[float, float], ...]


# --- In the probed process


def _ask_calibrate(scene: Scene) -> Found:
    """Return how long work takes, after a first compute of every pattern: workers import what they run only then."""
    from gilbench.probes._patterns import calibrate, steps_of

    for pattern in PATTERNS:
        _computes(scene, steps_of(pattern, scene.case.parallelism, per_worker=4), 1, lambda walls: True)
    speed = calibrate()
    return {"fixed": speed.fixed, "each": speed.each}


def _ask_efficiency(scene: Scene, pattern: str, task_seconds: float, workers: int, fixed: float, each: float) -> Found:
    """Return the efficiency of the fastest of several computes, and of how many.

    Not of the median: a compute of milliseconds is slowed down by whatever else the machine does, and never sped up, so
    that the fastest one is nearest to what the scheduler costs.
    """
    from gilbench.probes._patterns import rounds, steps_of, tasks_per_worker

    speed = Speed(fixed, each)
    size, steps = speed.bytes_for(task_seconds), steps_of(pattern, workers, tasks_per_worker(task_seconds, workers))
    ideal = rounds(steps, workers) * speed.seconds_for(size)
    walls = _computes(scene, steps, size, lambda walls: enough(walls, ideal))
    return {"efficiency": ideal / min(walls), "computes": len(walls)}


def enough(walls: Sequence[float], ideal: float) -> bool:
    """Tell whether these computes tell half of the efficiency from less: near to it more of them are needed.

    walls: seconds of each compute. ideal: seconds of one without any cost.
    """
    low, high = UNCLEAR
    clear = not low < ideal / min(walls) < high
    return len(walls) >= FEWEST_COMPUTES and (clear or sum(walls) >= ENOUGH or len(walls) >= MOST_COMPUTES)


def _computes(scene: Scene, steps: Steps, size: int, enough: Callable[[Sequence[float]], bool]) -> list[float]:
    """Compute one graph again and again until that is enough; return the seconds of each. Raises WrongAnswer."""
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


def _ask_room(scene: Scene, workers: int, fixed: float, each: float) -> Found:
    """Return the efficiency that so many threads reach without any scheduler: what other programs leave of the CPUs."""
    from concurrent.futures import ThreadPoolExecutor

    from gilbench.probes._patterns import work

    speed, walls = Speed(fixed, each), list[float]()
    size = speed.bytes_for(LOOK)
    with ThreadPoolExecutor(workers) as pool:
        while len(walls) < LOOKS:
            start = time.perf_counter()
            list(pool.map(work, [size] * workers))
            walls.append(time.perf_counter() - start)
    return {"room": speed.seconds_for(size) / min(walls)}


ASKS = {
    "granularity calibrate": _ask_calibrate,
    "granularity efficiency": _ask_efficiency,
    "granularity room": _ask_room,
}


# --- In the parent


def measure(probed: Probed) -> Found:
    """Search the METG of every pattern. Returns plain data for each (see `described`).

    Raises Unavailable where other programs take so much of the CPUs that no scheduler could keep half of its efficiency.
    """
    speed, case = probed.ask("granularity calibrate"), probed.case
    _check_room(probed, speed)

    def efficiency_of(pattern: str) -> Callable[[float], float]:
        return lambda seconds: float(
            probed.ask(
                "granularity efficiency", pattern=pattern, task_seconds=seconds, workers=case.parallelism, **speed
            )["efficiency"]
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
    room = float(probed.ask("granularity room", workers=workers, **speed)["room"])
    if room < HALF:
        bare = "a thread that needs" if workers == 1 else f"{workers} threads that need"
        raise Unavailable(
            f"other programs take the CPUs: even {bare} no scheduler reached {room:.2f} of the ideal; "
            "measure again on a quiet machine"
        )


def search(efficiency: Callable[[float], float], shortest: float = SHORTEST, longest: float = LONGEST) -> Metg:
    """Find the shortest task that keeps half of the efficiency by bisection on the log of its duration.

    efficiency: seconds of a task -> efficiency, roughly growing, measured anew in every call. What disturbs a measurement
    makes it worse, hardly ever better. So the longest task that misses half is measured again before it is believed, and
    the better figure counts; where it then reaches half, the search was led astray, and goes back to below it.
    """
    found: dict[float, float] = {}
    asked: list[float] = []

    def reaches_half(seconds: float) -> bool:
        asked.append(seconds)
        found[seconds] = max(found.get(seconds, 0.0), efficiency(seconds))
        return found[seconds] >= HALF

    # A busy machine lets no long compute pass undisturbed: shorter tasks may reach what the longest do not.
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
    from gilbench import units

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
        said = ", ".join(f"{in_words([one])} ({pattern})" for pattern, one in patterns.items())
        yield f"{scheduler} keeps half its efficiency down to tasks of {said}"
        best = max((one["best"] for one in patterns.values()), default=1.0)
        if best < POOR:
            workers = max(one["workers"] for one in patterns.values())
            lack = "its worker had no CPU of its own" if workers == 1 else f"its {workers} workers had no CPU each"
            yield f"{scheduler} never gets beyond {best:.2f} of the ideal, as if {lack}"


def in_words(found: Sequence[Found]) -> str:
    """Return the METG of several patterns in words: `0.45 ms`, `80 to 120 µs`, `less than 10 to 80 µs`, `more than 100 ms`.

    found: as in `described`.
    """
    ends = sorted((_end(one) for one in found), key=lambda end: end[1])
    (less, shortest), (more, longest) = ends[0], ends[-1]
    first, last = _short(shortest), _short(longest)
    if first == last:
        return f"{less or more}{last}"
    figure, unit = first.split()
    return f"{less}{figure if last.endswith(f' {unit}') and not more else first} to {more}{last}"


def _end(one: Found) -> tuple[str, float]:
    """Return "", "less than " or "more than ", and seconds."""
    bound = one.get("bound")
    if bound:
        return ("less than ", SHORTEST) if bound == "below" else ("more than ", LONGEST)
    return "", float(one["metg"])


def _short(seconds: float) -> str:
    """Format seconds with two digits: the search knows no more."""
    from gilbench import units

    figure, unit = units.seconds(float(f"{seconds:.2g}")).split()
    return f"{float(figure):g} {unit}"
