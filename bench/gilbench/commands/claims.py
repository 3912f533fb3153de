"""`gilbench claims`: which claims of the tutorial hold here?"""

from __future__ import annotations

from pathlib import Path

import click

from gilbench.commands.shared.options import path_type
from gilbench.commands.shared.reading import page_of_terminal, summary_of


@click.command("claims")
@click.argument("result", type=path_type, required=False)
@click.option("--format", "format_", default="text", show_default=True, help="text, markdown or json.")
def command(result: Path | None, format_: str) -> None:
    """Say for each claim of the tutorial whether it holds here. RESULT defaults to the newest."""
    from gilbench.errors import check_names
    from gilbench.explain.tutorial import decide
    from gilbench.report import formats

    check_names("format", [format_], list(formats("claims")))
    click.echo(formats("claims")[format_](decide(summary_of(result)), page_of_terminal()), nl=False)
