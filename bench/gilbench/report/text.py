"""text: tables for the terminal, with the worst verdicts first."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gilbench.console import printable
from gilbench.explain import chains
from gilbench.explain.tracks import Track
from gilbench.explain.tutorial import FAILS, HOLDS, UNKNOWN, DecidedClaim
from gilbench.report import Page
from gilbench.report.columns import CASE_COLUMNS, VERDICT_COLUMNS, case_row, headline, verdict_row
from gilbench.report.history_lines import gaps, sentence_of_change, summary_of_track
from gilbench.results.summary import Summary
from gilbench.results.verdicts import Verdicts, ordered

RIGHT = {"median", "speed-up", "n"}
NOTES = "notes"
SPEEDUP = CASE_COLUMNS.index("speed-up")
WIDE = 130  # columns of a terminal that everything fits into
STYLES = {"regression": "bold red", "failed": "red", "improvement": "green", "inconclusive": "yellow"}
WIDE_VERDICTS, USUAL = 120, 80  # columns of a terminal that all of a check fits into, and most of it
WITHOUT_IF_USUAL = ("base", "head", "n")  # columns left out in a terminal that is not wide
WITHOUT_IF_NARROW = (*WITHOUT_IF_USUAL, "time")
MARKS: Mapping[str, str] = {HOLDS: "green", FAILS: "red", UNKNOWN: "yellow"}


def of_result(summary: Summary, page: Page) -> str:
    """Return the table of all cases with a section per workload, then failures and warnings."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out, width=page.width, force_terminal=page.color, no_color=not page.color, highlight=False, markup=False
    )
    shown = columns(summary, page)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index in shown:
        name = CASE_COLUMNS[index]
        table.add_column(name, justify="right" if name in RIGHT else "left", no_wrap=name != NOTES, overflow="fold")
    last = ""
    for case in summary.cases:
        if last not in ("", case.case.workload):
            table.add_section()
        cells = [Text(printable(cell)) for cell in case_row(case, summary.level)]
        if case.speedup and case.speedup.low > 1:
            cells[SPEEDUP].stylize("green")
        elif case.speedup and case.speedup.high < 1:
            cells[SPEEDUP].stylize("red")
        table.add_row(*(cells[index] for index in shown))
        last = case.case.workload
    console.print(Text(printable(headline(summary))))
    console.print(table)
    found = chains.chains(summary)
    for chain in found:
        console.print(
            Text(
                printable(f"why: {chain.case.workload}, size {chain.case.size}, {chains.sentence(chain)}"), style="dim"
            )
        )
    for note in chains.lacking(found):
        console.print(Text(printable(f"note: {note}"), style="dim"))
    for failure in summary.failures:
        reason = f"failed: {failure.case.name}: {failure.kind}: {failure.reason}"
        console.print(Text(printable(reason), style="red"))
    for warning in summary.warnings:
        console.print(Text(printable(f"warning: {warning}"), style="bold red"))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def columns(summary: Summary, page: Page) -> list[int]:
    """Return which of CASE_COLUMNS to show, without those that say nothing here or do not fit into a narrow terminal."""
    left_out = set()
    if len({case.case.size for case in summary.cases}) < 2:
        left_out.add("size")
    if not any(case.flags for case in summary.cases):
        left_out.add(NOTES)
    if page.width < WIDE:
        left_out |= {"95 % interval", "n", "stop"}
    return [index for index, name in enumerate(CASE_COLUMNS) if name not in left_out]


def of_verdicts(verdicts: Verdicts, page: Page) -> str:
    """Return the table, reasons and notes, and the headline last."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out, width=page.width, force_terminal=page.color, no_color=not page.color, highlight=False, markup=False
    )
    without = () if page.width >= WIDE_VERDICTS else WITHOUT_IF_USUAL if page.width >= USUAL else WITHOUT_IF_NARROW
    shown = [index for index, name in enumerate(VERDICT_COLUMNS) if name not in without]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index in shown:  # names wrap if there is no room, figures never do
        table.add_column(VERDICT_COLUMNS[index], no_wrap=VERDICT_COLUMNS[index] != "case", overflow="fold")
    lines = ordered(verdicts.lines)
    for line in lines:
        cells = [
            Text(printable(cell))
            for cell in verdict_row(replace(line, reason="see below" if line.reason else ""), verdicts.of)
        ]
        cells[1].stylize(STYLES.get(line.kind, ""))
        table.add_row(*(cells[index] for index in shown))
    console.print(table)
    reasons = [f"{line.case}: {line.reason}" for line in lines if line.reason]
    for note in (*reasons, *verdicts.notes, verdicts.headline):
        console.print(Text(printable(note)))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def of_claims(claims: Sequence[DecidedClaim], page: Page) -> str:
    """Return a paragraph for each claim: its verdict, what the tutorial says, and the evidence."""
    return "".join(_paragraph(claim, page) for claim in claims)


def of_history(tracks: Sequence[Track], page: Page) -> str:
    """Return a line for each benchmark, those with changes first, and below it a line for each change, the newest first."""
    import click

    lines = []
    for track in sorted(tracks, key=lambda track: (not track.changes, track.benchmark)):
        lines.append(printable(f"{track.benchmark}: {summary_of_track(track)}"))
        for change in reversed(track.changes):
            text = f"  {printable(sentence_of_change(track, change))}"
            color = "red" if change.ratio.value > 1 else "green"
            lines.append(click.style(text, fg=color) if page.color else text)
        lines += [f"  {printable(line)}" for line in gaps(track)]
    return "".join(f"{line}\n" for line in lines)


def _paragraph(claim: DecidedClaim, page: Page) -> str:
    import click

    verdict = (
        click.style(f"{claim.verdict:13s}", fg=MARKS[claim.verdict], bold=True)
        if page.color
        else f"{claim.verdict:13s}"
    )
    body = textwrap.fill(
        printable(claim.evidence), max(40, min(page.width, 110)), initial_indent=" " * 15, subsequent_indent=" " * 15
    )
    return f"{verdict}  {claim.claim}\n{body}\n"
