"""The columns of tables in text, Markdown and JUnit: how one case or one verdict looks in a row.

CSV has columns of its own (see csv_format).
"""

from __future__ import annotations

import math

from gilbench import units
from gilbench.process.levels import AS_IS
from gilbench.results.summary import CaseSummary, Summary
from gilbench.results.verdicts import Line

CASE_COLUMNS = (
    "workload",
    "size",
    "scheduler",
    "workers",
    "median",
    "95 % interval",
    "speed-up",
    "interval",
    "n",
    "stop",
    "notes",
)
VERDICT_COLUMNS = ("case", "verdict", "ratio", "interval", "would find", "base", "head", "n", "time")


def case_row(summary: CaseSummary, level: str = AS_IS) -> tuple[str, ...]:
    """Return the cells of one case as text, in the order of CASE_COLUMNS. level: that of the cases that are compared."""
    case, unit = summary.case, "byte" if summary.case.measure == "memory" else "second"
    show = units.size if unit == "byte" else units.seconds
    speedup = summary.speedup
    other_level = unit == "second" and case.level != level
    return (
        case.workload if unit == "second" else f"{case.workload} (memory)",
        case.size,
        f"{case.scheduler}{'' if case.pinned else ' (inner threads)'}{' (as is)' if other_level else ''}",
        case.shape,
        show(summary.estimate.value),
        units.interval(summary.estimate, unit),
        units.times(speedup.value) if speedup else "",
        units.interval(speedup, "ratio") if speedup else "",
        str(summary.estimate.n),
        summary.stop,
        "; ".join(summary.flags),
    )


def verdict_row(line: Line, of: str) -> tuple[str, ...]:
    """Return the cells of one verdict as text, in the order of VERDICT_COLUMNS."""
    known = math.isfinite(line.ratio)
    show = units.seconds if of == "time" else units.times
    return (
        line.case,
        line.kind,
        f"{line.ratio:.3f}" if known else "",
        line.reason or (f"{line.low:.3f} to {line.high:.3f}" if known and math.isfinite(line.high) else "unknown"),
        f"{line.detectable:.1%}" if math.isfinite(line.detectable) else "",
        show(line.base) if math.isfinite(line.base) else "",
        show(line.head) if math.isfinite(line.head) else "",
        str(line.n),
        units.duration(line.seconds) if line.seconds else "",
    )


def headline(summary: Summary) -> str:
    """Return one line that says where and with what a result was measured."""
    machine = summary.machine
    gil = "" if machine.get("python_build") == "gil" else " free-threaded"
    return (
        f"{summary.name}: {machine.get('cpu_model_name', 'unknown CPU')}, {machine.get('usable_cpus', '?')} CPUs, "
        f"Python {machine.get('python_version', '?')}{gil}, dask {machine.get('dask_version', '?')}, "
        f"pandas {machine.get('pandas_version', '?')}, numpy {machine.get('numpy_version', '?')}"
    )
