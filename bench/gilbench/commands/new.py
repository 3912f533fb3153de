"""`gilbench new`: files to start from: a module of your own workloads, or workflows for pull requests."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("new")
@click.argument("name", metavar="NAME|ci")
def command(name: str) -> None:
    """Write NAME.py, a module of your own workloads to start from, into this folder. It runs unchanged.

    With `ci`, write GitHub workflows instead, which check each pull request against its base and comment on it.
    """
    from gilbench.targets.scaffold import CI, new, new_ci

    if name == CI:
        for path in new_ci(Path()):
            click.echo(f"{path} is written")
        click.echo("commit them to the default branch: a workflow that comments runs only from there")
        return
    path = new(name, Path())
    click.echo(f"{path} is written; measure it: gilbench run {path} --profile quick")
