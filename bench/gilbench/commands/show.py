"""`gilbench show`: the table of a result."""

from __future__ import annotations

from pathlib import Path

import click

from gilbench.commands.shared.options import path_type
from gilbench.commands.shared.reading import page_of_terminal, summary_of


@click.command("show")
@click.argument("result", type=path_type, required=False)
@click.option("--format", "format_", default="text", show_default=True, help="text, markdown, csv or json.")
def command(result: Path | None, format_: str) -> None:
    """Print the table of a result: medians with intervals, and speed-ups over sync. RESULT defaults to the newest."""
    from gilbench.errors import check_names
    from gilbench.report import formats

    check_names("format", [format_], list(formats("result")))
    click.echo(formats("result")[format_](summary_of(result), page_of_terminal()), nl=False)
