"""markdown: the table for a pull request, the worst first."""

from __future__ import annotations

from bench.report import Page
from bench.report.markdown import escape, table_row
from bench.verdicts import COLUMNS, Verdicts, ordered, row

MARKS = {"regression": "🔴", "failed": "🔴", "inconclusive": "🟡", "improvement": "🟢", "same": "⚪"}


def format(verdicts: Verdicts, page: Page) -> str:
    """Return headline, table and notes, for any renderer of GitHub's Markdown."""
    lines = [f"### gilbench: {escape(verdicts.headline)}", ""]
    lines += [f"- {escape(line)}" for line in verdicts.about]
    lines += ["", table_row(COLUMNS), table_row(["---"] * len(COLUMNS))]
    for line in ordered(verdicts.lines):
        cells = [escape(cell) for cell in row(line, verdicts.of)]
        cells[1] = f"{MARKS[line.kind]} {cells[1]}"
        lines.append(table_row(cells))
    lines += ["", *(f"- {escape(note)}" for note in verdicts.notes)]
    return "\n".join(lines).rstrip() + "\n"
