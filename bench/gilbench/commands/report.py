"""`gilbench report`: one HTML page that explains results."""

from __future__ import annotations

from pathlib import Path

import click

from gilbench.commands.shared.options import path_type
from gilbench.commands.shared.reading import read
from gilbench.errors import UserError


@click.command("report")
@click.argument("results", type=path_type, nargs=-1, metavar="[RESULT|VERDICTS]...")
@click.option(
    "-o", "--output", type=path_type, default=Path("report.html"), show_default=True, metavar="FILE", help="The page."
)
def command(results: tuple[Path, ...], output: Path) -> None:
    """Write one HTML page that explains results, or a check's verdicts. Defaults to the newest result.

    The page needs no other file and no network: mail it, publish it or print it.
    """
    from gilbench.files import write
    from gilbench.report import html_format

    page = html_format.render(*read(results))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write(output, page.encode())
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror}: name another file with -o") from error
    click.echo(output)
