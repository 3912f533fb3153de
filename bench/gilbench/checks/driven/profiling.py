"""Profiles benchmarks in a child process, where a check would take turns on them. Standard library only."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from typing import Any

from gilbench.checks.driven.turn_taking import Timed, Turns

SECONDS = 0.5  # of computing, without the profiler's own time
MOST = 1000  # calls


class Profiles(Turns):
    """Speaks for the benchmark that is open: says what `functions` finds, and takes no turns."""

    def take(self, timed: Timed, watched: object = None) -> None:
        """Profile. Raises whatever the benchmark raises. A profiler sees only the thread that it was started in."""
        calls = calls_for(timed(1))
        profile = cProfile.Profile()
        profile.enable()
        timed(calls)
        profile.disable()
        self.say(profile=functions(profile, Path(self.task.tree), calls))


def calls_for(seconds: float) -> int:
    """Return how many calls to profile. seconds: of one."""
    return max(1, min(MOST, round(SECONDS / max(seconds, 1e-9))))


def functions(profile: cProfile.Profile, tree: Path, calls: int) -> dict[str, list[float]]:
    """Return function -> [seconds inside it, calls of it], each for one of `calls`. Names have no line numbers: these move."""
    found: dict[str, list[float]] = {}
    stats: dict[tuple[str, int, str], tuple[Any, ...]] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (file, _, name), (_, times, inside, *_rest) in stats.items():
        path = Path(file)
        place = str(path.relative_to(tree)) if path.is_relative_to(tree) else "/".join(path.parts[-2:])
        total = found.setdefault(name if file == "~" else f"{place}:{name}", [0.0, 0.0])
        total[0] += inside / calls
        total[1] += times / calls
    return found
