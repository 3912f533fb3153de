"""Tables as text for a page and as CSV for download. In CSV, no spreadsheet takes a cell for a formula."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Final

from gilbench import units
from gilbench.charts.table import Cell, Table
from gilbench.explain.tutorial import DecidedClaim
from gilbench.report import Page, csv_format
from gilbench.results.summary import Summary
from gilbench.results.verdicts import Verdicts, ordered
from gilbench.stats import Estimate

RISKY: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the start of a formula


def show(cell: Cell, unit: str) -> str:
    """Return a cell as people read it; "" if it is unknown. unit: see gilbench.charts.table."""
    if isinstance(cell, str) or cell is None:
        return cell or ""
    if isinstance(cell, Estimate):
        return units.estimate(cell, unit) if math.isfinite(cell.value) else ""
    if not math.isfinite(cell):
        return ""
    if unit == "share":
        return f"{cell:.0%}"
    return {"second": units.seconds, "byte": units.size, "ratio": units.times}.get(unit, "{:,.0f}".format)(cell)


def cells(table: Table) -> list[list[str]]:
    """Return the rows of a table as people read them."""
    return [[show(cell, unit) for cell, (_, unit) in zip(row, table.columns, strict=True)] for row in table.rows]


def as_csv(table: Table) -> str:
    """Return a table as CSV, with figures in seconds, bytes and plain ratios.

    An estimate takes three columns: its value and both ends of its interval.
    """
    wide = [any(isinstance(row[index], Estimate) for row in table.rows) for index in range(len(table.columns))]
    header = [
        name
        for (column, _), three in zip(table.columns, wide, strict=True)
        for name in ([column, f"{column}_low", f"{column}_high"] if three else [column])
    ]
    rows = [[part for cell, three in zip(row, wide, strict=True) for part in _parts(cell, three)] for row in table.rows]
    return lines([header, *rows])


def lines(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as CSV that is safe to open in a spreadsheet."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()


def guarded(cell: str) -> str:
    """Return a cell that a spreadsheet takes for text or a number, with an apostrophe in front of a formula."""
    if not cell.startswith(RISKY):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _parts(cell: Cell, three: bool) -> list[str]:
    """Return a cell as one column of CSV, or as three."""
    if isinstance(cell, Estimate):
        return [csv_format.number(cell.value), csv_format.number(cell.low), csv_format.number(cell.high)]
    plain = cell if isinstance(cell, str) else "" if cell is None else csv_format.number(cell)
    return [plain, "", ""] if three else [plain]


# --- Of whole results and checks


def every_case(summary: Summary) -> str:
    """Return every case with its figures as CSV, like `gilbench show --format csv`."""
    return lines(list(csv.reader(io.StringIO(csv_format.of_result(summary, Page())))))


def every_observation(summary: Summary) -> str:
    """Return every observation as CSV: a process and its median."""
    header = ["case", "round", "median", "unit"]
    rows = [
        [case.case.name, str(round_), csv_format.number(value), "byte" if case.case.measure == "memory" else "second"]
        for case in summary.cases
        for round_, value in zip(case.rounds or range(len(case.observations)), case.observations, strict=False)
    ]
    return lines([header, *rows])


def decided_claims(results: Sequence[tuple[str, Sequence[DecidedClaim]]]) -> str:
    """Return the claims of several results, each given with its name, as CSV."""
    header = ["result", "claim", "verdict", "evidence"]
    rows = [[name, claim.claim, claim.verdict, claim.evidence] for name, decided in results for claim in decided]
    return lines([header, *rows])


def verdicts_csv(verdicts: Verdicts) -> str:
    """Return the lines of a check as CSV, the worst first."""
    header = ["case", "verdict", "ratio", "low", "high", "would_find", "threshold", "base", "head", "n", "reason"]
    rows = [
        [line.case, line.kind]
        + [
            csv_format.number(x)
            for x in (line.ratio, line.low, line.high, line.detectable, line.threshold, line.base, line.head)
        ]
        + [str(line.n), line.reason]
        for line in ordered(verdicts.lines)
    ]
    return lines([header, *rows])
