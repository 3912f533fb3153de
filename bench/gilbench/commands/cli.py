"""The command line: parses, calls, prints; no logic of its own. Heavy modules are imported by the command that needs them.

Exit codes: 0 done; 1 something that was measured failed; 2 wrong usage or an error, told in one line; 130 interrupted.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gilbench import __version__
from gilbench.errors import UserError

RESULTS = Path("results")
path_type = click.Path(path_type=Path)


class Commands(click.Group):
    """A group whose commands report a user's mistake in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a UserError becomes click's one line and exit code 2, Ctrl-C exit code 130."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise Mistake(str(error)) from error
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(130)


class Mistake(click.ClickException):
    """A user's mistake: one line, exit code 2."""

    exit_code = 2


# dask takes the name that follows `dask` from here; as a script it goes by the script's own name.
@click.group("bench", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gilbench")
def gilbench() -> None:
    """Threads or processes? Measures work under dask's schedulers and says which one wins here, and why."""


def main() -> None:
    """Start the console script `gilbench`."""
    gilbench()


@gilbench.command("list")
def list_() -> None:
    """List the workloads, by family, and the schedulers."""
    from gilbench.schedulers import all_schedulers
    from gilbench.targets.builtin import all_workloads

    family = ""
    for workload in all_workloads().values():
        if workload.family != family:
            family = workload.family
            click.echo(f"{family}:")
        click.echo(f"  {workload.name:22s} {workload.summary}")
    click.echo("schedulers:")
    for scheduler in all_schedulers().values():
        reason = scheduler.unavailable()
        click.echo(f"  {scheduler.name:22s} {scheduler.summary if reason is None else f'not available here: {reason}'}")


def of_own_work(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for functions of the user's; `workloads` or `targets` gets what --graph names."""
    items = click.option("--items", metavar="EXPR|FILE", help="What your function is called with: one task for each.")
    graph = click.option(
        "--graph", "graphs", multiple=True, metavar="TARGET", help="Measure what your function builds with dask."
    )
    return items(graph(command))


@gilbench.command()
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
def run(**options: Any) -> None:
    """Measure workloads under schedulers, each observation in a fresh process.

    Without arguments: what the profile holds. What you name is measured in full: every scheduler, every worker count.
    Your own work: my_file.py:function, or my_file.py with workloads like those here (see `gilbench new`).
    """
    from gilbench.measure import runner as session
    from gilbench.targets import naming

    options["workloads"] += tuple(map(naming.graph, options.pop("graphs")))
    sys.exit(session.run(options, sys.stderr, sys.stdout))


@gilbench.command()
@click.argument("name")
def new(name: str) -> None:
    """Write NAME.py, a module of your own workloads to start from, into this folder. It runs as it is."""
    from gilbench.targets.new import new as written

    path = written(name, Path())
    click.echo(f"{path} is written; measure it: gilbench run {path} --profile quick")


@gilbench.command()
@click.argument("result", type=path_type, required=False)
@click.option("--format", "format_", default="text", show_default=True, help="text, markdown, csv or json.")
def show(result: Path | None, format_: str) -> None:
    """Print the table of a result: medians with intervals, and speed-ups over sync. RESULT: by default the newest."""
    from gilbench.errors import check_names
    from gilbench.report import formats

    check_names("format", [format_], list(formats("result")))
    click.echo(formats("result")[format_](_summary(result), _page()), nl=False)


@gilbench.command()
@click.argument("result", type=path_type, required=False)
@click.option("--format", "format_", default="text", show_default=True, help="text, markdown or json.")
def claims(result: Path | None, format_: str) -> None:
    """Say for each claim of the tutorial whether it holds here. RESULT: by default the newest."""
    from gilbench.errors import check_names
    from gilbench.explain.tutorial import decide
    from gilbench.report import formats

    check_names("format", [format_], list(formats("claims")))
    click.echo(formats("claims")[format_](decide(_summary(result)), _page()), nl=False)


@gilbench.command()
@click.argument("results", type=path_type, nargs=-1, metavar="[RESULT|VERDICTS]...")
@click.option("-o", "--output", type=path_type, default=Path("plots"), show_default=True, help="Folder for the charts.")
def plot(results: tuple[Path, ...], output: Path) -> None:
    """Draw the charts of a result, or of a check's verdicts, as SVG and PNG. By default the newest result."""
    from gilbench.charts import RESULTS as OF_RESULTS
    from gilbench.charts import VERDICTS as OF_VERDICTS
    from gilbench.charts import render
    from gilbench.charts.reasons.task_graph import dask_visualize

    summaries, verdicts = _read(results)
    for drawn, of in ((verdicts, OF_VERDICTS), (summaries, OF_RESULTS)):
        if not drawn:
            continue
        done = render(drawn, output, of=of)
        for path in done.files:
            click.echo(path)
        for name, reason in done.left_out.items():
            click.echo(f"left out: {name}: {reason}", err=True)
    if not summaries:
        return
    dask_picture = dask_visualize(output)
    if dask_picture:
        click.echo(dask_picture)
    else:
        click.echo("left out: dask_visualize: needs the graphviz package and its dot program; see task_graph", err=True)


@gilbench.command()
@click.argument("results", type=path_type, nargs=-1, metavar="[RESULT|VERDICTS]...")
@click.option("-o", "--output", type=path_type, default=Path("report.html"), show_default=True, metavar="FILE")
def report(results: tuple[Path, ...], output: Path) -> None:
    """Write one HTML page that explains results, or a check's verdicts. By default the newest result.

    It needs no other file and no network: mail it, publish it, print it.
    """
    from gilbench.files import write
    from gilbench.report import html_format as html

    page = html.render(*_read(results))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write(output, page.encode())
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror}: name another file with -o") from error
    click.echo(output)


class Percent(click.ParamType[float]):
    """A fraction, written as `5%` or `0.05`."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the fraction."""
        try:
            return float(value[:-1]) / 100 if isinstance(value, str) and value.endswith("%") else float(value)
        except ValueError:
            self.fail(f"{value!r} is no percentage: write 5% or 0.05", param, ctx)


class Threshold(click.ParamType[tuple[str, float]]):
    """A change that matters: `3%` for all cases, or `PATTERN=3%` for some."""

    name = "threshold"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Return pattern and fraction; the pattern is "*" where none is given."""
        pattern, _, fraction = value.rpartition("=") if isinstance(value, str) else ("", "", value)
        found: float = Percent().convert(fraction, param, ctx)
        if not 0 < found < math.inf:
            self.fail(f"{value!r} must be above 0", param, ctx)
        return pattern or "*", found


class Seconds(click.ParamType[float]):
    """A time above or equal to 0, written as `20us`, `1ms`, `0.5s` or a number of seconds."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        found = re.fullmatch(r"([0-9.e-]+) *(s|ms|us|µs|ns)?", str(value))
        try:
            seconds = float(found[1]) * {"s": 1, "ms": 1e-3, "ns": 1e-9, None: 1}.get(found[2], 1e-6) if found else -1
        except ValueError:
            seconds = -1
        if not 0 <= seconds < math.inf:
            self.fail(f"{value!r} is no time: write 20us, 1ms or 0.5s", param, ctx)
        return seconds


positive = click.FloatRange(min=0, min_open=True)


@gilbench.command()
@click.argument("workloads", nargs=-1, metavar="[WORKLOAD|FAMILY|PATTERN]...")
@click.option(
    "--base", default="HEAD", show_default=True, metavar="SPEC", help="A git revision, or rev=, path=, python=, with=."
)
@click.option("--head", metavar="SPEC", help="The other arm.  [default: the working tree as it is]")
@click.option(
    "--scheduler", "schedulers", multiple=True, metavar="NAME", help="Repeatable.  [default: sync, threads, processes]"
)
@click.option(
    "--size", default="tiny", show_default=True, help="Of every workload. The smaller, the less noise, and the quicker."
)
@click.option(
    "--threshold",
    "thresholds",
    type=Threshold(),
    multiple=True,
    metavar="[PATTERN=]PERCENT",
    help="A change that matters, of all workloads or some. Repeatable.  [default: 3%]",
)
@click.option(
    "--floor", type=Seconds(), default="20us", show_default=True, metavar="TIME", help="Smaller differences are none."
)
@click.option("--max-time", type=positive, default=900.0, show_default=True, metavar="SECONDS", help="For the whole.")
@click.option(
    "--timeout", type=positive, default=60.0, show_default=True, metavar="SECONDS", help="For each answer of a worker."
)
@click.option("--strict", is_flag=True, help="Exit with 4 where a case stays inconclusive.")
@click.option("--aa", is_flag=True, help="Compare the working tree with itself, and count the false alarms.")
@click.option(
    "--inject", type=Percent(), default=0.0, metavar="PERCENT", help="Slow head down, and count what is found."
)
@click.option("--markdown", type=path_type, metavar="FILE", help="Write the table, for a pull request.")
@click.option("--junit", type=path_type, metavar="FILE", help="Write JUnit XML, for a CI system.")
@click.option("--json", type=path_type, metavar="FILE", help="Write the verdicts as data.")
@click.option("-o", "--results", type=path_type, default=RESULTS, show_default=True, help="Folder for the results.")
@click.option("--seed", type=click.IntRange(0), help="For order and memory layouts.  [default: drawn and told]")
def check(**options: Any) -> None:
    """Say for each case whether head is slower than base: both take turns on this machine until it is sure.

    Exit codes: 0 no regression, 1 regression, 2 an error, 3 nothing was measured, 4 inconclusive and --strict.
    """
    from gilbench.check import checker as checking

    if not 0 <= options["inject"] < math.inf:
        raise Mistake(f"--inject {options['inject']:.0%} must be 0 or more: head can only be slowed down")
    sys.exit(checking.run(options, sys.stderr, sys.stdout, _page()))


@gilbench.command()
@click.argument("base", type=path_type)
@click.argument("head", type=path_type)
@click.option("--ratios", is_flag=True, help="Compare speed-ups over sync: they may come from different machines.")
@click.option("--threshold", type=Percent(), default="3%", show_default=True, help="A change that matters.")
@click.option("--format", "format_", default="text", show_default=True, help="text, markdown, junit or json.")
@click.option("--strict", is_flag=True, help="Exit with 4 where a case stays inconclusive.")
def compare(base: Path, head: Path, ratios: bool, threshold: float, format_: str, strict: bool) -> None:
    """Compare two stored results, case by case. Refuses where other machines or versions made them.

    Exit codes as of `gilbench check`.
    """
    from gilbench.check.stored import compare as compared
    from gilbench.console import printable
    from gilbench.errors import check_names
    from gilbench.report import formats
    from gilbench.results.verdicts import exit_code

    check_names("format", [format_], list(formats("verdicts")))
    if not 0 < threshold < math.inf:
        raise Mistake(f"--threshold {threshold:.0%} must be above 0")
    verdicts = compared(_summary(base), _summary(head), threshold=threshold, of="speed-up" if ratios else "time")
    for line in verdicts.about:
        click.echo(printable(line), err=True)
    click.echo(formats("verdicts")[format_](verdicts, _page()), nl=False)
    sys.exit(exit_code(verdicts, strict=strict))


@gilbench.command()
@click.argument("targets", nargs=-1, metavar="[WORKLOAD|FAMILY|PATTERN|MODULE:FUNCTION|FILE.py[:FUNCTION]]...")
@of_own_work
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Only this one. Repeatable.")
@click.option("--scheduler", "schedulers", multiple=True, metavar="NAME", help="Only this one. Repeatable.")
@click.option("--size", default="default", show_default=True, help="Of every workload.")
@click.option("--timeout", type=positive, default=60.0, show_default=True, metavar="SECONDS")
@click.option("--json", is_flag=True, help="Print data in place of text.")
def probe(**options: Any) -> None:
    """Say why: GIL held and handed over, memory, bytes moved, inner threads, timelines, smallest sensible task.

    Without a target: what the schedulers cost (granularity).
    """
    from gilbench.measure import prober as probing
    from gilbench.targets import naming

    options["targets"] += tuple(map(naming.graph, options.pop("graphs")))
    if not options["targets"] and not options["probes"]:
        options["probes"] = ("granularity",)
    sys.exit(probing.run(options, sys.stderr, sys.stdout))


@gilbench.command()
@click.argument("target", metavar="WORKLOAD|MODULE:FUNCTION|FILE.py:FUNCTION")
@click.option("--items", metavar="EXPR|FILE", help="What your function is called with: one task for each.")
@click.option("--graph", is_flag=True, help="Your function builds dask objects: measure what it returns.")
@click.option("--once", is_flag=True, help="For a single compute: starting the workers counts.  [default: for many]")
@click.option("--size", default="default", show_default=True, help="Of a workload of gilbench's own.")
@click.option("--timeout", type=positive, default=60.0, show_default=True, metavar="SECONDS", help="For each answer.")
@click.option("--json", is_flag=True, help="Print data in place of text.")
def advise(**options: Any) -> None:
    """Say which scheduler to use for your function, with how many workers, and why: probes it, then races what is left.

    Exit codes: 0 with an answer, 2 on an error.
    """
    from gilbench.advise import advisor as advising

    sys.exit(advising.run(options, sys.stderr, sys.stdout))


def _summary(path: Path | None) -> Any:
    from gilbench.results.result_file import load, newest
    from gilbench.results.summary import summarise

    return summarise(load(path or newest(RESULTS)))


def _read(paths: tuple[Path, ...]) -> tuple[list[Any], list[Any]]:
    """Return the summaries of results and the verdicts of checks, each in the order given; the newest result for none."""
    from gilbench.results.verdicts import is_verdicts, load

    checks = [path for path in paths if is_verdicts(path)]
    runs: list[Path | None] = [path for path in paths if path not in checks]
    return [_summary(path) for path in runs or ([] if paths else [None])], [load(path) for path in checks]


def _page() -> Any:
    import os
    import shutil

    from gilbench.report import Page

    if not sys.stdout.isatty():
        return Page(width=200)
    colour = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Page(shutil.get_terminal_size().columns, colour)
