"""html: the page, one file without any other: the answer first, then the evidence. It can be mailed, published and printed.

What comes from a result file is text, and stays text: every expression of the template is escaped, control characters and
marks of direction are taken out, and the page's policy lets no script run but its own.
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

    from gilbench.explain.findings import Statement
    from gilbench.report.page.content import Check, Result

PARTS: Final = "gilbench.report.page"


def of_result(summary: Summary, page: Page) -> str:
    """Return the page of one result."""
    return render([summary], [])


def render(summaries: Sequence[Summary], verdicts: Sequence[Verdicts]) -> str:
    """Return the page of results and checks, at least one of them: a whole HTML document that fetches nothing.

    Draws every chart, which takes some seconds. The same results give the same page.
    """
    from gilbench.charts.drawing.style import series_order
    from gilbench.report.page import content, tables
    from gilbench.report.page.pictures import style_rules

    summaries = named_apart(summaries)
    results = [content.result_of(summary, number) for number, summary in enumerate(summaries)]
    checks = [content.check_of(one, number) for number, one in enumerate(verdicts)]
    drawn, left_out = content.pictures_of(summaries, verdicts)
    style, script = _part("style.css") + style_rules([one.picture for one in drawn]), _part("script.js")
    return (
        _environment()
        .get_template("page.html")
        .render(
            results=results,
            checks=checks,
            drawn=content.in_order(drawn, _told(results, checks)),
            charts={one.picture.name for one in drawn},
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
            said=content.said,
            claims=[(result.summary.name, result.claims) for result in results],
            tables=tables,
            style=_safe(style),
            script=_safe(script),
            policy=_policy(style, script),
        )
    )


def named_apart(summaries: Sequence[Summary]) -> list[Summary]:
    """Return the results, those with a name that another has too with a number behind it."""
    count, seen = Counter(summary.name for summary in summaries), Counter[str]()
    found = []
    for summary in summaries:
        seen[summary.name] += 1
        name = f"{summary.name} ({seen[summary.name]})" if count[summary.name] > 1 else summary.name
        found.append(replace(summary, name=name))
    return found


def _told(results: Sequence[Result], checks: Sequence[Check]) -> Iterator[str]:
    """Yield the charts that the findings and the claims point to, in the order in which a reader meets them."""
    for statements in [one.statements for one in checks] + [one.statements for one in results]:
        yield from (statement.chart for statement in statements)
    for result in results:
        yield from (claim.chart for claim in result.claims)


def _series(results: Sequence[Result]) -> Iterator[str]:
    return (name for result in results for line in result.lines for name in (*line.cells, *line.failed))


def _between(summaries: Sequence[Summary]) -> list[Statement]:
    from gilbench.explain.findings import between

    return [one for other in summaries[1:] for one in between(summaries[0], other)]


def _title(summaries: Sequence[Summary], verdicts: Sequence[Verdicts]) -> str:
    names = [summary.name for summary in summaries] + [f"{one.base} against {one.head}" for one in verdicts]
    return ", ".join(names)


def _policy(style: str, script: str) -> str:
    """Return the page's own Content-Security-Policy: nothing is fetched, and no style or script counts but these two."""
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
    """Return text without control characters and marks of direction; what is markup already stays as it is."""
    return value if hasattr(value, "__html__") or not isinstance(value, str) else printable(" ".join(value.split()))


def _safe(text: str) -> Any:
    """Mark text as markup: for what this project itself has made, and escaped."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - only the page's own parts, and pictures whose text is escaped, come here


def _download(text: str) -> Any:
    """Return text as the address of a CSV file that stands in the page itself."""
    content = base64.b64encode(text.encode(errors="replace")).decode()
    return _safe(f"data:text/csv;charset=utf-8;base64,{content}")


def _file_name(text: str) -> str:
    """Return text as a file's name on every system."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:80] or "result"


@cache
def _part(name: str) -> str:
    return (files(PARTS) / name).read_text(encoding="utf-8")
