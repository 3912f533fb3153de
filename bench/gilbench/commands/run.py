"""gilbench run."""

from __future__ import annotations

import sys
from typing import Any

import click

from gilbench.commands.options import of_own_work, path_type
from gilbench.commands.reading import RESULTS


@click.command("run")
@click.argument("workloads", nargs=-1, metavar="[WORKLOAD|FAMILY|PATTERN|MODULE:FUNCTION|FILE.py[:FUNCTION]]...")
@of_own_work
@click.option("--profile", type=click.Choice(["quick", "default", "thorough"]), default="default", show_default=True)
@click.option("--scheduler", "schedulers", multiple=True, metavar="NAME", help="Only this one and sync. Repeatable.")
@click.option("--size", "sizes", multiple=True, metavar="NAME", help="tiny, small, default or large. Repeatable.")
@click.option("--workers", multiple=True, type=click.IntRange(1), help="Only so many workers in all. Repeatable.")
@click.option("--data", metavar="GLOB", help="Your own csv files for the csv workloads (quote the pattern).")
@click.option(
    "--python", metavar="VERSION|PATH", help="Measure with this interpreter (3.13t, say), in its own environment."
)
@click.option("--name", help="The result is results/NAME.json.  [default: date, time and profile]")
@click.option("-o", "--results", type=path_type, default=RESULTS, show_default=True, help="Folder for results.")
@click.option("--resume", is_flag=True, help="Go on with the unfinished run NAME, or the last one.")
@click.option("--probe", is_flag=True, help="Also say why, after the timings; with --resume also of a finished NAME.")
@click.option(
    "--max-time", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Bound for the whole run."
)
@click.option(
    "--precision", type=click.FloatRange(0, 1, min_open=True), metavar="FRACTION", help="When a case is done."
)
@click.option("--max-observations", type=click.IntRange(1), metavar="N", help="Most processes per case.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=120.0, show_default=True, metavar="SECONDS"
)
@click.option("--seed", type=click.IntRange(0), help="For order and memory layouts.  [default: drawn and recorded]")
@click.option("--dry-run", is_flag=True, help="Say what would be measured, and stop.")
def command(**options: Any) -> None:
    """Measure workloads under schedulers, each observation in a fresh process.

    Without arguments: what the profile holds. What you name is measured in full: every scheduler, every worker count.
    Your own work: my_file.py:function, or my_file.py with workloads like those here (see `gilbench new`).
    """
    from gilbench.measure.planning import RunOptions
    from gilbench.measure.runner import run
    from gilbench.targets.naming import graph

    options["workloads"] += tuple(map(graph, options.pop("graphs")))
    sys.exit(run(RunOptions(**options), sys.stderr, sys.stdout))
