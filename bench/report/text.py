"""text: a table for the terminal."""

from __future__ import annotations

import io

from bench.report import COLUMNS, Page, headline, printable, row
from bench.summary import Summary

RIGHT = {"median", "speed-up", "n"}


def format(summary: Summary, page: Page) -> str:
    """Return the table of all cases, a section per workload, then what failed and what is doubtful."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out, width=page.width, force_terminal=page.colour, no_color=not page.colour, highlight=False, markup=False
    )
    notes = any(case.flags for case in summary.cases)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in COLUMNS if notes else COLUMNS[:-1]:
        # Cells fold over several lines rather than losing their ends in a narrow window.
        table.add_column(column, justify="right" if column in RIGHT else "left", overflow="fold")
    last = ""
    for case in summary.cases:
        if last not in ("", case.case.workload):
            table.add_section()
        cells = [Text(printable(cell)) for cell in row(case)]
        if case.speedup and case.speedup.low > 1:
            cells[6].stylize("green")
        elif case.speedup and case.speedup.high < 1:
            cells[6].stylize("red")
        if last == case.case.workload:
            cells[0] = Text("")
        table.add_row(*(cells if notes else cells[:-1]))
        last = case.case.workload
    console.print(Text(printable(headline(summary))))
    console.print(table)
    for failure in summary.failures:
        console.print(Text(printable(f"failed: {failure.case.name}: {failure.kind}: {failure.reason}"), style="red"))
    for warning in summary.warnings:
        console.print(Text(printable(f"warning: {warning}"), style="bold red"))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
