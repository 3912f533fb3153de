"""The environment of a child process that runs tasks: whatever has to be set before its interpreter starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gilbench.process import layout, levels, pins

TEMPORARY = ("TMPDIR", "TEMP", "TMP")  # variables that name the folder for temporary files


def environment(
    seed: int,
    *,
    pinned: bool,
    level: str,
    given: Mapping[str, str] | None = None,
    temporary: Path | None = None,
) -> dict[str, str]:
    """Return every variable of a child: those of this process, and on top what makes its measurement fair.

    seed: of its memory layout. pinned: whether inner threads are pinned to one. level: of the allocator (see levels). given:
    variables on top of this process's own. temporary: its folder for temporary files, so that what a killed pool or cluster
    leaves there can be removed.
    """
    return {
        **os.environ,
        **(given or {}),
        **(dict.fromkeys(TEMPORARY, str(temporary)) if temporary else {}),
        **layout.environment(seed),
        **pins.environment(pinned),
        **levels.environment(level),
    }
