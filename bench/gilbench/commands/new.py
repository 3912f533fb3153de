"""`gilbench new`: a module of your own workloads to start from."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("new")
@click.argument("name")
def command(name: str) -> None:
    """Write NAME.py, a module of your own workloads to start from, into this folder. It runs unchanged."""
    from gilbench.targets.scaffold import new

    path = new(name, Path())
    click.echo(f"{path} is written; measure it: gilbench run {path} --profile quick")
