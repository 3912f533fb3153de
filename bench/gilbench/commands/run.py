"""`gilbench run`: time workloads under schedulers."""

from __future__ import annotations

import sys
from typing import Any

import click

from gilbench.commands.shared.options import of_own_work, path_type
from gilbench.commands.shared.reading import RESULTS


@click.command("run")
@click.argument("workloads", nargs=-1, metavar="[WORKLOAD|FAMILY|PATTERN|MODULE:FUNCTION|FILE.py[:FUNCTION]]...")
@of_own_work
@click.option("--profile", type=click.Choice(["quick", "default", "thorough"]), default="default", show_default=True)
@click.option(
    "--scheduler",
    "schedulers",
    multiple=True,
    metavar="NAME",
    help="Measure only under this one, and under sync. Repeatable.",
)
@click.option("--size", "sizes", multiple=True, metavar="NAME", help="tiny, small, default or large. Repeatable.")
@click.option("--workers", multiple=True, type=click.IntRange(1), help="Only this many workers in total. Repeatable.")
@click.option("--data", metavar="GLOB", help="Your own CSV files for the CSV workloads (quote the pattern).")
@click.option(
    "--python",
    metavar="VERSION|PATH",
    help="Measure with this interpreter (3.13t, for example), in an environment of its own.",
)
@click.option(
    "--with",
    "packages",
    multiple=True,
    metavar="REQUIREMENT",
    help="With --python: a package in that environment, such as pandas==3.0.3. Repeatable.",
)
@click.option("--name", help="Name of the result: results/NAME.json.  [default: date, time and profile]")
@click.option("-o", "--results", type=path_type, default=RESULTS, show_default=True, help="Folder for results.")
@click.option("--resume", is_flag=True, help="Continue the unfinished run NAME, or the last one.")
@click.option(
    "--probe", is_flag=True, help="Also say why, after the timings. With --resume, also for a finished run NAME."
)
@click.option("--max-time", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="For the whole run.")
@click.option(
    "--precision",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="FRACTION",
    help="Measure a case until its interval is this narrow.",
)
@click.option("--max-observations", type=click.IntRange(1), metavar="N", help="At most this many processes per case.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="For each observation.",
)
@click.option(
    "--seed", type=click.IntRange(0), help="For the order and the memory layouts.  [default: random, and recorded]"
)
@click.option("--dry-run", is_flag=True, help="Say what would be measured, and stop.")
def command(**options: Any) -> None:
    """Measure workloads under schedulers, each observation in a fresh process.

    Without arguments, measure the workloads of the profile. Those that you name are measured in full: under every
    scheduler, with every worker count. Name your own work as my_file.py:function, or as my_file.py for a module of
    workloads (see `gilbench new`).
    """
    from gilbench.measure.planning import RunOptions
    from gilbench.measure.runner import run
    from gilbench.targets.naming import graph

    options["workloads"] += tuple(map(graph, options.pop("graphs")))
    sys.exit(run(RunOptions(**options), sys.stderr, sys.stdout))
