"""Does a busy machine turn winners around, and does it say so? The same short run, undisturbed and with a neighbor, in turns.

    python docs/measure_busy.py [--runs 20] [--seconds 25]

Each run times four workloads under sync, threads and processes. In every other run another process keeps one CPU busy from
a quarter of the time to three quarters. Prints, for both kinds of run, how many carried the warning, and how often each
workload had each outcome; then how many named winners differ from the one that most undisturbed runs named. It needs a machine
that does nothing else, and takes two times RUNS times SECONDS.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict

import gilbench
from gilbench.explain import winners

WORKLOADS = ("sum_of_squares", "array_mean", "sqrt_sum", "csv_numbers")
BURN = "while True: pass"


def disturb(seconds: float) -> None:
    """Keep a CPU busy for the middle half of a run."""
    time.sleep(seconds / 4)
    burner = subprocess.Popen([sys.executable, "-c", BURN])
    time.sleep(seconds / 2)
    burner.kill()
    burner.wait()


def main() -> None:
    """Measure, then print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=25.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    warned: Counter[str] = Counter()
    outcomes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    draw = random.Random(asked.seed)
    for number in range(asked.runs):
        for kind in draw.sample(["quiet", "busy"], 2):
            print(f"\rrun {number + 1} of {asked.runs}, {kind} ", end="", file=sys.stderr, flush=True)
            neighbor = threading.Thread(target=disturb, args=(asked.seconds,))
            if kind == "busy":
                neighbor.start()
            summary = gilbench.run(
                *WORKLOADS, schedulers=("threads", "processes"), sizes="small", workers=2, precision=0.01,
                max_observations=100, max_time=asked.seconds,
            )  # fmt: skip
            if kind == "busy":
                neighbor.join()
            warned[kind] += any(warning.startswith("the machine was busy") for warning in summary.warnings)
            for contest in winners.contests(summary):
                outcomes[contest.label, kind][contest.winner] += 1
    print(file=sys.stderr)
    print_tables(asked.runs, warned, outcomes)


def print_tables(runs: int, warned: Counter[str], outcomes: dict[tuple[str, str], Counter[str]]) -> None:
    """Print how many runs were warned of, and what each workload's outcomes were."""
    print(f"| {runs} runs each | undisturbed | with a neighbor |\n|---|---|---|")
    print(f"| the run says that the machine was busy | {warned['quiet']} | {warned['busy']} |")
    flips: Counter[str] = Counter()
    for workload in WORKLOADS:
        usual = max(outcomes[workload, "quiet"], key=lambda name: outcomes[workload, "quiet"][name])
        cells = []
        for kind in ("quiet", "busy"):
            found = outcomes[workload, kind]
            cells.append(", ".join(f"{name} {count}" for name, count in found.most_common()))
            named = {name: count for name, count in found.items() if name not in (winners.UNDECIDED, winners.EITHER)}
            flips[kind] += sum(count for name, count in named.items() if name != usual)
        print(f"| `{workload}` | {cells[0]} | {cells[1]} |")
    print(f"| verdicts other than the usual one | {flips['quiet']} | {flips['busy']} |")


if __name__ == "__main__":
    main()
