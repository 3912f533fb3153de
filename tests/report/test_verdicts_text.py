"""text: what a terminal shows."""

from __future__ import annotations

import pytest

from gilbench.report import Page, formats
from gilbench.results.verdicts import KINDS, Line, Verdicts
from tests.scripted import HOSTILE, verdicts


def lines(of: Verdicts, width: int = 200, *, color: bool = False) -> list[str]:
    return formats("verdicts")["text"](of, Page(width, color)).splitlines()


def test_the_worst_case_comes_first_and_the_headline_last() -> None:
    text = lines(verdicts())
    assert text[0].split() == ["case", "verdict", "ratio", "interval", "would", "find", "base", "head", "n", "time"]
    assert " ".join(text[1].split()) == "w-slowest regression 2.500 2.250 to 2.750 5.0% 4.00 ms 10.0 ms 10 31 s"
    kinds = [line.split()[1] for line in text[1:10]]
    assert kinds == [kind for kind in KINDS for _ in range(1 if kind == "same" else 2)]
    assert text[-2:] == ["note: w", verdicts().headline]


def test_what_failed_says_how() -> None:
    assert "base: raised: ValueError: w" in "\n".join(lines(verdicts()))


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("text", ["w", HOSTILE], ids=["plain", "hostile"])
def test_piped_output_has_no_control_characters(text: str, width: int) -> None:
    shown = "\n".join(lines(verdicts(text), width))
    assert all(character.isprintable() or character == "\n" for character in shown)
    shown.encode()


def test_hostile_text_is_shown_as_it_is() -> None:
    assert any('<script>alert("x\'y")</script>|`*_[a](b)$x^{' in line for line in lines(verdicts(HOSTILE), 400))


def test_a_terminal_gets_colors_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = "\n".join(lines(verdicts(HOSTILE), color=True))
    assert "\x1b[1;31mregression" in text
    assert "\x1b[32mimprovement" in text
    assert "\x07" not in text and "\x00" not in text and "\u202e" not in text


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_wider_than_the_page(width: int) -> None:
    assert max(map(len, lines(verdicts("w" * 30), width))) <= width


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize(
    "reason",
    ["", "base: raised: ValueError: it goes on and on, as messages do, and on and on"],
    ids=["alone", "next to a failure"],
)
def test_a_narrow_window_shows_what_matters_whole(width: int, reason: str) -> None:
    found = Line("csv_inner_threads:tiny:processes-default:2x1", "regression", 1.234, 1.157, 1.311, 0.05, n=9)
    broken = (Line("w", "failed", reason=reason),) if reason else ()
    text = "\n".join(lines(Verdicts("a", "b", (found, *broken)), width))
    for part in ("ratio", "regression", "1.234", "1.157", "1.311", "5.0%", "ValueError" if reason else "1 regression"):
        assert part in text


def test_nothing_measured_is_said() -> None:
    assert lines(Verdicts("a", "b", ()))[-1] == "nothing was measured"
