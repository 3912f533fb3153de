"""Does it change what is measured that workers are forked from prepared processes? Both ways in turns, in one run.

    python docs/measure_prepared.py [--rounds 8] [--profile quick] [--scheduler NAME]... [WORKLOAD]...

Each round measures each case of the profile once in a fresh process and once in a process forked from a prepared one, in
random order. The table gives, for each scheduler and level, the ratio of the two times (the geometric mean over its cases and
rounds, with a 95 % interval in which the rounds of each case are the sample), the largest deviation of a case, how many of the
cases have an interval that leaves out 1 (5 % would by chance), and the seconds of an observation beside computing, both ways.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
from collections import defaultdict

from scipy.stats import t

from gilbench.cases.case import Case
from gilbench.measure.planning import RunOptions, plan
from gilbench.measure.rounds import Ledger, next_order
from gilbench.measure.software import here
from gilbench.measure.workers import Workers
from gilbench.results.records import Observation


def main() -> None:
    """Measure, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scheduler", action="append", default=[])
    parser.add_argument("workloads", nargs="*")
    asked = parser.parse_args()
    made = plan(
        RunOptions(tuple(asked.workloads), schedulers=tuple(asked.scheduler), profile=asked.profile, seed=asked.seed),
        here(),
    )
    cases = [case for case in made.cases if case.measure == "time"]
    seen: dict[Case, list[tuple[Observation, Observation]]] = defaultdict(list)
    ledger = Ledger(made)
    draw = random.Random(asked.seed)
    with Workers(made.timeout, forks=False) as fresh, Workers(made.timeout, forks=True) as forked:
        for round_ in range(asked.rounds):
            for number, case in enumerate(draw.sample(cases, len(cases))):
                print(f"\rround {round_ + 1}, case {number + 1}/{len(cases)} ", end="", file=sys.stderr, flush=True)
                order = next_order(ledger, case, round_)
                pair = {}
                for way in draw.sample([fresh, forked], 2):
                    pair[way] = way(order)
                    if not pair[way].failure and not ledger.of(case):
                        ledger.add(pair[way])  # fixes loops and values for both ways
                        order = next_order(ledger, case, round_)
                seen[case].append((pair[fresh], pair[forked]))
    print(file=sys.stderr)
    print_table(seen)


def print_table(seen: dict[Case, list[tuple[Observation, Observation]]]) -> None:
    """Print a row for each scheduler and level, then every case whose interval leaves out 1."""
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in seen:
        groups[case.scheduler, case.level].append(case)
    print(
        "| scheduler | level | cases | forked / fresh | largest deviation | leave out 1 | beside computing, fresh | forked |"
    )
    print("|---|---|---|---|---|---|---|---|")
    notes = []
    for (scheduler, level), cases in sorted(groups.items()):
        means, outside, largest, beside = [], 0, 1.0, ([], [])
        for case in cases:
            pairs = [pair for pair in seen[case] if not pair[0].failure and not pair[1].failure]
            logs = [math.log(middle(after) / middle(before)) for before, after in pairs]
            if len(logs) < 2:
                notes.append(f"{case.name}: fresh {seen[case][0][0].failure}, forked {seen[case][0][1].failure}")
                continue
            mean, reach = interval(logs)
            means.append(mean)
            if abs(mean) > reach:
                outside += 1
                notes.append(
                    f"{case.name}: {math.exp(mean):.3f} ({math.exp(mean - reach):.3f} to {math.exp(mean + reach):.3f})"
                )
            if abs(mean) > abs(math.log(largest)):
                largest = math.exp(mean)
            for way in (0, 1):
                beside[way].extend(pair[way].seconds - float(pair[way].metadata["busy_seconds"]) for pair in pairs)
        mean, reach = interval(means) if len(means) > 1 else (means[0], math.nan)
        print(
            f"| {scheduler} | {level} | {len(means)} | {math.exp(mean):.3f} ({math.exp(mean - reach):.3f} to "
            f"{math.exp(mean + reach):.3f}) | {largest:.2f} | {outside} | {statistics.fmean(beside[0]):.2f} s | "
            f"{statistics.fmean(beside[1]):.2f} s |"
        )
    print()
    print("\n".join(notes))


def middle(observation: Observation) -> float:
    """Return the median of an observation's values, in seconds."""
    return statistics.median(observation.values)


def interval(logs: list[float]) -> tuple[float, float]:
    """Return the mean, and how far its 95 % interval reaches to either side (Student's t)."""
    return statistics.fmean(logs), float(t.ppf(0.975, len(logs) - 1)) * statistics.stdev(logs) / math.sqrt(len(logs))


if __name__ == "__main__":
    main()
