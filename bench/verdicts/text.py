"""text: a table for the terminal, the worst first."""

from __future__ import annotations

import io
from dataclasses import replace

from bench.report import Page, printable
from bench.verdicts import COLUMNS, Verdicts, ordered, row

STYLES = {"regression": "bold red", "failed": "red", "improvement": "green", "inconclusive": "yellow"}
WIDE, USUAL = 120, 80  # columns of a terminal
LESS = ("base", "head", "n")  # what one that is not wide does without
LEAST = (*LESS, "time")  # and a narrow one


def format(verdicts: Verdicts, page: Page) -> str:
    """Return the table, what is behind it, and the headline last."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out, width=page.width, force_terminal=page.colour, no_color=not page.colour, highlight=False, markup=False
    )
    without = () if page.width >= WIDE else LESS if page.width >= USUAL else LEAST
    shown = [index for index, name in enumerate(COLUMNS) if name not in without]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index in shown:  # names break where there is no room, figures never
        table.add_column(COLUMNS[index], no_wrap=COLUMNS[index] != "case", overflow="fold")
    lines = ordered(verdicts.lines)
    for line in lines:
        cells = [
            Text(printable(cell)) for cell in row(replace(line, reason="see below" if line.reason else ""), verdicts.of)
        ]
        cells[1].stylize(STYLES.get(line.kind, ""))
        table.add_row(*(cells[index] for index in shown))
    console.print(table)
    reasons = [f"{line.case}: {line.reason}" for line in lines if line.reason]
    for note in (*reasons, *verdicts.notes, verdicts.headline):
        console.print(Text(printable(note)))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
