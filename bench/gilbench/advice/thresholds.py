"""Every threshold of `gilbench advise`, by what it decides. What a scheduler costs is in the scheduler's own file.

The text under a field gives its unit, what it is for and where the figure comes from. "By hand" means that no measurement of
this figure alone is on record. How well they work together is measured by docs/measure_advice.py, simulated by
docs/simulate_advice.py and reported in docs/advice.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Sample:
    """How many of the user's items are probed and raced."""

    per_cpu: int = 4
    """Items for each CPU that are probed; by hand."""
    seconds: float = 0.4
    """Seconds of work in one compute of the race, where items can be left out; docs/advice.md."""
    waiting: float = 2.0
    """Times `seconds` at most where tasks wait, because many can then be under way; by hand."""
    longest_seconds: float = 1.6
    """Seconds of work in one compute at most, where tasks wait; docs/advice.md."""


@dataclass(frozen=True)
class Entry:
    """Who takes part in the race, and with how many workers and items per task."""

    gil_held: float = 0.95
    """Fraction of wall time: a GIL held this much leaves threads no gain worth having; docs/advice.md."""
    large_result: float = 1e5
    """Bytes of one result from which threads may win whatever the GIL: glibc is slower in the main thread; docs/advice.md."""
    pipe: float = 4e9
    """Bytes per second between processes, far above any machine of today, because it only rules out; docs/advice.md."""
    bounded: float = 1.01
    """Ratio to the ideal time above which a bound is explained by more than too few workers; by hand."""
    slow_start_gain: float = 0.1
    """Gain, as a fraction, that a scheduler which starts slowly must promise; docs/advice.md."""
    long_task: float = 0.05
    """Seconds of a task above which overhead matters little: processes add 1 to 2 ms to each task; docs/advice.md."""
    lone_task: float = 0.01
    """Seconds of an item from which each is a task of its own where one task follows the other; by hand."""
    tasks_per_worker: int = 4
    """Tasks that each worker gets at least, so that all of them end at about the same time; docs/advice.md."""
    inner_threads: float = 1.15
    """CPU time over wall time under sync, above which tasks have threads of their own; by hand."""
    waits: float = 0.9
    """CPU time over wall time below which tasks wait, and more of them than CPUs are worth a try; docs/advice.md."""
    mostly_waits: float = 0.5
    """The same, below which only more workers than CPUs race; docs/advice.md."""
    busy_twice: int = 2
    """Tasks under way, as a multiple of those that keep all CPUs busy if they take turns, which they do not; docs/advice.md."""
    most_threads: int = 32
    """Threads at most where tasks wait, because waiting tasks cost memory all the same; docs/advice.md."""
    most_threads_per_cpu: int = 4
    """Threads for each CPU that race at most, where that is more than `most_threads`; docs/advice.md."""


@dataclass(frozen=True)
class Race:
    """How the race goes, and when it ends."""

    budget: float = 25.0
    """Seconds for everything: what would not finish by then is not started; docs/advice.md."""
    heat: float = 2.0
    """Seconds of racing in one set of processes; by hand."""
    repeats: int = 3
    """Further sets of fresh processes, at most, for what is too close to call; docs/advice.md."""
    fewest_rounds: int = 3
    """Rounds in one heat; an interval needs that many; by hand."""
    most_rounds: int = 40
    """Rounds in one heat; by hand."""
    longer: float = 2.0
    """Times `heat`, where that is too short for the fewest rounds; by hand."""
    confidence: float = 0.99
    """Confidence at which a contender leaves: higher than usual, because of a test after every round; docs/advice.md."""
    hopeless: float = 1.35
    """Ratio to the leader at which a contender leaves, seen in both of the first two rounds; docs/advice.md."""
    hopeless_at_once: float = 3.0
    """The same after a single round, which may have met a busy moment; by hand."""
    hopeless_cold: float = 1.5
    """The same after the first start, where starting the workers counts; by hand."""
    lost: float = 2.0
    """Ratio to the leader at which processes have lost so clearly that no others need to start; docs/advice.md."""
    patience: float = 1.0
    """Seconds to wait for a turn beyond those that would rule it out; by hand."""
    opening: float = 8.0
    """Seconds that a first compute may take beyond what one process alone needs, with inner threads; by hand, because without
    a limit half a second became 18 s (docs/advice.md)."""
    rest: float = 0.1
    """Seconds of rest after a turn whose inner threads may still spin, waiting for work; by hand."""
    efficient: float = 1.3
    """Ratio to the ideal time below which fewer workers are not tried; by hand."""
    fewer_workers_from: int = 4
    """CPUs from which half as many workers are tried; by hand."""


@dataclass(frozen=True)
class Noise:
    """How much times differ for reasons other than the contender. Standard deviations of the logarithm."""

    layout: float = 0.035
    """Between two processes that measure the same case (memory layout); docs/check.md."""
    chunk: float = 0.01
    """Between two chunks in one process: a chance agreement of few rounds is not believed; by hand."""
    single_turn: float = 0.1
    """Of one turn, where a single turn cannot say; by hand."""
    machine: float = 0.08
    """Of a speed-up, between two moments on one machine; docs/advice.md."""
    freedom: float = 10.0
    """Degrees of freedom: how well `layout`, `chunk` and `machine` are known; by hand."""


@dataclass(frozen=True)
class Decision:
    """Who wins, and how sure that is."""

    same: float = 0.05
    """Difference, as a fraction, below which there is none; docs/advice.md."""
    tie: float = 0.03
    """The same for what was measured: the simpler one is then rarely 5 % worse in truth; docs/advice.md."""
    closest: int = 3
    """Schedulers that race again where it is too close to call; by hand."""
    too_wide: float = 1.25
    """Ratio by which a rival may still be faster; above it nothing can be said; docs/advice.md."""


@dataclass(frozen=True)
class Wording:
    """How much of something is worth a sentence. All of these were chosen by hand."""

    unforeseen: float = 1.5
    """Time of all items over what the sample suggested."""
    uneven: float = 3.0
    """The longest task over the median one."""
    moved: float = 1e6
    """Bytes of results in one compute."""
    overhead: float = 0.2
    """Seconds lost for each task, as a fraction of the task."""
    short_task: float = 0.0025
    """Seconds of a task below which bigger tasks would help sync's rivals."""
    gil_matters: float = 0.3
    """Fraction of wall time that the GIL is held, above which a Python without it would help."""
    gil_forces_processes: float = 0.5
    """The same, above which smaller results would help, because only processes are left."""
    gil_explains: float = 0.02
    """The same, below which switches of the GIL are not asked for."""
    unexplained: float = 1.3
    """Time on threads over what the GIL explains, above which its switches are asked for."""


SAMPLE: Final = Sample()
ENTRY: Final = Entry()
RACE: Final = Race()
NOISE: Final = Noise()
DECISION: Final = Decision()
WORDING: Final = Wording()
