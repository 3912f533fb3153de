"""markdown: the table for an issue, a pull request or a page."""

from __future__ import annotations

from bench.report import COLUMNS, Page, headline, printable, row
from bench.summary import Summary


def format(summary: Summary, page: Page) -> str:
    """Return a table that any renderer of GitHub's Markdown understands."""
    lines = [escape(headline(summary)), "", table_row(COLUMNS), table_row(["---"] * len(COLUMNS))]
    lines += [table_row([escape(cell) for cell in row(case)]) for case in summary.cases]
    lines.append("")
    lines += [f"- failed: {escape(f'{f.case.name}: {f.kind}: {f.reason}')}" for f in summary.failures]
    lines += [f"- **warning**: {escape(warning)}" for warning in summary.warnings]
    return "\n".join(lines).rstrip() + "\n"


def table_row(cells: list[str] | tuple[str, ...]) -> str:
    """Return one row of a table."""
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    """Return text that Markdown shows as it is: results are data, also when their names hold markup."""
    for character in "\\&`*_[]<>|#$~":
        text = text.replace(character, f"\\{character}" if character not in "<>&" else _ENTITIES[character])
    return printable(" ".join(text.split()))


_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
