"""json: everything as data, for programs and for `gilbench plot`. Seconds, bytes and ratios; what is unknown is null."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from gilbench.explain.tutorial import Finding
from gilbench.files import finite
from gilbench.report import Page
from gilbench.results.summary import Summary
from gilbench.results.verdicts import FORMAT, Verdicts


def of_result(summary: Summary, page: Page) -> str:
    """Return the whole summary but for its plan; field names as in bench/gilbench/results/summary.py."""
    data = dataclasses.asdict(dataclasses.replace(summary, plan=None))
    del data["plan"]
    data["failures"] = [{"case": failed["case"], **failed["failure"]} for failed in data["failures"]]
    return json.dumps(finite(data), indent=2) + "\n"


def of_verdicts(verdicts: Verdicts, page: Page) -> str:
    """Return everything; field names as in bench/gilbench/results/verdicts.py, the lines as `cases`."""
    data = dataclasses.asdict(verdicts)
    data["cases"] = data.pop("lines")
    return json.dumps({"gilbench_verdicts": FORMAT, "headline": verdicts.headline, **finite(data)}, indent=2) + "\n"


def of_claims(findings: Sequence[Finding], page: Page) -> str:
    """Return a list of the claims; field names as in bench/gilbench/explain/tutorial.py."""
    return json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2) + "\n"
