"""csv: one line for each case with figures in plain units (seconds, bytes), for a spreadsheet or pandas."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from gilbench.console import printable
from gilbench.report import Page
from gilbench.results.summary import Summary

HEADER = (
    "workload,family,size,scheduler,workers,threads_per_worker,inner_threads,measure,median,low,high,n,"
    "speedup,speedup_low,speedup_high,open_seconds,first_seconds,tasks,workers_used,moved_bytes,stop,notes,level"
)


def of_result(summary: Summary, page: Page) -> str:
    """Return the lines. Unknown figures are empty. Failed cases have no figures; their notes give the reason."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")

    def write(cells: Sequence[object]) -> None:
        writer.writerow([printable(str(cell)) for cell in cells])

    write(HEADER.split(","))
    for found in summary.cases:
        case, figure, speedup = found.case, found.estimate, found.speedup
        write(
            [case.workload, found.family, case.size, case.scheduler, case.workers, case.threads]
            + ["pinned" if case.pinned else "as users get them", case.measure]
            + [number(figure.value), number(figure.low), number(figure.high), figure.n]
            + ([number(speedup.value), number(speedup.low), number(speedup.high)] if speedup else ["", "", ""])
            + [number(found.opening.value) if found.opening else "", number(found.first.value) if found.first else ""]
            + [found.tasks, found.workers_used, found.moved_bytes, found.stop, "; ".join(found.flags), case.level]
        )
    for failure in summary.failures:
        case = failure.case
        write(
            [case.workload, "", case.size, case.scheduler, case.workers, case.threads]
            + ["pinned" if case.pinned else "as users get them", case.measure, *[""] * 12, "failed"]
            + [f"{failure.kind}: {failure.reason}", case.level]
        )
    return out.getvalue()


def number(value: float) -> str:
    """Return a figure with all its digits; empty where it is unknown or without bound."""
    return repr(value) if math.isfinite(value) else ""
