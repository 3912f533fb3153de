"""`gilbench compare`: two stored results, case by case."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from gilbench.commands.shared.options import Percent, path_type
from gilbench.commands.shared.reading import page_of_terminal, summary_of
from gilbench.errors import UserError


@click.command("compare")
@click.argument("base", type=path_type)
@click.argument("head", type=path_type)
@click.option("--ratios", is_flag=True, help="Compare speed-ups over sync, which may come from different machines.")
@click.option("--threshold", type=Percent(), default="3%", show_default=True, help="The change that matters.")
@click.option("--format", "format_", default="text", show_default=True, help="text, markdown, junit or json.")
@click.option("--strict", is_flag=True, help="Exit with 4 if a case stays inconclusive.")
def command(base: Path, head: Path, ratios: bool, threshold: float, format_: str, strict: bool) -> None:
    """Compare two stored results, case by case. Refuses results of different machines or versions.

    The exit codes are those of `gilbench check`.
    """
    from gilbench.checks import stored
    from gilbench.console import printable
    from gilbench.errors import check_names
    from gilbench.report import formats
    from gilbench.results.verdicts import exit_code

    check_names("format", [format_], list(formats("verdicts")))
    if not 0 < threshold < math.inf:
        raise UserError(f"--threshold {threshold:.0%} must be above 0")
    verdicts = stored.compare(
        summary_of(base), summary_of(head), threshold=threshold, of="speed-up" if ratios else "time"
    )
    for line in verdicts.about:
        click.echo(printable(line), err=True)
    click.echo(formats("verdicts")[format_](verdicts, page_of_terminal()), nl=False)
    sys.exit(exit_code(verdicts, strict=strict))
