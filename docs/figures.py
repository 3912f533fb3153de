"""Measure what the harness promises about itself, as ratios within the same run: python docs/figures.py [RESULT.json]

Prints a table for docs/measuring.md. RESULT is a run of the default profile, which gives the duration and the duty cycle. The
rest is measured here, in about a minute, on a machine that should do nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gilbench import stats, units
from gilbench.measure.worker import MIN_TIME, Meter
from gilbench.results.records import Observation
from gilbench.results.result_file import load

PYPERF = """
import pyperf
from dask.local import get_sync
from gilbench.cases.checking import compute_of
from gilbench.targets.builtin import all_workloads
workload = all_workloads()["sum_of_squares"]
job = workload.build(**workload.sizes["default"])
pyperf.Runner().bench_func("sum_of_squares", compute_of(job, {"scheduler": get_sync}, "function"))
"""


def added_inside_a_value(pairs: int = 20_000) -> float:
    """Return the seconds that the harness adds to a value, compared with a bare perf_counter loop.

    Both take turns timing a compute that does nothing. The result is the difference of their medians.
    """
    import random

    def compute() -> list[Any]:
        return []

    harness = Meter().timer(compute, None)

    def bare(loops: int) -> float:
        start = time.perf_counter()
        for _ in range(loops):
            compute()
        return time.perf_counter() - start

    seconds: dict[Any, list[float]] = {harness: [], bare: []}
    for _ in range(pairs):
        for timer in random.sample((harness, bare), 2):
            seconds[timer].append(timer(1))
    return statistics.median(seconds[harness]) - statistics.median(seconds[bare])


def command_ratio(command: list[str], reference: list[str], pairs: int = 15) -> stats.Estimate:
    """Return the ratio of one command's wall time to another's. They take turns, in `pairs` pairs."""
    import math

    def seconds(arguments: list[str]) -> float:
        start = time.perf_counter()
        subprocess.run(arguments, check=True, capture_output=True)
        return time.perf_counter() - start

    for arguments in (command, reference):
        seconds(arguments)
    return stats.paired_ratio([math.log(seconds(command) / seconds(reference)) for _ in range(pairs)])


def duty_of_pyperf() -> float:
    """Return the fraction of wall time that pyperf's own manager spends computing, for the same kind of work."""
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


def duty(observations: Sequence[Observation]) -> str:
    """Return the percentage of wall time that was spent computing."""
    busy = sum(float(observation.metadata.get("busy_seconds", 0)) for observation in observations)
    return f"{busy / sum(observation.seconds for observation in observations):.0%}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", nargs="?", type=Path)
    options = parser.parse_args()
    rows = []
    if options.result:
        result = load(options.result)
        spent = sum(observation.seconds for observation in result.observations)
        rows.append((f"duration, profile {result.plan.profile.name}", units.duration(spent)))
        rows.append(("duty cycle (warm-up and timed computes over wall time), all cases", duty(result.observations)))
        sync = [observation for observation in result.observations if observation.case.scheduler == "sync"]
        rows.append(("duty cycle, sync cases alone", duty(sync)))
    rows.append(("duty cycle of pyperf's own manager on a sync case", f"{duty_of_pyperf():.0%}"))
    added = added_inside_a_value()
    share = f"{added / MIN_TIME:.4%} of the shortest value"
    rows.append(("added inside a value, beyond a bare perf_counter loop", f"{added * 1e9:.0f} ns, {share}"))
    gilbench = [sys.executable, "-m", "gilbench", "--help"]
    start_up = command_ratio(gilbench, [sys.executable, "-c", "import click, rich"])
    rows.append(
        ("gilbench --help / import click, rich", f"{start_up.value:.2f} ({start_up.low:.2f} to {start_up.high:.2f})")
    )
    print("| figure | measured |\n|---|---|")
    print("\n".join(f"| {name} | {value} |" for name, value in rows))


if __name__ == "__main__":
    main()
