"""What pyperf's hook `gil` adds to a timing: python docs/measure_hook.py [PAIRS]

Runs `python -m pyperf timeit` with and without `--hook gil` by turns, in random order within each pair, on a Python loop
and on native work that releases the GIL, and prints the ratio of the means with its 95 % interval. Do nothing else meanwhile.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import units
from bench.stats import paired_ratio

STATEMENTS = {
    "a Python loop": ("sum(i * i for i in range(20_000))", "pass"),
    "zlib.crc32 of 4 MB": ("zlib.crc32(data)", "import zlib; data = bytes(4_000_000)"),
}


def main() -> None:
    """Print a line for each statement."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    draw = random.Random()
    for name, (statement, setup) in STATEMENTS.items():
        logs = []
        for _ in range(pairs):
            found = {hook: mean(statement, setup, hook) for hook in draw.sample([True, False], 2)}
            logs.append(math.log(found[True] / found[False]))
        print(f"{name}: with the hook {units.estimate(paired_ratio(logs), 'ratio')} of the time without", flush=True)


def mean(statement: str, setup: str, hook: bool) -> float:
    """Return the mean of one run of pyperf in three processes, in seconds."""
    import pyperf

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        command = [
            sys.executable,
            "-m",
            "pyperf",
            "timeit",
            "-p",
            "3",
            "-n",
            "3",
            "-w",
            "1",
            "--quiet",
            "-o",
            str(path),
        ]
        command += [*(["--hook", "gil"] if hook else []), "-s", setup, statement]
        subprocess.run(command, check=True, capture_output=True)
        return float(pyperf.Benchmark.load(str(path)).mean())


if __name__ == "__main__":
    main()
