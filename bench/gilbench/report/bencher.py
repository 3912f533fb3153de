"""bencher: Bencher's metric format, for `bencher run --adapter json --file FILE`. It holds head's figures.

The format is documented at https://bencher.dev/docs/reference/bencher-metric-format, with its schema: benchmark -> measure ->
value, lower_value, upper_value. The built-in measure `latency` is in nanoseconds. Names have at most 1,024 characters.
"""

from __future__ import annotations

import json
import math
from typing import Final

from gilbench.console import printable
from gilbench.report import Page
from gilbench.results.verdicts import Verdicts

LONGEST: Final = 1024  # characters of a benchmark's name
NANOSECONDS: Final = 1e9


def of_verdicts(verdicts: Verdicts, page: Page) -> str:
    """Return each case that was measured in head, with the interval of its ratio carried over to head's time."""
    measure, unit = ("latency", NANOSECONDS) if verdicts.of == "time" else ("speed-up", 1.0)
    found = {}
    for line in verdicts.lines:
        if not math.isfinite(line.head):
            continue
        metric = {"value": line.head * unit}
        if line.low > 0 and math.isfinite(line.high):
            # A ratio of speed-ups is base over head, so its upper end is head's lower one.
            ends = (line.low / line.ratio, line.high / line.ratio)
            lower, upper = ends if verdicts.of == "time" else (1 / ends[1], 1 / ends[0])
            metric |= {"lower_value": line.head * lower * unit, "upper_value": line.head * upper * unit}
        found[printable(line.case)[:LONGEST]] = {measure: metric}
    return json.dumps(found, indent=2) + "\n"
