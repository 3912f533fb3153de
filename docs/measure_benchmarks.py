"""How often is a check of other people's code wrong? Measured on benchmarks of five released packages, with real processes:

    python docs/measure_benchmarks.py equal --decisions 1000           # equal arms: how often is a change called?
    python docs/measure_benchmarks.py slower --by 0.1 --decisions 200  # head really is slower: how often is it found?
    python docs/measure_benchmarks.py unrelated --decisions 200        # head differs in what makes no benchmark slower
    python docs/measure_benchmarks.py equal --isolate                  # each benchmark in processes of its own
    python docs/measure_benchmarks.py table                            # everything measured so far, as a table

Each check is `gilbench check` on a temporary repository (docs/foreign_benchmarks.py). Its decisions are appended to
results/reference/benchmark-rates.jsonl when it ends, so the script can be stopped at any time and continued later. Do nothing
else on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import foreign_benchmarks

RATES = Path(__file__).parents[1] / "results" / "reference" / "benchmark-rates.jsonl"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["equal", "slower", "unrelated", "table"])
    parser.add_argument("--by", type=float, default=0.1, help="fraction that head is slowed down by")
    parser.add_argument("--decisions", type=int, default=25)
    parser.add_argument("--isolate", action="store_true")
    asked = parser.parse_args()
    if asked.what == "table":
        print(table([json.loads(line) for line in RATES.read_text().splitlines()]))
        return
    done = 0
    while done < asked.decisions:
        line = check(asked.what, asked.by if asked.what == "slower" else 0.0, isolate=asked.isolate)
        with RATES.open("a") as rates:
            rates.write(json.dumps(line) + "\n")
        done += len(line["verdicts"])
        kinds = [verdict["kind"] for verdict in line["verdicts"].values()]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
        print(
            f"{done}/{asked.decisions}  {line['change'] or asked.what}: {counts}, {line['seconds']:.0f} s",
            file=sys.stderr,
        )


def check(what: str, by: float, *, isolate: bool) -> dict[str, Any]:
    """Make one check; return its verdicts and how long it took, in seconds."""
    with tempfile.TemporaryDirectory(prefix="gilbench-foreign-") as scratch:
        folder = Path(scratch, "project")
        folder.mkdir()
        foreign_benchmarks.made(folder)
        change = random.choice(list(foreign_benchmarks.UNRELATED)) if what == "unrelated" else ""
        if change:
            foreign_benchmarks.UNRELATED[change](folder)
        written = Path(scratch, "verdicts.json")
        command = [sys.executable, "-m", "gilbench", "check", "--base", "HEAD", "--json", str(written)]
        command += ["-o", str(Path(scratch, "results")), *(["--inject", f"{by:.6%}"] if by else [])]
        command += ["--isolate"] if isolate else []
        began = time.monotonic()
        environment = {**os.environ, "GILBENCH_CACHE": str(Path(scratch, "cache"))}
        said = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        if not written.exists():
            raise SystemExit(said.stderr)
        verdicts = {
            line["case"]: {key: line[key] for key in ("kind", "ratio", "n", "seconds", "reason")}
            for line in json.loads(written.read_text())["cases"]
        }
    return {
        "what": what,
        "by": by,
        "change": change,
        "isolate": isolate,
        "seconds": round(seconds, 1),
        "verdicts": verdicts,
    }


def table(checks: Sequence[Mapping[str, Any]]) -> str:
    """Return the Markdown table."""
    rows = [
        "| head | processes | decisions | slower | faster | same | undecided | failed | seconds a benchmark, median |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
    for one in checks:
        name = f"{one['by']:+.0%}" if one["by"] else one["change"] or "equal"
        groups.setdefault((name, one["isolate"]), []).append(one)
    for (name, isolate), mine in sorted(groups.items()):
        kinds = [verdict["kind"] for one in mine for verdict in one["verdicts"].values()]
        counts = [kinds.count(kind) for kind in ("regression", "improvement", "same", "inconclusive", "failed")]
        each = statistics.median(one["seconds"] / len(one["verdicts"]) for one in mine)
        how = "each its own" if isolate else "shared"
        rows.append(f"| {name} | {how} | {len(kinds)} | {' | '.join(map(str, counts))} | {each:.1f} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
