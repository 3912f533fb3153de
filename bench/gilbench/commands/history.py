"""`gilbench history`: since which revision is a benchmark slower or faster?"""

from __future__ import annotations

from pathlib import Path

import click

from gilbench.commands.shared.options import path_type
from gilbench.commands.shared.reading import page_of_terminal


@click.command("history")
@click.argument("history", type=path_type, default=Path("gilbench-history.jsonl"), metavar="[FILE]")
@click.option(
    "--add",
    type=path_type,
    multiple=True,
    metavar="VERDICTS",
    help="First append what `check --json` wrote. Repeatable.",
)
@click.option("--format", "format_", default="text", show_default=True, help="text, markdown or json.")
def command(history: Path, add: tuple[Path, ...], format_: str) -> None:
    """Say which benchmarks changed, by how much, and the first revision of each change.

    FILE holds a line for each check of each benchmark; `gilbench check --history FILE` appends to it. It defaults to
    gilbench-history.jsonl. Commit it, and put `gilbench-history.jsonl merge=union` into .gitattributes. `gilbench plot FILE`
    draws it.
    """
    from gilbench.errors import check_names
    from gilbench.report import formats

    check_names("format", [format_], list(formats("history")))
    from gilbench import units
    from gilbench.explain.tracks import tracks
    from gilbench.results import history_file, verdicts

    if add:
        entries = [entry for path in add for entry in history_file.entries_of(verdicts.load(path))]
        added = history_file.append(history, entries)
        click.echo(f"{history}: {units.count(added, 'line')} added", err=True)
    click.echo(formats("history")[format_](tracks(history_file.read(history)), page_of_terminal()), nl=False)
