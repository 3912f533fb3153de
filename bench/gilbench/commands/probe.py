"""gilbench probe."""

from __future__ import annotations

import sys
from typing import Any

import click

from gilbench.commands.options import of_own_work, positive


@click.command("probe")
@click.argument("targets", nargs=-1, metavar="[WORKLOAD|FAMILY|PATTERN|MODULE:FUNCTION|FILE.py[:FUNCTION]]...")
@of_own_work
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Only this one. Repeatable.")
@click.option("--scheduler", "schedulers", multiple=True, metavar="NAME", help="Only this one. Repeatable.")
@click.option("--size", default="default", show_default=True, help="Of every workload.")
@click.option("--timeout", type=positive, default=60.0, show_default=True, metavar="SECONDS")
@click.option("--json", is_flag=True, help="Print data in place of text.")
def command(**options: Any) -> None:
    """Say why: GIL held and handed over, memory, bytes moved, inner threads, timelines, smallest sensible task.

    Without a target: what the schedulers cost (granularity).
    """
    from gilbench.measure.prober import ProbeOptions, run
    from gilbench.targets.naming import graph

    options["targets"] += tuple(map(graph, options.pop("graphs")))
    if not options["targets"] and not options["probes"]:
        options["probes"] = ("granularity",)
    sys.exit(run(ProbeOptions(**options), sys.stderr, sys.stdout))
