"""The version of the format of result files and of files with verdicts. What it promises: docs/results.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from gilbench.errors import UserError

FORMAT: Final = 1  # of result files and journals
VERDICTS_FORMAT: Final = 1  # of files with the verdicts of a check
HISTORY_FORMAT: Final = 1  # of each line of a history


def check_version(version: Any, known: int, path: Path) -> None:
    """Check the format version that a file states against the newest known one.

    Raises UserError if the file is newer, and ValueError if the version is not a positive integer.
    """
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"not a version: {version!r}")
    if version > known:
        raise UserError(f"{path} has format {version}, but this gilbench reads formats up to {known}: upgrade gilbench")
