"""Measure how well the gil probe reads a known truth: python docs/measure_gil.py [PYTHON ...]

A child alternates between Python code, which holds the GIL, and checksums, which release it, and times both from the
inside while the probe samples it from the outside for half a second: 12 mixes from 0 to 1, alternating every 10 us, 100
us, 1 ms and 10 ms. The time that a call takes besides its checksum is calibrated before and after. Where the two differ,
the truth is in doubt and the measurement is repeated. Prints a table. Only the interpreter that runs this needs
gilbench's packages; those that are measured need none. The machine should do nothing else.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import gilbench
from gilbench.probes import Unavailable
from gilbench.probes.gil_probe import SECONDS, sample

MIXES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PERIODS = (10e-6, 100e-6, 1e-3, 10e-3)  # seconds of a turn of Python and a checksum together
DOUBT = 0.01  # uncertainty of the truth above which a measurement is repeated
TRIES = 6
SPARE = 0.05  # seconds that the child goes on alternating after it was sampled
SOURCES = str(Path(gilbench.__file__).parents[1])
CHILD = """
import statistics, sys, time, zlib
from gilbench.probes.gil_probe import address
held, period, seconds = map(float, sys.argv[1:])
data = memoryview(bytes(1 << 26))
LEAST = 5200  # bytes: crc32 releases the GIL for more than 5 KiB

def alternate(size, turn, until, clock=time.perf_counter, checksum=zlib.crc32):
    "Return the seconds that each checksum took."
    view, found = data[:size], []
    while (now := clock()) < until:
        now += turn
        while clock() < now:
            pass
        if size:
            start = clock()
            checksum(view)
            found.append(clock() - start)
    return found

def seconds_of(size):
    return statistics.median(alternate(size, 0.0, time.perf_counter() + 0.02))

def calibrated():
    "Return the seconds that a call takes besides its checksum, mostly with the GIL held, and the seconds per byte."
    short, long = seconds_of(LEAST), seconds_of(4 * LEAST)
    each = (long - short) / (3 * LEAST)
    return short - LEAST * each, each

overhead, each = calibrated()
size = max(LEAST, int((1 - held) * period / each)) if held < 1 else 0  # longer where a checksum cannot be so short
turn = max(0.0, size * each * held / (1 - held) - overhead) if size else period

print(address(), flush=True)
sys.stdin.readline()
start = time.perf_counter()
found = alternate(size, turn, start + seconds)
total = time.perf_counter() - start
after, _ = calibrated()
released = [sum(max(0.0, call - around) for call in found) / total for around in (overhead, after)]
print(1 - sum(released) / 2, abs(released[0] - released[1]) / 2, flush=True)
"""


def main() -> None:
    """Measure every interpreter, and print the table."""
    print(
        "| interpreter | mixes x periods | mean error | worst error | worst at | worst from 100 us on | bias at 10 us |"
    )
    print("|---|---|---|---|---|---|---|")
    for python in sys.argv[1:] or [sys.executable]:
        print(row(python), flush=True)


def row(python: str) -> str:
    """Return an interpreter's row of the table. The bias is the signed mean error, which a busy machine does not explain."""
    try:
        name = version(python)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"| {python} | | cannot be run: {error} | | | | |"
    try:
        every = {(mix, period): error_of(python, mix, period) for mix in MIXES for period in PERIODS}
    except Unavailable as reason:
        return f"| {name} | | unavailable: {reason} | | | | |"
    errors = {key: error for key, error in every.items() if error is not None}
    unknown = len(every) - len(errors)
    sizes = {key: abs(error) for key, error in errors.items()}
    mix, period = max(sizes, key=lambda key: sizes[key])
    bias = statistics.mean(error for (_, period), error in errors.items() if period == PERIODS[0])
    worst_but_shortest = max(abs(error) for (_, period), error in errors.items() if period != PERIODS[0])
    measured = f"{len(errors)} ({unknown} unknown)" if unknown else str(len(errors))
    return (
        f"| {name} | {measured} | {statistics.mean(sizes.values()):.3f} | {max(sizes.values()):.3f} "
        f"| held {mix:g}, every {period * 1e6:g} us | {worst_but_shortest:.3f} | {bias:+.3f} |"
    )


def error_of(python: str, mix: float, period: float) -> float | None:
    """Return what the probe reads minus the truth; None where the truth was never known well enough."""
    for _ in range(TRIES):
        error, doubt = measure(python, mix, period)
        if doubt <= DOUBT:
            return error
    return None


def measure(python: str, mix: float, period: float) -> tuple[float, float]:
    """Return what the probe reads minus the truth, and how uncertain the truth is, by the two calibrations."""
    environment = {**os.environ, "PYTHON_GIL": "1", "PYTHONPATH": SOURCES}
    command = [python, "-c", CHILD, str(mix), str(period), str(SECONDS + SPARE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdin is not None and child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise Unavailable("the child failed: see above")
        child.stdin.write("\n")
        child.stdin.flush()
        time.sleep(0.005)
        found = sample(child.pid, int(line), SECONDS)
        truth, doubt = map(float, child.stdout.readline().split())
        return found.held - truth, doubt


def version(python: str) -> str:
    """Return the interpreter's version, with a t if it is free-threaded (it runs with the GIL enabled here)."""
    code = (
        "import platform, sysconfig; "
        "print(platform.python_version() + ('t' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''))"
    )
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
