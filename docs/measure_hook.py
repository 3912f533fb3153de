"""Measure what pyperf's hook `gil` adds to a timing: python docs/measure_hook.py [PROCESSES]

Each fresh process measures the same value in turns, inside the hook as pyperf does it and without the hook, its sampler
stopped, in random order within each pair. So the memory layout, whose effect differs between processes by more than the
hook costs, is the same for both. A process gives one log ratio, the median of its pairs. Prints the ratio over the
processes with its 95% interval, for a Python loop and for native work that releases the GIL. The machine should do
nothing else.
"""

from __future__ import annotations

import math
import random
import signal
import statistics
import subprocess
import sys
import time
import timeit

from gilbench import units
from gilbench.probes.pyperf_hook import Gil
from gilbench.stats import paired_ratio

STATEMENTS = {
    "a Python loop": ("sum(i * i for i in range(20_000))", "pass"),
    "zlib.crc32 of 4 MB": ("zlib.crc32(data)", "import zlib; data = bytes(4_000_000)"),
}
TURN = 0.05  # seconds that a turn lasts
PAIRS = 80  # of turns in each process


def main() -> None:
    """Print a line for each statement; given the name of a statement, be one of its processes."""
    if sys.argv[1:] and sys.argv[1] in STATEMENTS:
        print(log_ratio(*STATEMENTS[sys.argv[1]]))
        return
    processes = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    for name in STATEMENTS:
        command = [sys.executable, __file__, name]
        logs = [float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(processes)]
        print(f"{name}: with the hook {units.estimate(paired_ratio(logs), 'ratio')} of the time without", flush=True)


def log_ratio(statement: str, setup: str) -> float:
    """Return ln(time with the hook / time without), the median over pairs of neighboring turns in this process."""
    timer = timeit.Timer(statement, setup)
    loops = max(1, round(TURN / (timer.timeit(10) / 10)))
    hook = Gil()
    sampler = hook._sampler  # stopped during turns without the hook
    assert sampler is not None, hook.reason

    def turn(hooked: bool) -> float:
        sampler.send_signal(signal.SIGCONT if hooked else signal.SIGSTOP)
        time.sleep(0.002)  # until the signal has arrived
        if not hooked:
            return timer.timeit(loops)
        with hook:
            return timer.timeit(loops)

    draw, logs = random.Random(), []
    for _ in range(PAIRS):
        found = {hooked: turn(hooked) for hooked in draw.sample([True, False], 2)}
        logs.append(math.log(found[True] / found[False]))
    sampler.send_signal(signal.SIGCONT)
    hook.teardown({})
    return statistics.median(logs)


if __name__ == "__main__":
    main()
