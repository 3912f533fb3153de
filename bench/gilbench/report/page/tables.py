"""What each chart shows, as a table for those who do not see it, and as CSV for those who go on with it.

A function here gives the table of the chart whose name it has. A chart without one shows what stands in the matrix.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gilbench import units
from gilbench.explain import series as data
from gilbench.explain.tutorial import Finding
from gilbench.report import Page, csv_format
from gilbench.results.summary import Summary
from gilbench.results.verdicts import Verdicts, ordered
from gilbench.stats import Estimate

RISKY: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the start of a formula

Cell = str | float | Estimate | None
Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """columns: (name, unit), where unit is "text", "second", "byte", "ratio", "share" or "count". rows: a cell for each."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]

    def shown(self) -> list[list[str]]:
        """Return the cells as people read them."""
        return [[show(cell, unit) for cell, (_, unit) in zip(row, self.columns, strict=True)] for row in self.rows]

    def csv(self) -> str:
        """Return lines of CSV: figures in seconds, bytes and plain ratios; an estimate is three columns, of which two are
        its interval. Text that a spreadsheet would take for a formula gets an apostrophe in front.
        """
        wide = [any(isinstance(row[index], Estimate) for row in self.rows) for index in range(len(self.columns))]
        header = [
            name
            for (column, _), three in zip(self.columns, wide, strict=True)
            for name in ([column, f"{column}_low", f"{column}_high"] if three else [column])
        ]
        rows = [
            [part for cell, three in zip(row, wide, strict=True) for part in _plain(cell, three)] for row in self.rows
        ]
        return lines([header, *rows])


