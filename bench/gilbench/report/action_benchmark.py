"""action_benchmark: for github-action-benchmark with `tool: customSmallerIsBetter`. It holds head's figures.

The format is documented at https://github.com/benchmark-action/github-action-benchmark: an array of entries with name, unit
and value, and optionally range and extra, which are text.
"""

from __future__ import annotations

import json
import math

from gilbench import units
from gilbench.console import printable
from gilbench.report import Page
from gilbench.results.verdicts import Line, Verdicts


def of_verdicts(verdicts: Verdicts, page: Page) -> str:
    """Return each case that was measured in head; for speed-ups, where less is worse, the share of sync's time instead."""
    found = [_entry(line, verdicts) for line in verdicts.lines if math.isfinite(line.head)]
    return json.dumps(found, indent=2) + "\n"


def _entry(line: Line, verdicts: Verdicts) -> dict[str, str | float]:
    timed = verdicts.of == "time"
    value = line.head * 1e9 if timed else 1 / line.head
    entry: dict[str, str | float] = {
        "name": printable(line.case),
        "unit": "ns" if timed else "x sync's time",
        "value": value,
    }
    if line.low > 0 and math.isfinite(line.high):
        entry["range"] = f"± {units.digits(value * (line.high - line.low) / 2 / line.ratio)}"
    entry["extra"] = printable(f"{line.kind}: {line.ratio:.3f} of {verdicts.base}")
    return entry
