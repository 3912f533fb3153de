"""What the regression check is worth on this machine, measured with real processes:

    python docs/measure_check.py equal --checks 500          # equal arms: how often is a change called?
    python docs/measure_check.py slower --by 0.1 --checks 60 # head really is slower: how often is it found?
    python docs/measure_check.py unrelated --checks 200      # head differs only in what no case touches
    python docs/measure_check.py table                       # everything measured so far, as tables

Every case check is appended to results/reference/check-rates.jsonl as soon as it is decided, so that the script can be
stopped at any time and continued later. Do nothing else on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gilbench.cases.case import Case
from gilbench.cases.plan import drawn_seed
from gilbench.checks.arms import Spec, parse, prepared
from gilbench.checks.checker import PATIENCE, measure_family
from gilbench.checks.family import Checked, family_of
from gilbench.checks.lockstep import Live
from gilbench.files import cache_environment, cache_folder
from gilbench.machine import usable_cpus

RATES = Path("results/reference/check-rates.jsonl")
THRESHOLD, FLOOR = 0.03, 20e-6  # the defaults of `gilbench check`
CASES = (
    Case("sum_of_squares", "tiny", "sync"),
    Case("sum_of_squares", "tiny", "threads", 1, 2),
    Case("sum_of_squares", "tiny", "processes", 2, 1),
    Case("sqrt_sum", "tiny", "sync"),
    Case("sqrt_sum", "tiny", "threads", 1, 2),
    Case("csv_max_price", "tiny", "sync"),
    Case("csv_max_price", "tiny", "threads", 1, 2),
    Case("csv_numbers", "tiny", "processes", 2, 1),
    Case("bag_word_count", "tiny", "processes", 2, 1),
)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["equal", "slower", "unrelated", "table"])
    parser.add_argument("--by", type=float, default=0.1, help="fraction that head is slowed down by")
    parser.add_argument("--skip", type=int, default=0, help="unrelated changes to leave out, from the first on")
    parser.add_argument("--checks", type=int, default=len(CASES), help="case checks to make, in families of all cases")
    options = parser.parse_args()
    if options.what == "table":
        print(table([json.loads(line) for line in RATES.read_text().splitlines()]))
        return
    families = -(-options.checks // len(CASES))
    for done, (change, head) in enumerate(heads(options.what, families, options.skip)):
        slowdown = options.by if options.what == "slower" else 0.0
        for checked in check(head, slowdown):
            line = record(options.what, slowdown, change, checked)
            with RATES.open("a") as rates:
                rates.write(json.dumps(line) + "\n")
            print(
                f"{done + 1}/{families}  {line['case']:36s} {line['verdict']:12s} {line['seconds']:.0f} s",
                file=sys.stderr,
            )


def heads(what: str, families: int, skip: int) -> Iterator[tuple[str, Spec]]:
    """Yield the name of what is changed, and the head, of each family of checks."""
    for index in range(families):
        if what != "unrelated":
            yield "", parse("path=.")
            continue
        from unrelated import CHANGES, changed  # in this folder

        name = list(CHANGES)[(index + skip) % len(CHANGES)]
        with tempfile.TemporaryDirectory(prefix="gilbench-unrelated-") as folder:
            changed(name, Path(folder) / "tree")
            yield name, parse(f"path={folder}/tree")


def check(head: Spec, slowdown: float) -> Sequence[Checked]:
    """Check all cases once, base against head, as `gilbench check` does."""
    family = family_of(dict.fromkeys(CASES, THRESHOLD), floor=FLOOR, patience=PATIENCE)
    with prepared(parse("path=."), head, cache_folder()) as arms:
        cpus = sorted(os.sched_getaffinity(0))
        start = Live(timeout=60.0, cpus=cpus, slowdown={"head": slowdown}, environment=cache_environment())
        *_, decided = measure_family(family, arms, start, drawn_seed(), max_time=3600.0)
    return decided.cases


def record(what: str, slowdown: float, change: str, checked: Checked) -> Mapping[str, Any]:
    """Return the record of one case check."""
    verdict = checked.verdict
    assert verdict is not None
    return {
        "what": what,
        "by": slowdown,
        "change": change,
        "case": checked.case.name,
        "verdict": checked.kind,
        "ratio": round(verdict.ratio, 5),
        "low": round(verdict.low, 5),
        "high": round(verdict.high, 5) if verdict.high < 1e9 else None,
        "explored": verdict.explored,
        "confirmed": verdict.confirmed,
        "seconds": round(checked.seconds, 2),
        "logs": [round(epoch.log_ratio, 5) for epoch in checked.epochs],
        "failures": dict(checked.failures),
        "python": platform.python_version(),
        "cpus": usable_cpus(),
        "date": time.strftime("%Y-%m-%d"),
    }


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return everything measured, as Markdown: for each kind of check a row, then a row for each of its cases."""
    rows = [
        "| arms | case checks | regression | improvement | same | inconclusive | median time | longest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    kinds = sorted({(line["what"], line["by"]) for line in lines})
    for what, by in kinds:
        chosen = [line for line in lines if (line["what"], line["by"]) == (what, by)]
        rows.append(row(f"**{what}{f' by {by:.0%}' if by else ''}**", chosen))
        for case in dict.fromkeys(line["case"] for line in chosen):
            rows.append(row(case, [line for line in chosen if line["case"] == case]))
    return "\n".join(rows)


def row(name: str, lines: Sequence[Mapping[str, Any]]) -> str:
    """Return one row of the table."""
    verdicts = Counter(line["verdict"] for line in lines)
    counts = [str(verdicts[kind]) for kind in ("regression", "improvement", "same", "inconclusive")]
    seconds = [line["seconds"] for line in lines]
    times = [f"{statistics.median(seconds):.0f} s", f"{max(seconds):.0f} s"]
    return f"| {' | '.join([name, str(len(lines)), *counts, *times])} |"


if __name__ == "__main__":
    main()
