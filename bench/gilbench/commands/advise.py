"""`gilbench advise`: which scheduler to use for a function."""

from __future__ import annotations

import sys
from typing import Any

import click

from gilbench.commands.shared.options import positive


@click.command("advise")
@click.argument("target", metavar="WORKLOAD|MODULE:FUNCTION|FILE.py:FUNCTION")
@click.option("--items", metavar="EXPR|FILE", help="What your function is called with: one task for each item.")
@click.option("--graph", is_flag=True, help="Your function builds dask objects: measure what it returns.")
@click.option(
    "--once", is_flag=True, help="For a single compute: starting the workers counts.  [default: for many computes]"
)
@click.option("--size", default="default", show_default=True, help="The size of a workload of gilbench's own.")
@click.option("--timeout", type=positive, default=60.0, show_default=True, metavar="SECONDS", help="For each answer.")
@click.option("--json", is_flag=True, help="Print data instead of text.")
def command(**options: Any) -> None:
    """Say which scheduler to use for your function, with how many workers, and why: probe it, then race the candidates.

    Exit codes: 0 with an answer, 2 on an error.
    """
    from gilbench.advice.advisor import AdviseOptions, run

    sys.exit(run(AdviseOptions(**options), sys.stderr, sys.stdout))
