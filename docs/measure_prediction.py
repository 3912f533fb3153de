"""Say how well min(n, 1 / held) predicts what threads gain: python docs/measure_prediction.py RESULT [RESULT ...]

Reads results with probes (`gilbench run --probe`) and prints a row for each workload: the fraction of the time that the
GIL is held when tasks run one after the other, its switches per second on threads, the predicted and the measured
speed-up, and whether the two agree within 15%. Where they do not, it adds the reason that the gil chart gives.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gilbench.charts.reasons.gil import Dot, dots_of, on_processes, reason
from gilbench.probes.gil_probe import MANY_SWITCHES
from gilbench.results.result_file import load
from gilbench.results.summary import Summary, summarize

FAMILIES = ("numpy_reductions", "csv_files", "python_loops")  # of workloads whose prediction is judged
WITHIN = 0.15  # of the prediction


def main() -> None:
    """Print the table of every result."""
    for path in sys.argv[1:]:
        print(table(summarize(load(Path(path)))))


def table(summary: Summary) -> str:
    """Return the rows as Markdown, and a last line that says how many predictions hold."""
    rows = [
        "| workload | GIL held | switches a second | predicted | measured | within 15 % |",
        "|---|---|---|---|---|---|",
    ]
    families = {case.case.workload: case.family for case in summary.timed}
    agreed = counted = 0
    for dot in sorted(dots_of(summary), key=lambda dot: dot.name):
        rate = switches(summary, dot)
        asked = families.get(dot.name) in FAMILIES and rate < MANY_SWITCHES
        near = abs(dot.speedup.value / dot.bound - 1) <= WITHIN
        agreed, counted = agreed + (asked and near), counted + asked
        verdict = "yes" if near else f"no: {why(summary, dot)}"
        rows.append(
            f"| {dot.name} | {dot.held.value:.2f} | {rate:,.0f} | {dot.bound:.2f}x | {dot.speedup.value:.2f}x "
            f"({dot.speedup.low:.2f}x to {dot.speedup.high:.2f}x) | {verdict if asked else f'({verdict}; not asked for)'} |"
        )
    return "\n".join(
        [*rows, "", f"{agreed} of the {counted} numpy, csv and Python workloads below 5,000 switches a second."]
    )


def switches(summary: Summary, dot: Dot) -> float:
    """Return the GIL switches per second on threads; 0 where they were not counted."""
    rates = [
        probing.found.get("gil", {}).get("threads", {}).get("switches_per_second", 0.0)
        for probing in summary.probes
        if probing.workload == dot.name
    ]
    return float(rates[0]) if rates else 0.0


def why(summary: Summary, dot: Dot) -> str:
    """Return why the prediction does not hold, as far as the result shows."""
    if dot.speedup.value > dot.bound:
        return "threads gain more: sync pays for something else"
    if dot.speedup.high >= (1 - WITHIN) * dot.bound:
        return "unclear: the interval reaches it"
    probing = next(probing for probing in summary.probes if probing.workload == dot.name)
    case = next(case for case in summary.timed if case.speedup == dot.speedup)
    processes = on_processes(case, summary)
    return reason(probing, case, summary) + (f" ({processes.value:.2f}x)" if processes else "")


if __name__ == "__main__":
    main()
