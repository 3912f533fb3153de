"""What the page says about the probes: sentences if the findings can be read, and a line that says so if they cannot."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gilbench.cases.case import Case
from gilbench.report.page import probe_lines
from gilbench.report.page.probe_lines import UNREADABLE
from gilbench.results.records import Probing
from tests.charts import chart_data

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "two-cores.json"
DAMAGES = (None, "x", [], {}, True, 0, -1, [1], {"a": 1}, math.nan, math.inf)


def findings() -> dict[str, Any]:
    """probe -> what it found of one workload, from a real result."""
    probes = json.loads(REFERENCE.read_text())["gilbench"]["probes"]
    return {name: found for probing in probes for name, found in probing["found"].items() if found}


def places(finding: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where a finding can be damaged: every key, and the first two items of lists."""
    if isinstance(finding, dict | list):
        keys = finding if isinstance(finding, dict) else range(min(2, len(finding)))
        for key in keys:
            yield (*place, key)
            yield from places(finding[key], (*place, key))


def damaged(finding: Any) -> Iterator[Any]:
    """Yield a finding damaged in every place, in every way."""
    for *way, last in places(finding):
        for value in (*DAMAGES, "leave out"):
            changed = copy.deepcopy(finding)
            inner = changed
            for key in way:
                inner = inner[key]
            if value == "leave out":
                del inner[last]
            else:
                inner[last] = value
            yield changed


def said(found: dict[str, Any]) -> list[tuple[str, str]]:
    return list(probe_lines.of_probing(Probing("w", "tiny", found, {})))


@pytest.mark.parametrize("name", findings())
def test_a_malformed_finding_never_breaks_the_page(name: str) -> None:
    whole = said({name: findings()[name]})
    assert whole and all(line != UNREADABLE for _, line in whole)
    unreadable = [said({name: finding}) == [(whole[0][0], UNREADABLE)] for finding in damaged(findings()[name])]
    assert any(unreadable) and not all(unreadable)


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("gil", {"sync": {"held": 0.5}}),  # KeyError
        ("gil", {"sync": {"held": None, "low": 0, "high": 1}}),  # TypeError
        ("gil", {"sync": {"held": "x", "low": 0, "high": 1}}),  # TypeError, or ValueError
        ("memory", {"sync": {"before": math.nan, "peak": 1.0, "shared": 1, "kind": "rss"}}),  # ValueError
        ("memory", {"sync": {"before": math.inf, "peak": 1.0, "shared": 1, "kind": "rss"}}),  # OverflowError
        ("granularity", {"sync": None}),  # AttributeError
        ("memory", [1]),  # AttributeError
        (
            "tasks",
            {
                "sync": {
                    "tasks": 0,
                    "compute_seconds": 1.0,
                    "seconds": 1.0,
                    "median_seconds": 1.0,
                    "longest_seconds": 1.0,
                }
            },
        ),  # ZeroDivisionError
    ],
)
def test_probes_of_another_shape_are_said_to_be_unreadable(name: str, finding: Any) -> None:
    assert said({name: finding}) == [(name, UNREADABLE)]


def test_an_error_that_no_finding_can_cause_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault of the program")

    monkeypatch.setattr("gilbench.probes.gil_probe.meaning", broken)
    with pytest.raises(RuntimeError):
        said({"gil": {"sync": {"held": 0.5, "low": 0.4, "high": 0.6}}})


def test_what_could_not_be_probed_is_said_with_the_reason() -> None:
    reasons = {"gil": {"sync": "no Linux", "threads": "no Linux"}}
    assert list(probe_lines.of_probing(Probing("w", "tiny", {}, reasons))) == [
        ("gil", "unavailable under sync, threads: no Linux")
    ]


def test_a_malformed_timeline_is_left_out() -> None:
    case, whole = Case("loop", "default", "threads", 1, 2), chart_data.timelines("loop", 1.0)
    assert probe_lines.lanes_of([whole], case) is not None
    lanes = [
        probe_lines.lanes_of([Probing("loop", "default", {"timeline": finding}, {})], case)
        for finding in damaged({"threads": whole.found["timeline"]["threads"]})
    ]
    assert lanes.count(None) > len(lanes) / 2
