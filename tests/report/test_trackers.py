"""What trackers import: Bencher's metric format and github-action-benchmark's, held to what their documentation says."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gilbench.report import Page, formats
from gilbench.results.verdicts import Verdicts
from tests.scripted import HOSTILE, verdicts


def is_number(value: object) -> bool:
    """A number as in JSON Schema: true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def follows_bencher(data: Any) -> bool:
    """https://bencher.dev/bmf.json (draft 7), and https://bencher.dev/docs/reference/bencher-metric-format.

    Any benchmark, any measure of it, and its value, which is required, with lower_value and upper_value: numbers. The page
    gives the longest names: 1,024 characters for a benchmark, 64 for a measure.
    """
    if not isinstance(data, dict) or not all(isinstance(measures, dict) for measures in data.values()):
        return False
    metrics = [(name, measure, metric) for name, found in data.items() for measure, metric in found.items()]
    return all(
        0 < len(name) <= 1024
        and 0 < len(measure) <= 64
        and isinstance(metric, dict)
        and {"value"} <= set(metric) <= {"value", "lower_value", "upper_value"}
        and all(map(is_number, metric.values()))
        for name, measure, metric in metrics
    )


def follows_action(data: Any) -> bool:
    """https://github.com/benchmark-action/github-action-benchmark: `BenchmarkResult` in src/extract.ts, "custom" tools.

    An array of entries with name and unit, which are text, and value, which is a number; range and extra are optional text.
    """
    return isinstance(data, list) and all(
        isinstance(entry, dict)
        and {"name", "unit", "value"} <= set(entry) <= {"name", "unit", "value", "range", "extra"}
        and all(isinstance(text, str) for key, text in entry.items() if key != "value")
        and bool(entry["name"] and entry["unit"])
        and is_number(entry["value"])
        for entry in data
    )


FOLLOWS: dict[str, Callable[[Any], bool]] = {"bencher": follows_bencher, "action_benchmark": follows_action}


def written(name: str, found: Verdicts) -> Any:
    return json.loads(formats("verdicts")[name](found, Page()), parse_constant=pytest.fail)


@pytest.mark.parametrize("name", FOLLOWS)
@pytest.mark.parametrize("text", ["w", HOSTILE, "long" * 400], ids=["w", "hostile", "long"])
@pytest.mark.parametrize("of", ["time", "speed-up"])
def test_it_follows_the_published_schema(name: str, text: str, of: str) -> None:
    assert FOLLOWS[name](written(name, verdicts(text, of)))
    assert FOLLOWS[name](written(name, replace(verdicts(), lines=())))


@pytest.mark.parametrize("name", FOLLOWS)
def test_the_rules_refuse_what_is_wrong(name: str) -> None:
    bad = ({"b": {"m": {"lower_value": 1}}}, {"b": {"x" * 65: {"value": 1}}}, {"b": {"m": {"value": "1"}}}, {"b": 1})
    for wrong in (*bad, [{"name": "b", "value": 1}], [{"name": "b", "unit": "s", "value": True}], "text"):
        assert not FOLLOWS[name](wrong)


def test_bencher_gets_heads_time_in_nanoseconds_with_its_interval() -> None:
    metric = written("bencher", verdicts())["w-slower"]["latency"]
    assert metric["value"] == pytest.approx(4.816e6)
    assert metric["lower_value"] == pytest.approx(4.816e6 * 1.153 / 1.204)
    assert metric["upper_value"] == pytest.approx(4.816e6 * 1.257 / 1.204)


def test_what_has_no_time_is_left_out_and_what_has_no_interval_has_no_ends() -> None:
    found = written("bencher", verdicts())
    assert len(found) == len([line for line in verdicts().lines if math.isfinite(line.head)])
    assert "w-broken" not in found
    assert set(found["w-once"]["latency"]) == {"value"}
    assert "range" not in next(entry for entry in written("action_benchmark", verdicts()) if entry["name"] == "w-once")


def test_speed_ups_keep_the_order_of_their_ends() -> None:
    for metric in written("bencher", verdicts(of="speed-up")).values():
        ends = metric["speed-up"]
        assert ends.get("lower_value", 0) <= ends["value"] <= ends.get("upper_value", math.inf)


def test_the_action_gets_time_unit_and_range() -> None:
    (entry,) = [one for one in written("action_benchmark", verdicts()) if one["name"] == "w-slower"]
    assert (entry["unit"], entry["value"]) == ("ns", pytest.approx(4.816e6))
    assert entry["range"] == "± 208000"
    assert entry["extra"] == "regression: 1.204 of w"


def test_for_the_action_less_is_better_in_speed_ups_too() -> None:
    entries = {entry["name"]: entry["value"] for entry in written("action_benchmark", verdicts(of="speed-up"))}
    heads = {line.case: line.head for line in verdicts().lines if math.isfinite(line.head)}
    assert sorted(entries, key=entries.__getitem__) == sorted(heads, key=heads.__getitem__, reverse=True)
