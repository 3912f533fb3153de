"""text: a table for the terminal."""

from __future__ import annotations

import io

from bench.report import COLUMNS, Page, headline, printable, row
from bench.summary import Summary

RIGHT = {"median", "speed-up", "n"}
NOTES = "notes"
SPEEDUP = COLUMNS.index("speed-up")
WIDE = 130  # columns of a terminal that hold everything


def format(summary: Summary, page: Page) -> str:
    """Return the table of all cases, a section per workload, then what failed and what is doubtful."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out, width=page.width, force_terminal=page.colour, no_color=not page.colour, highlight=False, markup=False
    )
    shown = columns(summary, page)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index in shown:
        name = COLUMNS[index]
        table.add_column(name, justify="right" if name in RIGHT else "left", no_wrap=name != NOTES, overflow="fold")
    last = ""
    for case in summary.cases:
        if last not in ("", case.case.workload):
            table.add_section()
        cells = [Text(printable(cell)) for cell in row(case)]
        if case.speedup and case.speedup.low > 1:
            cells[SPEEDUP].stylize("green")
        elif case.speedup and case.speedup.high < 1:
            cells[SPEEDUP].stylize("red")
        table.add_row(*(cells[index] for index in shown))
        last = case.case.workload
    console.print(Text(printable(headline(summary))))
    console.print(table)
    for failure in summary.failures:
        reason = f"failed: {failure.case.name}: {failure.kind}: {failure.reason}"
        console.print(Text(printable(reason), style="red"))
    for warning in summary.warnings:
        console.print(Text(printable(f"warning: {warning}"), style="bold red"))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def columns(summary: Summary, page: Page) -> list[int]:
    """Return which of COLUMNS to show: not those that say nothing here, nor what a narrow window has no room for."""
    left_out = set()
    if len({case.case.size for case in summary.cases}) < 2:
        left_out.add("size")
    if not any(case.flags for case in summary.cases):
        left_out.add(NOTES)
    if page.width < WIDE:
        left_out |= {"95 % interval", "n", "stop"}
    return [index for index, name in enumerate(COLUMNS) if name not in left_out]
