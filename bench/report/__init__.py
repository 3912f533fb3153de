"""A summary as text: one file per format, and the folder is the registry.

Each module defines `format(summary, page) -> str`, which is pure; the command line alone prints or writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from bench import units
from bench.summary import CaseSummary, Summary


@dataclass(frozen=True)
class Page:
    """What the text is made for. width: columns. colour: whether escape codes are welcome."""

    width: int = 120
    colour: bool = False


Format = Callable[[Summary, Page], str]
COLUMNS = (
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


@cache
def all_formats() -> dict[str, Format]:
    """Return name -> format function for every module of this folder."""
    from bench import report
    from bench.registry import modules_in

    return {module.__name__.rpartition(".")[2]: module.format for module in modules_in(report)}


def row(summary: CaseSummary) -> tuple[str, ...]:
    """Return the cells of one case, in the order of COLUMNS, as text."""
    case, unit = summary.case, "byte" if summary.case.measure == "memory" else "second"
    show = units.size if unit == "byte" else units.seconds
    speedup = summary.speedup
    return (
        case.workload if unit == "second" else f"{case.workload} (memory)",
        case.size,
        case.scheduler if case.pinned else f"{case.scheduler} (inner threads)",
        case.shape,
        show(summary.estimate.value),
        units.interval(summary.estimate, unit),
        units.times(speedup.value) if speedup else "",
        units.interval(speedup, "ratio") if speedup else "",
        str(summary.estimate.n),
        summary.stop,
        "; ".join(summary.flags),
    )


def printable(text: str) -> str:
    """Return text without control characters: a result file must not steer the terminal that shows it."""
    return "".join(character if character.isprintable() else "?" for character in text)


def headline(summary: Summary) -> str:
    """Return one line on where and with what the result was measured."""
    about = summary.machine
    gil = "" if about.get("python_build") == "gil" else " free-threaded"
    return (
        f"{summary.name}: {about.get('cpu_model_name', 'unknown CPU')}, {about.get('usable_cpus', '?')} CPUs, "
        f"Python {about.get('python_version', '?')}{gil}, dask {about.get('dask_version', '?')}, "
        f"pandas {about.get('pandas_version', '?')}, numpy {about.get('numpy_version', '?')}"
    )
