"""How well the gil probe reads a known truth: python docs/measure_gil.py [PYTHON ...]

A child alternates between Python code, which holds the GIL, and hashing, which releases it, and takes the time of both
from inside while the probe samples it from outside for half a second: 12 mixes from 0 to 1, alternating every 10 us, 100
us, 1 ms and 10 ms. Prints a table; interpreters need no packages. Do nothing else on the machine meanwhile.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.probes import Unavailable
from bench.probes.gil import SECONDS, sample

MIXES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PERIODS = (10e-6, 100e-6, 1e-3, 10e-3)  # seconds of one turn of Python and hashing together
CHILD = """
import hashlib, sys, time
from bench.probes.gil import address
held, period, seconds = map(float, sys.argv[1:])
clock, data = time.perf_counter, bytes(1 << 26)

def rate(size):
    best = 1e9
    for _ in range(200 if size < 1 << 20 else 5):
        a = clock()
        hashlib.sha256(memoryview(data)[:size]).digest()
        best = min(best, clock() - a)
    return best

# What a call takes beside the hashing, all of it with the GIL held: short data is hashed without releasing it.
overhead = rate(64)
per_byte = (rate(1 << 20) - overhead) / (1 << 20)
size = int((1 - held) * period / per_byte)
size = size if size > 2048 else 0
view = memoryview(data)[:size]

def python(until):
    while clock() < until:
        pass

print(address(), flush=True)
sys.stdin.readline()
with_gil = without = 0.0
start = last = clock()
end = start + seconds
turn = held * period
while last < end:
    if turn:
        python(last + turn)
    if size:
        a = clock()
        hashlib.sha256(view).digest()
        without += max(0.0, clock() - a - overhead)
    last = clock()
total = last - start
print((total - without) / total, flush=True)
"""


def main() -> None:
    """Measure every interpreter, and print the table."""
    print("| interpreter | mixes x periods | mean error | worst error | worst at |")
    print("|---|---|---|---|---|")
    for python in sys.argv[1:] or [sys.executable]:
        try:
            errors = {(mix, period): error_of(python, mix, period) for mix in MIXES for period in PERIODS}
        except Unavailable as reason:
            print(f"| {version(python)} | | unavailable: {reason} | | |")
            continue
        sizes = {key: abs(error) for key, error in errors.items()}
        mix, period = max(sizes, key=lambda key: sizes[key])
        print(
            f"| {version(python)} | {len(errors)} | {statistics.mean(sizes.values()):.3f} | {max(sizes.values()):.3f} "
            f"| held {mix:g}, every {period * 1e6:g} us |",
            flush=True,
        )


def error_of(python: str, mix: float, period: float) -> float:
    """Return what the probe reads, less the truth."""
    environment = {**os.environ, "PYTHON_GIL": "1", "PYTHONPATH": str(Path.cwd())}
    command = [python, "-c", CHILD, str(mix), str(period), str(SECONDS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdin is not None and child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise Unavailable("the child failed: see above")
        child.stdin.write("\n")
        child.stdin.flush()
        time.sleep(0.005)
        found = sample(child.pid, int(line), SECONDS - 0.01)
        return found.held - float(child.stdout.readline())


def version(python: str) -> str:
    """Return the interpreter's version, and whether it is free-threaded (it runs with the GIL on here)."""
    code = (
        "import platform, sysconfig; "
        "print(platform.python_version() + ('t' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''))"
    )
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
