"""junit: what the test panes of CI systems read."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from gilbench.report import Page, formats
from gilbench.results.verdicts import Verdicts
from tests.scripted import HOSTILE, verdicts


def suite(of: Verdicts) -> ElementTree.Element:
    root = ElementTree.fromstring(formats("verdicts")["junit"](of, Page()).encode())
    assert root.tag == "testsuites"
    (found,) = root
    assert found.tag == "testsuite"
    return found


def test_it_says_in_which_encoding_it_is() -> None:
    assert formats("verdicts")["junit"](verdicts(), Page()).startswith('<?xml version="1.0" encoding="UTF-8"?>\n')


@pytest.mark.parametrize("text", ["w", HOSTILE], ids=["plain", "hostile"])
def test_each_case_is_a_test_case_and_the_counts_agree(text: str) -> None:
    found = suite(verdicts(text))
    cases = found.findall("testcase")
    assert len(cases) == len(verdicts().lines)
    counts = {key: int(found.attrib[key]) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 9, "failures": 2, "errors": 2, "skipped": 2}
    assert [len(found.findall(f"testcase/{element}")) for element in ("failure", "error", "skipped")] == [2, 2, 2]
    assert float(found.attrib["time"]) == pytest.approx(sum(line.seconds for line in verdicts().lines))


@pytest.mark.parametrize(
    ("name", "element", "message"),
    [
        ("w-slower", "failure", "verdict regression, ratio 1.204, interval 1.153 to 1.257"),
        ("w-broken", "error", "base: raised: ValueError: w"),
        ("w-noisy", "skipped", "verdict inconclusive, ratio 1.010, interval 0.700 to 1.460"),
        ("w-once", "skipped", "verdict inconclusive, ratio 1.300, interval unknown"),
    ],
)
def test_what_did_not_pass_says_why(name: str, element: str, message: str) -> None:
    (case,) = [case for case in suite(verdicts()) if case.get("name") == name]
    (child,) = case
    assert child.tag == element
    assert child.attrib["message"].startswith(message)


@pytest.mark.parametrize("name", ["w-same", "w-faster"])
def test_what_passed_has_its_figures_with_it(name: str) -> None:
    (case,) = [case for case in suite(verdicts()) if case.get("name") == name]
    assert [child.tag for child in case] == ["system-out"]
    assert "ratio" in "".join(case.itertext())


def test_hostile_text_is_text_and_what_xml_cannot_hold_is_a_question_mark() -> None:
    found = suite(verdicts(HOSTILE))
    assert not list(found.iter("script"))
    name = str(found[0].attrib["name"])
    for part in ('<script>alert("x\'y")</script>|`*_', "]]>-same"):
        assert part in name
    said = "".join(text for element in found.iter() for text in (*element.attrib.values(), element.text or ""))
    assert not {"\x00", "\x07", "\x1b", "\ud800"} & set(said)


def test_notes_are_behind_the_cases() -> None:
    assert suite(verdicts())[-1].text == "base: w\nsoftware: the same\nnote: w"


def test_nothing_measured_is_an_empty_suite() -> None:
    found = suite(Verdicts("a", "b", ()))
    assert (found.attrib["tests"], found.findall("testcase")) == ("0", [])
