"""`gilbench plot`: the charts of results and of verdicts."""

from __future__ import annotations

from pathlib import Path

import click

from gilbench.commands.shared.options import path_type
from gilbench.commands.shared.reading import read


@click.command("plot")
@click.argument("results", type=path_type, nargs=-1, metavar="[RESULT|VERDICTS|HISTORY]...")
@click.option("-o", "--output", type=path_type, default=Path("plots"), show_default=True, help="Folder for the charts.")
def command(results: tuple[Path, ...], output: Path) -> None:
    """Draw the charts of a result, of a check's verdicts or of a history, as SVG and PNG. Defaults to the newest result."""
    from gilbench import charts
    from gilbench.charts.reasons.task_graph import dask_visualize
    from gilbench.explain.tracks import tracks
    from gilbench.results import history_file

    histories = [path for path in results if history_file.is_history(path)]
    others = tuple(path for path in results if path not in histories)
    summaries, verdicts = read(others) if others or not histories else ([], [])
    found = tracks(entry for path in histories for entry in history_file.read(path))
    for drawn, of in ((found, charts.HISTORY), (verdicts, charts.VERDICTS), (summaries, charts.RESULTS)):
        if not drawn:
            continue
        rendered = charts.render(drawn, output, of=of)
        for path in rendered.files:
            click.echo(path)
        for name, reason in rendered.left_out.items():
            click.echo(f"left out: {name}: {reason}", err=True)
    if not summaries:
        return
    dask_picture = dask_visualize(output)
    if dask_picture:
        click.echo(dask_picture)
    else:
        click.echo(
            "left out: dask_visualize: it needs the graphviz package and its dot program; see task_graph", err=True
        )
