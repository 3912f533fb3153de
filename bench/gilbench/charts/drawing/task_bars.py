"""Tasks as bars in the lane of the thread that ran them. Tasks that are too short to draw separately share a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.patches import PathPatch
from matplotlib.path import Path

from gilbench.probes.timeline_probe import Task

FAINT: Final = 0.15  # of a lane's height: the lowest bar; a lower one could not be seen
TOGETHER: Final = 6  # steps: the longest bar that represents several short tasks
Box = tuple[float, float, float, float]  # left, top, width, height


@dataclass
class Bar:
    """One task, or several that are too short to draw separately.

    start, end: seconds since the start of the compute. inside: seconds inside tasks. longest: seconds of the longest task.
    """

    start: float
    end: float
    inside: float
    longest: float


def bars(lane: Sequence[Task], step: float) -> list[Bar]:
    """Return the bars of a lane: one for each task, or for several tasks that are shorter than `step` seconds."""
    found: list[Bar] = []
    for task in lane:
        last = found[-1] if found else None
        short = last and max(task.seconds, last.longest, task.start - last.end) < step
        if last and short and task.end - last.start < TOGETHER * step:
            last.end, last.inside = max(last.end, task.end), last.inside + task.seconds
            last.longest = max(last.longest, task.seconds)
        else:
            found.append(Bar(task.start, task.end, task.seconds, task.seconds))
    return found


def box(bar: Bar, top: float, thick: float, step: float) -> Box:
    """Return the box of a bar, in ms and inches, never too small to be seen."""
    width = max(step, (bar.end - bar.start) * 1e3)
    height = thick * min(1.0, max(FAINT, bar.inside * 1e3 / width))
    return bar.start * 1e3, top + thick - height, width, height


def patch(boxes: Sequence[Box], **look: object) -> PathPatch:
    """Return boxes as one patch, which is a single element in an SVG."""
    return PathPatch(
        Path.make_compound_path(
            *(Path([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)], closed=True) for x, y, w, h in boxes)
        ),
        **look,
    )
