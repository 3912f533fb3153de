"""markdown: what a pull request shows."""

from __future__ import annotations

import re

import pytest

from gilbench.report import Page, formats
from gilbench.report.columns import VERDICT_COLUMNS
from gilbench.results.verdicts import Verdicts
from tests.scripted import HOSTILE, verdicts


def lines(of: Verdicts) -> list[str]:
    return formats("verdicts")["markdown"](of, Page()).splitlines()


def cells(row: str) -> list[str]:
    """The cells of a row as GitHub reads them: a bar behind a backslash is text, unless that has one itself."""
    assert row.startswith("|") and row.endswith("|")
    return [cell.strip() for cell in re.split(r"(?<!\\)(?:\\\\)*\|", row)[1:-1]]


def test_the_headline_comes_first_then_what_differs_then_the_table_then_notes() -> None:
    text = lines(verdicts())
    assert text[0] == f"### gilbench: {verdicts().headline}"
    assert text[2:4] == ["- base: w", "- software: the same"]
    assert cells(text[5]) == list(VERDICT_COLUMNS)
    assert cells(text[6]) == ["---"] * len(VERDICT_COLUMNS)
    assert cells(text[7])[:4] == ["w-slowest", "🔴 regression", "2.500", "2.250 to 2.750"]
    assert text[-1] == "- note: w"


@pytest.mark.parametrize("text", ["w", HOSTILE], ids=["plain", "hostile"])
def test_each_row_has_as_many_cells_as_the_header(text: str) -> None:
    rows = [line for line in lines(verdicts(text)) if line.startswith("|")]
    assert len(rows) == 2 + len(verdicts().lines)
    assert {len(cells(row)) for row in rows} == {len(VERDICT_COLUMNS)}


def test_hostile_text_is_shown_and_does_nothing() -> None:
    text = "\n".join(lines(verdicts(HOSTILE)))
    assert "<" not in text and ">" not in text
    assert all(character.isprintable() or character == "\n" for character in text)
    assert not re.search(r"(?<!\\)(\\\\)*[`*_\[\]$~]", text), "no markup without a backslash"
    assert "&lt;script&gt;" in text
    text.encode()


def test_every_kind_has_a_mark_of_its_own_or_a_word() -> None:
    marks = [cells(line)[1] for line in lines(verdicts()) if line.startswith("| w-")]
    assert list(dict.fromkeys(marks)) == ["🔴 regression", "🔴 failed", "🟡 inconclusive", "🟢 improvement", "⚪ same"]


def test_nothing_measured_is_said() -> None:
    assert lines(Verdicts("a", "b", ()))[0] == "### gilbench: nothing was measured"
