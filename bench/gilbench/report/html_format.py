"""html: a page in a single file, with the answer first, then the evidence. It can be mailed, published and printed.

Whatever a result file contains stays text: every expression in the template is escaped, control characters and direction
marks are removed, and the page's policy lets only its own script run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from gilbench import units
from gilbench.console import printable
from gilbench.report import Page
from gilbench.results.summary import Summary
from gilbench.results.verdicts import Verdicts

if TYPE_CHECKING:
    from jinja2 import Environment

    from gilbench.explain.findings import Finding
    from gilbench.report.page.content import Check, Result

PARTS: Final = "gilbench.report.page"


def of_result(summary: Summary, page: Page) -> str:
    """Return the page of one result."""
    return render([summary], [])


def render(summaries: Sequence[Summary], verdicts: Sequence[Verdicts]) -> str:
    """Return the page about results and checks (at least one of them) as an HTML document that fetches nothing.

    Drawing every chart takes a few seconds. The same results give the same page.
    """
    from gilbench.charts.drawing.style import series_order
    from gilbench.report.page import content, probe_lines, tables
    from gilbench.report.page.pictures import style_rules

    summaries = named_apart(summaries)
    results = [content.result_of(summary, number) for number, summary in enumerate(summaries)]
    checks = [content.check_of(check, number) for number, check in enumerate(verdicts)]
    drawn, left_out = content.charts_of(summaries, verdicts)
    style, script = _part("style.css") + style_rules([chart.picture for chart in drawn]), _part("script.js")
    return (
        _environment()
        .get_template("page.html")
        .render(
            results=results,
            checks=checks,
            drawn=content.in_order(drawn, _charts_in_text(results, checks)),
            charts={chart.picture.name for chart in drawn},
            left_out=left_out,
            series=[name for name in series_order(_series(results)) if name != "sync"],
            both=content.side_by_side(results) if len(results) > 1 else [],
            facts=content.differing(results),
            matrix=content.matrix_of(results),
            by_claim=list(zip(*(result.claims for result in results), strict=True)),
            between=_between(summaries),
            title=_title(summaries, verdicts),
            holding=content.holding,
            interval=content.interval,
            lines_of_probing=probe_lines.of_probing,
            claims=[(result.summary.name, result.claims) for result in results],
            tables=tables,
            style=_safe(style),
            script=_safe(script),
            policy=_policy(style, script),
        )
    )


def named_apart(summaries: Sequence[Summary]) -> list[Summary]:
    """Return the results with distinct names: those that share a name get a number."""
    count, seen = Counter(summary.name for summary in summaries), Counter[str]()
    found = []
    for summary in summaries:
        seen[summary.name] += 1
        name = f"{summary.name} ({seen[summary.name]})" if count[summary.name] > 1 else summary.name
        found.append(replace(summary, name=name))
    return found


def _charts_in_text(results: Sequence[Result], checks: Sequence[Check]) -> Iterator[str]:
    """Yield the charts that the findings and the claims refer to, in the order in which a reader meets them."""
    parts: list[Check | Result] = [*checks, *results]
    for part in parts:
        yield from (finding.chart for finding in part.findings)
    for result in results:
        yield from (claim.chart for claim in result.claims)


def _series(results: Sequence[Result]) -> Iterator[str]:
    return (name for result in results for row in result.rows for name in (*row.cells, *row.failed))


def _between(summaries: Sequence[Summary]) -> list[Finding]:
    from gilbench.explain.findings import between

    return [finding for other in summaries[1:] for finding in between(summaries[0], other)]


def _title(summaries: Sequence[Summary], verdicts: Sequence[Verdicts]) -> str:
    names = [summary.name for summary in summaries] + [f"{check.base} against {check.head}" for check in verdicts]
    return ", ".join(names)


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy of the page: it fetches nothing, and only this style and this script apply."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# --- The template


@cache
def _environment() -> Environment:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
        loader=jinja2.FunctionLoader(_part),
    )
    environment.filters |= {"csv": _download, "file": _file_name, "svg": _safe, "s": units.seconds, "x": units.times}
    return environment


def _clean(value: Any) -> Any:
    """Return text without control characters and direction marks. What is markup already stays as it is."""
    return value if hasattr(value, "__html__") or not isinstance(value, str) else printable(" ".join(value.split()))


def _safe(text: str) -> Any:
    """Mark text as markup. Only for text that this project has made and escaped."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - used only for the page's own parts, and for pictures whose text is escaped


def _download(text: str) -> Any:
    """Return text as the address of a CSV file that is embedded in the page."""
    encoded = base64.b64encode(text.encode(errors="replace")).decode()
    return _safe(f"data:text/csv;charset=utf-8;base64,{encoded}")


def _file_name(text: str) -> str:
    """Return text as a file name that is valid on every system."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:80] or "result"


@cache
def _part(name: str) -> str:
    return (files(PARTS) / name).read_text(encoding="utf-8")
