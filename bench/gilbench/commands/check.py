"""`gilbench check`: is head slower than base?"""

from __future__ import annotations

import math
import sys
from typing import Any

import click

from gilbench.commands.shared.options import Percent, Seconds, Threshold, path_type, positive
from gilbench.commands.shared.reading import RESULTS, page_of_terminal
from gilbench.errors import UserError


@click.command("check")
@click.argument("workloads", nargs=-1, metavar="[BENCHMARK|WORKLOAD|PATTERN|FILE]...")
@click.option(
    "-k", "keyword", default="", metavar="EXPRESSION", help="Choose benchmarks by parts of their names, as in pytest."
)
@click.option(
    "--base",
    default="HEAD",
    show_default=True,
    metavar="SPEC",
    help="A git revision, a release like package==1.2, or rev=, path=, release=, python=, with=.",
)
@click.option("--head", metavar="SPEC", help="The other arm, in the same form.  [default: the working tree as it is]")
@click.option("--with", "packages", multiple=True, metavar="REQUIREMENT", help="Install it for both arms. Repeatable.")
@click.option(
    "--setup",
    default="",
    metavar="COMMAND",
    help="Run this in each arm's tree, with its environment active, instead of a build.",
)
@click.option(
    "--scheduler", "schedulers", multiple=True, metavar="NAME", help="Repeatable.  [default: sync, threads, processes]"
)
@click.option(
    "--size",
    default="tiny",
    show_default=True,
    help="The size of every workload. Smaller sizes are quicker, and less noisy.",
)
@click.option(
    "--threshold",
    "thresholds",
    type=Threshold(),
    multiple=True,
    metavar="[PATTERN=]PERCENT",
    help="The change that matters, for all workloads or for some. Repeatable.  [default: 3%]",
)
@click.option(
    "--floor", type=Seconds(), metavar="TIME", help="Ignore smaller differences.  [default: 20us, 0 for benchmarks]"
)
@click.option(
    "--max-time", type=positive, default=900.0, show_default=True, metavar="SECONDS", help="For the whole check."
)
@click.option(
    "--timeout", type=positive, default=60.0, show_default=True, metavar="SECONDS", help="For each answer of a worker."
)
@click.option("--isolate", is_flag=True, help="Give each benchmark processes of its own.")
@click.option(
    "--benchmarks",
    type=click.Choice(["head", "each"]),
    default="head",
    show_default=True,
    help="Whose benchmark files run: head's in both arms, or each arm's own.",
)
@click.option("--command", "commands", multiple=True, metavar="COMMAND", help="Time a command line. Repeatable.")
@click.option("--items", metavar="EXPR|FILE", help="What file.py:function is called with: once for each item.")
@click.option("--strict", is_flag=True, help="Exit with 4 if a case stays inconclusive.")
@click.option("--aa", is_flag=True, help="Compare the working tree with itself, and count false alarms.")
@click.option(
    "--inject",
    type=Percent(),
    default=0.0,
    metavar="PERCENT",
    help="Slow head down, and count how often that is found.",
)
@click.option("--markdown", type=path_type, metavar="FILE", help="Write the table, for a pull request.")
@click.option("--junit", type=path_type, metavar="FILE", help="Write JUnit XML, for a CI system.")
@click.option("--json", type=path_type, metavar="FILE", help="Write the verdicts as data.")
@click.option("--bencher", type=path_type, metavar="FILE", help="Write head's times for Bencher (`--adapter json`).")
@click.option(
    "--action-benchmark",
    type=path_type,
    metavar="FILE",
    help="Write head's times for github-action-benchmark (`customSmallerIsBetter`).",
)
@click.option("--history", type=path_type, metavar="FILE", help="Also append the estimates: see `gilbench history`.")
@click.option(
    "--profile", is_flag=True, help="Instead, show in which functions the arms differ, from profiles of both."
)
@click.option("-o", "--results", type=path_type, default=RESULTS, show_default=True, help="Folder for the results.")
@click.option(
    "--seed", type=click.IntRange(0), help="For the order and the memory layouts.  [default: random, and reported]"
)
def command(**options: Any) -> None:
    """Say for each benchmark whether head is slower than base: both take turns on this machine until that is clear.

    Finds the benchmarks of the project in this folder by itself: pytest, asv, pyperf. In gilbench's own folder, or with the
    names of its workloads, it checks these.

    Exit codes: 0 no regression, 1 regression, 2 an error, 3 nothing was measured, 4 inconclusive and --strict.
    """
    from gilbench.checks.checker import run
    from gilbench.checks.scope import CheckOptions

    asked = CheckOptions(**options)
    if not 0 <= asked.inject < math.inf:
        raise UserError(f"--inject {asked.inject:.0%} must be 0 or more: head can only be slowed down")
    sys.exit(run(asked, sys.stderr, sys.stdout, page_of_terminal()))
