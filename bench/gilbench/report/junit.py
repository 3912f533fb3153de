"""junit: one test case for each case, for the test panes of CI systems. A regression is a failure, a failed case an error."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from gilbench.report import Page
from gilbench.report.columns import VERDICT_COLUMNS, verdict_row
from gilbench.results.verdicts import Line, Verdicts

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


def of_verdicts(verdicts: Verdicts, page: Page) -> str:
    """Return the XML. An inconclusive case is skipped, with the reason, because it neither passed nor failed."""
    lines = verdicts.lines
    totals = {
        "tests": len(lines),
        "failures": sum(line.kind == "regression" for line in lines),
        "errors": sum(line.kind == "failed" for line in lines),
        "skipped": sum(line.kind == "inconclusive" for line in lines),
        "time": f"{sum(line.seconds for line in lines):.3f}",
    }
    suite = ElementTree.Element("testsuite", {"name": "gilbench", **{key: str(value) for key, value in totals.items()}})
    for line in lines:
        _add(suite, line, verdicts.of)
    ElementTree.SubElement(suite, "system-out").text = _clean("\n".join([*verdicts.about, *verdicts.notes]))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _add(suite: ElementTree.Element, line: Line, of: str) -> None:
    name = _clean(line.case)
    found = ElementTree.SubElement(
        suite, "testcase", {"classname": "gilbench", "name": name, "time": f"{line.seconds:.3f}"}
    )
    figures = ", ".join(
        f"{column} {cell}" for column, cell in zip(VERDICT_COLUMNS[1:], verdict_row(line, of)[1:], strict=True) if cell
    )
    element = {"regression": "failure", "failed": "error", "inconclusive": "skipped"}.get(line.kind)
    if element:
        message = line.reason or figures
        ElementTree.SubElement(found, element, {"message": _clean(message)})
    else:
        ElementTree.SubElement(found, "system-out").text = _clean(figures)


def _clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)
