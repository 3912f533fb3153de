"""`gilbench list`: what can be measured, and how."""

from __future__ import annotations

import click


@click.command("list")
def command() -> None:
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
