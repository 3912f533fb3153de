"""markdown: tables for an issue, a pull request or a page, with the worst verdicts first."""

from __future__ import annotations

from collections.abc import Sequence

from gilbench.console import printable
from gilbench.explain.tracks import Track
from gilbench.explain.tutorial import DecidedClaim
from gilbench.report import Page
from gilbench.report.columns import CASE_COLUMNS, VERDICT_COLUMNS, case_row, headline, verdict_row
from gilbench.report.history_lines import sentence_of_change, summary_of_track
from gilbench.results.summary import Summary
from gilbench.results.verdicts import Verdicts, ordered

MARKS = {"regression": "🔴", "failed": "🔴", "inconclusive": "🟡", "improvement": "🟢", "same": "⚪"}


def of_result(summary: Summary, page: Page) -> str:
    """Return a table in GitHub Flavored Markdown."""
    lines = [escape(headline(summary)), "", table_row(CASE_COLUMNS), table_row(["---"] * len(CASE_COLUMNS))]
    lines += [table_row([escape(cell) for cell in case_row(case, summary.level)]) for case in summary.cases]
    lines.append("")
    lines += [f"- failed: {escape(f'{f.case.name}: {f.kind}: {f.reason}')}" for f in summary.failures]
    lines += [f"- **warning**: {escape(warning)}" for warning in summary.warnings]
    return "\n".join(lines).rstrip() + "\n"


def of_verdicts(verdicts: Verdicts, page: Page) -> str:
    """Return headline, table and notes in GitHub Flavored Markdown."""
    lines = [f"### gilbench: {escape(verdicts.headline)}", ""]
    lines += [f"- {escape(line)}" for line in verdicts.about]
    lines += ["", table_row(VERDICT_COLUMNS), table_row(["---"] * len(VERDICT_COLUMNS))]
    for line in ordered(verdicts.lines):
        cells = [escape(cell) for cell in verdict_row(line, verdicts.of)]
        cells[1] = f"{MARKS[line.kind]} {cells[1]}"
        lines.append(table_row(cells))
    lines += ["", *(f"- {escape(note)}" for note in verdicts.notes)]
    return "\n".join(lines).rstrip() + "\n"


def of_claims(claims: Sequence[DecidedClaim], page: Page) -> str:
    """Return a table of the claims and their verdicts."""
    rows = [table_row(("claim", "here", "measured")), table_row(("---",) * 3)]
    rows += [table_row([escape(claim.claim), f"**{claim.verdict}**", escape(claim.evidence)]) for claim in claims]
    return "\n".join(rows) + "\n"


def of_history(tracks: Sequence[Track], page: Page) -> str:
    """Return a table of the benchmarks, and a list of their changes, the newest first."""
    rows = [table_row(("benchmark", "history")), table_row(("---",) * 2)]
    rows += [table_row([escape(track.benchmark), escape(summary_of_track(track))]) for track in tracks]
    changes = [
        f"- {escape(f'{track.benchmark}: {sentence_of_change(track, change)}')}"
        for track in tracks
        for change in reversed(track.changes)
    ]
    return "\n".join([*rows, "", *changes]).rstrip() + "\n"


def table_row(cells: list[str] | tuple[str, ...]) -> str:
    """Return one row of a table."""
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    """Return text that Markdown shows as it is. Results are data, even if their names contain markup."""
    for character in "\\&`*_[]<>|#$~":
        text = text.replace(character, f"\\{character}" if character not in "<>&" else _ENTITIES[character])
    return printable(" ".join(text.split()))


_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
