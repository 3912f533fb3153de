"""json: everything as data, for programs and for `gilbench plot`, in seconds, bytes and ratios. Unknown figures are null."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from gilbench.explain.tracks import Track
from gilbench.explain.tutorial import DecidedClaim
from gilbench.files import finite
from gilbench.report import Page
from gilbench.results.format_version import VERDICTS_FORMAT
from gilbench.results.summary import Summary
from gilbench.results.verdicts import Verdicts


def of_result(summary: Summary, page: Page) -> str:
    """Return the whole summary except for its plan, with field names as in gilbench.results.summary."""
    data = dataclasses.asdict(dataclasses.replace(summary, plan=None))
    del data["plan"]
    data["failures"] = [{"case": failed["case"], **failed["failure"]} for failed in data["failures"]]
    return json.dumps(finite(data), indent=2) + "\n"


def of_verdicts(verdicts: Verdicts, page: Page) -> str:
    """Return everything, with field names as in gilbench.results.verdicts and the lines as `cases`."""
    data = dataclasses.asdict(verdicts)
    data["cases"] = data.pop("lines")
    return (
        json.dumps({"gilbench_verdicts": VERDICTS_FORMAT, "headline": verdicts.headline, **finite(data)}, indent=2)
        + "\n"
    )


def of_history(tracks: Sequence[Track], page: Page) -> str:
    """Return a list of the benchmarks, with field names as in gilbench.explain.tracks, and each change with its commits."""
    found = []
    for track in tracks:
        data = dataclasses.asdict(track)
        for change, plain in zip(track.changes, data["changes"], strict=True):
            plain["revision"] = dataclasses.asdict(track.revisions[change.first])
            plain["before"] = dataclasses.asdict(track.before(change))
        found.append(data)
    return json.dumps(finite(found), indent=2) + "\n"


def of_claims(claims: Sequence[DecidedClaim], page: Page) -> str:
    """Return a list of the claims, with field names as in gilbench.explain.tutorial.DecidedClaim."""
    return json.dumps([dataclasses.asdict(claim) for claim in claims], indent=2) + "\n"
