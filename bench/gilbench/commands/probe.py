"""`gilbench probe`: why a timing is what it is."""

from __future__ import annotations

import sys
from typing import Any

import click

from gilbench.commands.shared.options import of_own_work, positive


@click.command("probe")
@click.argument("targets", nargs=-1, metavar="[WORKLOAD|FAMILY|PATTERN|MODULE:FUNCTION|FILE.py[:FUNCTION]]...")
@of_own_work
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Run only this probe. Repeatable.")
@click.option("--scheduler", "schedulers", multiple=True, metavar="NAME", help="Probe only under this one. Repeatable.")
@click.option("--size", default="default", show_default=True, help="The size of every workload.")
@click.option("--timeout", type=positive, default=60.0, show_default=True, metavar="SECONDS", help="For each answer.")
@click.option("--json", is_flag=True, help="Print data instead of text.")
def command(**options: Any) -> None:
    """Say why: how long the GIL is held, memory, bytes moved, inner threads, timelines, the smallest sensible task.

    Without a target, measure what the schedulers themselves cost (granularity).
    """
    from gilbench.measure.prober import ProbeOptions, run
    from gilbench.targets.naming import graph

    options["targets"] += tuple(map(graph, options.pop("graphs")))
    sys.exit(run(ProbeOptions(**options), sys.stderr, sys.stdout))
