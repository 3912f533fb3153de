"""json: the verdicts as data, for programs and for `gilbench plot`. Seconds and ratios; what is unknown is null."""

from __future__ import annotations

import dataclasses
import json

from bench.report import Page
from bench.report.json import finite
from bench.verdicts import FORMAT, Verdicts


def format(verdicts: Verdicts, page: Page) -> str:
    """Return everything; field names as in bench/verdicts/__init__.py, the lines as `cases`."""
    data = dataclasses.asdict(verdicts)
    data["cases"] = data.pop("lines")
    return json.dumps({"gilbench_verdicts": FORMAT, "headline": verdicts.headline, **finite(data)}, indent=2) + "\n"
