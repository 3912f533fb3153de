"""json: what programs read. Reading it back is tested in test_verdicts.py."""

from __future__ import annotations

import json

import pytest

from gilbench.report import Page, formats
from gilbench.results.verdicts import Line
from tests.scripted import HOSTILE, verdicts


def test_everything_is_there_and_what_is_unknown_is_null() -> None:
    data = json.loads(formats("verdicts")["json"](verdicts(), Page()), parse_constant=pytest.fail)
    assert data["gilbench_verdicts"] == 1
    assert data["headline"] == verdicts().headline
    assert (data["base"], data["head"], data["of"]) == ("w", "w too", "time")
    assert [case["case"] for case in data["cases"]] == [line.case for line in verdicts().lines]
    assert {key for case in data["cases"] for key in case} == set(Line.__dataclass_fields__)
    broken = data["cases"][7]
    assert (broken["ratio"], broken["low"], broken["high"], broken["detectable"]) == (None, 0.0, None, None)
    assert broken["reason"] == "base: raised: ValueError: w"


def test_hostile_text_stays_data_in_plain_ascii() -> None:
    text = formats("verdicts")["json"](verdicts(HOSTILE), Page())
    assert text.isascii()
    assert not set(text) - {"\n"} - {chr(code) for code in range(32, 127)}, "no control character steers a terminal"
    assert json.loads(text)["cases"][0]["case"] == f"{HOSTILE}-same"
