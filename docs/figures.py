"""Measures what the harness promises of itself, as ratios within one run: python docs/figures.py [RESULT.json]

Prints a table for the README. RESULT is a run of the default profile, for its duration and duty cycle; the rest is
measured here, in about a minute: start it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import stats, units
from bench.results import load
from bench.worker import Meter, compute_of

PYPERF = """
import pyperf
from dask.local import get_sync
from bench.registry import all_workloads
from bench.worker import compute_of
workload = all_workloads()["sum_of_squares"]
job = workload.build(**workload.sizes["default"])
pyperf.Runner().bench_func("sum_of_squares", compute_of(job, {"scheduler": get_sync}, "function"))
"""


def added_inside_a_value(pairs: int = 150) -> stats.Estimate:
    """Return time by the harness over time by a bare perf_counter loop, on one workload, by turns."""
    import math
    import random

    from dask.local import get_sync

    from bench.registry import all_workloads

    workload = all_workloads()["sum_of_squares"]
    job = workload.build(**workload.sizes["small"])
    compute = compute_of(job, {"scheduler": get_sync}, "function")
    harness = Meter().timer(compute, None)

    def bare(loops: int) -> float:
        start = time.perf_counter()
        for _ in range(loops):
            compute()
        return time.perf_counter() - start

    ratios = []
    for _ in range(pairs):
        seconds = {}
        for timer in random.sample((harness, bare), 2):
            seconds[timer] = timer(1)
        ratios.append(math.log(seconds[harness] / seconds[bare]))
    return stats.paired_ratio(ratios)


def command_ratio(command: list[str], reference: list[str], pairs: int = 15) -> stats.Estimate:
    """Return wall time of one command over another's, by turns."""
    import math

    def seconds(arguments: list[str]) -> float:
        start = time.perf_counter()
        subprocess.run(arguments, check=True, capture_output=True)
        return time.perf_counter() - start

    for arguments in (command, reference):
        seconds(arguments)
    return stats.paired_ratio([math.log(seconds(command) / seconds(reference)) for _ in range(pairs)])


def duty_of_pyperf() -> float:
    """Return the share of wall time that pyperf's own manager spends computing the same kind of work."""
    import pyperf

    with tempfile.TemporaryDirectory() as folder:
        script, output = Path(folder) / "bench_it.py", Path(folder) / "out.json"
        script.write_text(PYPERF)
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, str(script), "-o", str(output), "--processes=10", "--copy-env"],
            check=True,
            capture_output=True,
        )
        seconds = time.perf_counter() - start
        busy = 0.0
        for run in pyperf.BenchmarkSuite.load(str(output)).get_benchmark("sum_of_squares").get_runs():
            busy += sum(loops * value for loops, value in run.warmups)
            busy += sum(run.get_loops() * value for value in run.values)
        return busy / seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", nargs="?", type=Path)
    options = parser.parse_args()
    rows = []
    if options.result:
        result = load(options.result)
        spent = sum(o.seconds for o in result.observations)
        busy = sum(float(o.metadata.get("busy_seconds", 0)) for o in result.observations)
        rows.append((f"duration, profile {result.plan.profile.name}", units.duration(spent)))
        rows.append(("duty cycle", f"{busy / spent:.0%}"))
    rows.append(("duty cycle of pyperf's own manager", f"{duty_of_pyperf():.0%}"))
    added = added_inside_a_value()
    rows.append(("value by the harness / by a bare loop", f"{added.value:.4f} ({added.low:.4f} to {added.high:.4f})"))
    gilbench = [sys.executable, "-m", "bench", "--help"]
    start_up = command_ratio(gilbench, [sys.executable, "-c", "import click, rich"])
    rows.append(
        ("gilbench --help / import click, rich", f"{start_up.value:.2f} ({start_up.low:.2f} to {start_up.high:.2f})")
    )
    print("| figure | measured |\n|---|---|")
    print("\n".join(f"| {name} | {value} |" for name, value in rows))


if __name__ == "__main__":
    main()
