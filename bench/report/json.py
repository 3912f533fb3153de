"""json: the summary as data, for programs. Seconds and bytes; what is unknown is null."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from bench.report import Page
from bench.summary import Summary


def format(summary: Summary, page: Page) -> str:
    """Return the whole summary but for its plan; field names as in bench/summary.py."""
    data = dataclasses.asdict(dataclasses.replace(summary, plan=None))
    del data["plan"]
    return json.dumps(finite(data), indent=2) + "\n"


def finite(data: Any) -> Any:
    """Return the data with numbers that JSON does not have as None."""
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
