"""The group of all commands, under each of its names: gilbench, python -m gilbench, and dask bench."""

from __future__ import annotations

from typing import Any

import click

from gilbench import __version__, commands
from gilbench.console import printable, terminated_as_interrupted
from gilbench.errors import INTERRUPTED, UserError
from gilbench.files import modules_in


class Commands(click.Group):
    """A group whose commands report a user's mistake in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a UserError becomes click's one line and exit code 2, Ctrl-C and SIGTERM become exit code 130."""
        try:
            with terminated_as_interrupted():
                return super().invoke(ctx)
        except UserError as error:
            raise Mistake(printable(str(error))) from error
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


class Mistake(click.ClickException):
    """A user's mistake: one line, exit code 2."""

    exit_code = 2


# dask takes the name that follows `dask` from here; as a script the group goes by the script's own name.
@click.group(
    "bench",
    cls=Commands,
    invoke_without_command=True,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, help="Print the version and exit.")
@click.option("--json", is_flag=True, help="With --version: print machine and versions as data, for issue reports.")
@click.pass_context
def gilbench(ctx: click.Context, version: bool, json: bool) -> None:
    """Threads or processes? Measures work under dask's schedulers and says which one wins here, and why."""
    if version:
        click.echo(versions() if json else f"gilbench, version {__version__}")
        ctx.exit()
    if json:
        raise click.UsageError("--json before a command needs --version; a command's own --json comes after its name")


def versions() -> str:
    """Return what a maintainer asks for first, as JSON: gilbench's version, and the fingerprint of machine and software."""
    import json

    from gilbench.machine import fingerprint

    return json.dumps({"gilbench_version": __version__, **fingerprint()}, indent=2)


for _module in modules_in(commands):
    if hasattr(_module, "command"):
        gilbench.add_command(_module.command)


def main() -> None:
    """Start the console script `gilbench`."""
    gilbench(prog_name="gilbench")
