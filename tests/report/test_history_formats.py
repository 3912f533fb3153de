"""A history as text, Markdown and JSON: changes first, each with its first commit; hostile names are text."""

from __future__ import annotations

import json

import pytest

from gilbench.explain.tracks import Change, Point, Track
from gilbench.report import Page, formats
from gilbench.report.history_lines import changed
from gilbench.results.verdicts import Revision
from gilbench.stats import Estimate
from tests.scripted import HOSTILE

REVISIONS = tuple(Revision(f"{index:x}" * 40, f"2026-01-0{index}T00:00:00Z") for index in range(1, 6))


def track(name: str = "parse", *, apart: tuple[int, ...] = (), still: bool = False) -> Track:
    """Five revisions, slower by 10 % from the third on."""
    level = Estimate(1.0, 0.98, 1.02, 10)
    changes = () if still else (Change(2, Estimate(1.1, 1.08, 1.12, 4)),)
    points = tuple(Point(index, level) for index in range(1, 5))
    return Track(name, REVISIONS, points, changes, (1.0, 1.0) + (1.0 if still else 1.1,) * 3, apart)


def test_text_puts_changes_first_and_names_their_commits() -> None:
    lines = formats("history")["text"]([track("a", still=True), track("z", apart=(3,))], Page()).splitlines()
    assert lines == [
        "z: 10.0 % slower than at first; 1 change in 5 revisions, 4 checks",
        "  10.0 % slower (+8.0 to +12.0 %) since 333333333 of 2026-01-03; the revision checked before it is 222222222",
        "  no check leads from 444444444 back to the revisions before it: check it against one of them",
        "a: no change in 5 revisions, 4 checks",
    ]


def test_a_terminal_gets_colors() -> None:
    assert "\x1b[31m" in formats("history")["text"]([track()], Page(color=True))
    assert "\x1b" not in formats("history")["text"]([track()], Page())


def test_markdown_is_a_table_and_a_list() -> None:
    lines = formats("history")["markdown"]([track("a", still=True), track()], Page()).splitlines()
    assert [line.count("|") for line in lines[:4]] == [3] * 4
    assert lines[-1].startswith("- parse: 10.0 % slower")


def test_json_has_the_commits_of_each_change() -> None:
    (found,) = json.loads(formats("history")["json"]([track()], Page()))
    (change,) = found["changes"]
    assert (change["revision"]["commit"], change["before"]["commit"]) == (REVISIONS[2].commit, REVISIONS[1].commit)
    assert change["ratio"] == {"value": 1.1, "low": 1.08, "high": 1.12, "n": 4}


@pytest.mark.parametrize("name", formats("history"))
def test_hostile_names_are_text_and_an_empty_history_is_fine(name: str) -> None:
    text = formats("history")[name]([track(HOSTILE)], Page())
    assert all(character.isprintable() or character == "\n" for character in text)
    if name == "markdown":
        assert "<script>" not in text
    assert isinstance(formats("history")[name]([], Page()), str)


def test_ratios_in_words() -> None:
    assert (changed(1.0), changed(2.0), changed(0.5)) == ("0.0 % slower", "100.0 % slower", "50.0 % faster")
