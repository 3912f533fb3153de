"""Read the results and verdicts that a command line names, and describe the page that text is formatted for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

RESULTS = Path("results")


def summary_of(path: Path | None) -> Any:
    """Return the summary of a result, by default of the newest. Raises UserError."""
    from gilbench.results.result_file import load, newest
    from gilbench.results.summary import summarize

    return summarize(load(path or newest(RESULTS)))


def read(paths: tuple[Path, ...]) -> tuple[list[Any], list[Any]]:
    """Return the summaries of results and the verdicts of checks, each in the order given; without paths, the newest result."""
    from gilbench.results.verdicts import is_verdicts, load

    checks = [path for path in paths if is_verdicts(path)]
    runs: list[Path | None] = [path for path in paths if path not in checks]
    return [summary_of(path) for path in runs or ([] if paths else [None])], [load(path) for path in checks]


def page_of_terminal() -> Any:
    """Return the page that text is formatted for: this terminal, or a wide page without colors."""
    import os
    import shutil

    from gilbench.report import Page

    if not sys.stdout.isatty():
        return Page(width=200)
    color = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Page(shutil.get_terminal_size().columns, color)
