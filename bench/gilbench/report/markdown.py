"""markdown: tables for an issue, a pull request or a page; the worst verdicts first."""

from __future__ import annotations

from collections.abc import Sequence

from gilbench.console import printable
from gilbench.explain.tutorial import Finding
from gilbench.report import Page
from gilbench.report.columns import CASE_COLUMNS, VERDICT_COLUMNS, case_row, headline, verdict_row
from gilbench.results.summary import Summary
from gilbench.results.verdicts import Verdicts, ordered

MARKS = {"regression": "🔴", "failed": "🔴", "inconclusive": "🟡", "improvement": "🟢", "same": "⚪"}


def of_result(summary: Summary, page: Page) -> str:
    """Return a table that any renderer of GitHub's Markdown understands."""
    lines = [escape(headline(summary)), "", table_row(CASE_COLUMNS), table_row(["---"] * len(CASE_COLUMNS))]
    lines += [table_row([escape(cell) for cell in case_row(case)]) for case in summary.cases]
    lines.append("")
    lines += [f"- failed: {escape(f'{f.case.name}: {f.kind}: {f.reason}')}" for f in summary.failures]
    lines += [f"- **warning**: {escape(warning)}" for warning in summary.warnings]
    return "\n".join(lines).rstrip() + "\n"


def of_verdicts(verdicts: Verdicts, page: Page) -> str:
    """Return headline, table and notes, for any renderer of GitHub's Markdown."""
    lines = [f"### gilbench: {escape(verdicts.headline)}", ""]
    lines += [f"- {escape(line)}" for line in verdicts.about]
    lines += ["", table_row(VERDICT_COLUMNS), table_row(["---"] * len(VERDICT_COLUMNS))]
    for line in ordered(verdicts.lines):
        cells = [escape(cell) for cell in verdict_row(line, verdicts.of)]
        cells[1] = f"{MARKS[line.kind]} {cells[1]}"
        lines.append(table_row(cells))
    lines += ["", *(f"- {escape(note)}" for note in verdicts.notes)]
    return "\n".join(lines).rstrip() + "\n"


def of_claims(findings: Sequence[Finding], page: Page) -> str:
    """Return a table of the claims."""
    rows = [table_row(("claim", "here", "measured")), table_row(("---",) * 3)]
    rows += [table_row([escape(f.claim), f"**{f.verdict}**", escape(f.evidence)]) for f in findings]
    return "\n".join(rows) + "\n"


def table_row(cells: list[str] | tuple[str, ...]) -> str:
    """Return one row of a table."""
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    """Return text that Markdown shows as it is: results are data, also when their names hold markup."""
    for character in "\\&`*_[]<>|#$~":
        text = text.replace(character, f"\\{character}" if character not in "<>&" else _ENTITIES[character])
    return printable(" ".join(text.split()))


_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