def lines(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as CSV that no spreadsheet takes for formulas."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()


def guarded(cell: str) -> str:
    """Return a cell that is text also for a spreadsheet: with an apostrophe where it would be a formula."""
    if not cell.startswith(RISKY):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def show(cell: Cell, unit: str) -> str:
    """Return a cell as people read it; what is unknown is empty."""
    if isinstance(cell, str) or cell is None:
        return cell or ""
    if isinstance(cell, Estimate):
        return units.estimate(cell, unit) if math.isfinite(cell.value) else ""
    if not math.isfinite(cell):
        return ""
    if unit == "share":
        return f"{cell:.0%}"
    return {"second": units.seconds, "byte": units.size, "ratio": units.times}.get(unit, "{:,.0f}".format)(cell)


def _plain(cell: Cell, three: bool) -> list[str]:
    if isinstance(cell, Estimate):
        return [_number(cell.value), _number(cell.low), _number(cell.high)]
    one = cell if isinstance(cell, str) else "" if cell is None else _number(cell)
    return [one, "", ""] if three else [one]


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else ""


# --- Of a whole result


def every_case(summary: Summary) -> str:
    """Return every case and its figures as CSV, as `gilbench show --format csv` does."""
    return lines(list(csv.reader(io.StringIO(csv_format.of_result(summary, Page())))))


def every_observation(summary: Summary) -> str:
    """Return every observation as CSV: a process and its median."""
    header = ["case", "round", "median", "unit"]
    rows = [
        [case.case.name, str(round_), _number(value), "byte" if case.case.measure == "memory" else "second"]
        for case in summary.cases
        for round_, value in zip(case.rounds or range(len(case.observations)), case.observations, strict=False)
    ]
    return lines([header, *rows])


def decided(results: Sequence[tuple[str, Sequence[Finding]]]) -> str:
    """Return the claims of each result, by name, as CSV."""
    header = ["result", "claim", "verdict", "evidence"]
    return lines([header, *([name, one.claim, one.verdict, one.evidence] for name, found in results for one in found)])


def verdict_csv(verdicts: Verdicts) -> str:
    """Return the lines of a check as CSV, the worst first."""
    header = ["case", "verdict", "ratio", "low", "high", "would_find", "threshold", "base", "head", "n", "reason"]
    rows = [
        [line.case, line.kind]
        + [_number(x) for x in (line.ratio, line.low, line.high, line.detectable, line.threshold, line.base, line.head)]
        + [str(line.n), line.reason]
        for line in ordered(verdicts.lines)
    ]
    return lines([header, *rows])


# --- Of a chart


def of_chart(name: str, summaries: Sequence[Summary]) -> Table | None:
    """Return the table of a chart; None where there is none, or where it would be empty."""
    maker = MAKERS.get(name)
    if maker is None:
        return None
    columns, rows = maker
    found = tuple((summary.name, *row) for summary in summaries for row in rows(summary))
    whole = Table((("result", "text"), *columns), found)
    if not found:
        return None
    return whole if len(summaries) > 1 else Table(whole.columns[1:], tuple(row[1:] for row in found))


def scaling(summary: Summary) -> Iterator[Row]:
    """Yield the speed-up with each number of workers."""
    from gilbench.charts.speed import scaling as chart

    for workload, curves in chart.workloads(summary).items():
        for name, curve in curves.items():
            yield from ((workload, name, case.case.parallelism, case.speedup) for case in curve)


def task_cost(summary: Summary) -> Iterator[Row]:
    """Yield the time per task."""
    from gilbench.charts.costs.task_cost import costs

    yield from ((case.scheduler, case.shape, cost) for case, cost in costs(summary).items())


def bytes_moved(summary: Summary) -> Iterator[Row]:
    """Yield the time that moving data takes."""
    from gilbench.charts.costs import bytes_moved as chart

    for workload, curves in chart.workloads(summary).items():
        for name, curve in curves.items():
            yield from ((workload, name, float(case.moved_bytes), case.estimate) for case in curve)


def memory(summary: Summary) -> Iterator[Row]:
    """Yield the peak memory."""
    from gilbench.charts.costs.memory import peaks

    for workload, cases in peaks(summary).items():
        yield from ((workload, data.series(case.case), case.case.shape, case.estimate) for case in cases)


def cold_warm(summary: Summary) -> Iterator[Row]:
    """Yield the times of opening, of the first compute and of every later one."""
    for case in data.at_most_workers(data.at_main_size(data.timed(summary))):
        if case.opening and case.first:
            yield case.case.workload, data.series(case.case), case.opening, case.first, case.estimate


def regret(summary: Summary) -> Iterator[Row]:
    """Yield what the default costs."""
    from gilbench.charts.speed.regret import regrets

    for one in regrets(summary):
        yield one.label, one.default.ran_on, data.series(one.best.case), one.ratio


def gil(summary: Summary) -> Iterator[Row]:
    """Yield how much of the time the GIL is held, and the speed-up on threads."""
    from gilbench.charts.reasons.gil import dots_of

    yield from ((dot.name, dot.held.value, dot.speedup, dot.bound, dot.why) for dot in dots_of(summary))


def traffic(summary: Summary) -> Iterator[Row]:
    """Yield the bytes moved in one compute."""
    from gilbench.charts.costs.traffic import moved_of

    for workload, moved in moved_of(summary).items():
        yield from ((workload, scheduler, value) for scheduler, value in moved.items())


def granularity(summary: Summary) -> Iterator[Row]:
    """Yield the shortest tasks that keep half of the efficiency."""
    from gilbench.charts.costs.granularity import panels

    for pattern, found in panels(summary).items():
        for name, one in found.items():
            yield pattern, name, one["metg"], f"{one['bound']} all that was tried" if one.get("bound") else ""


def timeline(summary: Summary) -> Iterator[Row]:
    """Yield how long each compute took, and how much of the workers' time was inside tasks."""
    from gilbench.charts.reasons.timeline import blocks

    for block in blocks(summary):
        for name, one in block.timelines.items():
            yield block.workload, name, float(len(one.tasks)), one.seconds, one.busy, one.longest.seconds


Rows = Callable[[Summary], Iterator[Row]]
TEXT: Final = "text"
WORK: Final = (("workload", TEXT), ("scheduler", TEXT))
MAKERS: Final[dict[str, tuple[tuple[tuple[str, str], ...], Rows]]] = {
    "scaling": ((*WORK, ("workers", "count"), ("speed-up", "ratio")), scaling),
    "task_cost": ((("scheduler", TEXT), ("workers", TEXT), ("time per task", "second")), task_cost),
    "bytes_moved": ((*WORK, ("moved", "byte"), ("time", "second")), bytes_moved),
    "memory": ((*WORK, ("workers", TEXT), ("peak", "byte")), memory),
    "cold_warm": (
        (*WORK, ("opening", "second"), ("first compute", "second"), ("every later one", "second")),
        cold_warm,
    ),
    "regret": ((("collection", TEXT), ("default", TEXT), ("best", TEXT), ("time over the best", "ratio")), regret),
    "gil": (
        (("workload", TEXT), ("GIL held", "share"), ("speed-up", "ratio"), ("bound", "ratio"), ("why less", TEXT)),
        gil,
    ),
    "traffic": ((*WORK, ("moved", "byte")), traffic),
    "granularity": (
        (("pattern", TEXT), ("scheduler", TEXT), ("shortest task", "second"), ("bound", TEXT)),
        granularity,
    ),
    "timeline": (
        (*WORK, ("tasks", "count"), ("compute", "second"), ("inside tasks", "share"), ("longest task", "second")),
        timeline,
    ),
}
