"""What a person sees while a check goes on: lines in a log, a bar on a terminal, and the time to go; scripted epochs."""

from __future__ import annotations

import io
import math
import random
import re
from collections.abc import Callable, Iterator

import pytest

from gilbench.cases.case import Case
from gilbench.checks.check_progress import EPOCHS, check_progress, check_status, check_time_left
from gilbench.checks.family import Family, family_of
from gilbench.checks.lockstep import Epoch
from gilbench.console import bar_wanted
from gilbench.errors import Failure

CASES = [Case(f"w{i}", "tiny", "sync") for i in range(4)]
LINE = re.compile(r"(\d)/4 decided  \d+ s gone, about (?:\d+ min )?\d+ s to go  (.+): (\w+)")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def play(spread: float, family: Family | None = None, seconds: float = 2.0, seed: int = 1) -> Iterator[Family]:
    """The family after each epoch, until all cases are decided; w1 is slower by a fifth, w2 breaks."""
    family, draw = family or family_of(dict.fromkeys(CASES, 0.03), patience=60.0), random.Random(seed)
    while still := family.open():
        case = draw.choice(still).case
        if case.workload == "w2":
            measured = Epoch(case, 1, seconds, failures={"head": Failure("raised", "no")})
        else:
            ratio = draw.lognormvariate(0.0, spread) * (1.2 if case.workload == "w1" else 1.0)
            measured = Epoch(case, 1, seconds, (0.1,) * 6, (0.1 * ratio,) * 6)
        family = family.added(measured)
        yield family


def shown(families: Iterator[Family], out: io.StringIO, max_time: float = 900.0) -> str:
    with check_progress(out, max_time) as show:
        for family in families:
            show(family)
    return out.getvalue()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


# --- Lines


def test_each_decided_case_is_a_line_once_it_is_decided() -> None:
    lines = shown(play(0.01), io.StringIO()).splitlines()
    found = [match.groups() for line in lines if (match := LINE.fullmatch(line))]
    assert len(found) == len(lines) == 4
    assert {(name, kind) for _, name, kind in found} == {
        ("w0:tiny:sync:1x1", "same"),
        ("w1:tiny:sync:1x1", "regression"),
        ("w2:tiny:sync:1x1", "regression"),
        ("w3:tiny:sync:1x1", "same"),
    }
    assert [done for done, _, _ in found] == ["1", "2", "3", "4"]


def test_there_is_no_line_before_a_case_is_decided() -> None:
    out = io.StringIO()
    with check_progress(out, 900.0) as show:
        show(family_of(dict.fromkeys(CASES, 0.03)))
        show(next(play(0.01)))
    assert out.getvalue() == ""


def test_a_case_that_patience_ends_is_a_line_too() -> None:
    text = shown(play(0.3), io.StringIO())
    assert "w0:tiny:sync:1x1: inconclusive" in text


@pytest.mark.parametrize("name", ["w0", "\x1b[31mred\x07\r\n\u202e"], ids=["plain", "hostile"])
def test_piped_output_has_no_control_characters(name: str) -> None:
    family = family_of({Case(name, "tiny", "sync"): 0.03})
    text = shown(play(0.01, family), io.StringIO())
    assert text.count("\n") == 1
    assert all(character.isprintable() for character in text.rstrip("\n"))


# --- The bar


def test_a_terminal_gets_a_bar_that_leaves_nothing_on_the_screen(terminal: Terminal) -> None:
    text = shown(play(0.01), terminal)
    assert "4/4 decided" in text
    assert text.endswith("\x1b[2K"), "the line of the bar is wiped"


def test_the_bar_ends_when_the_check_is_interrupted(terminal: Terminal) -> None:
    with pytest.raises(KeyboardInterrupt), check_progress(terminal, 900.0):
        raise KeyboardInterrupt
    assert "\x1b[?25h" in terminal.getvalue(), "the cursor is shown again"


@pytest.mark.parametrize(
    ("out", "variables", "wanted"),
    [
        (Terminal, {}, True),
        (Terminal, {"NO_COLOR": "1"}, False),
        (Terminal, {"TERM": "dumb"}, False),
        (io.StringIO, {}, False),
    ],
)
def test_a_bar_is_for_terminals_whose_user_did_not_say_no(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    out: Callable[[], io.StringIO],
    variables: dict[str, str],
    wanted: bool,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert bar_wanted(out()) == wanted
    assert ("\x1b" in shown(play(0.01), out())) == wanted


# --- The time to go


@pytest.mark.parametrize(
    ("spread", "patience"), [(0.0, math.inf), (0.001, 20.0), (0.05, math.inf), (0.5, 20.0), (5.0, 20.0)]
)
def test_the_time_to_go_is_finite_and_at_most_the_bound(spread: float, patience: float) -> None:
    start = family_of(dict.fromkeys(CASES, 0.03), patience=patience)
    for family in (start, *play(spread, start)):
        gone = sum(checked.seconds for checked in family.cases)
        for most in (5.0, 900.0, math.inf):
            left = check_time_left(family, most - gone)
            assert math.isfinite(left)
            assert 0 <= left <= max(0.0, most - gone)
            assert bool(left) == bool(family.open() and gone < most)


def test_the_time_to_go_of_all_open_cases_is_within_their_patience() -> None:
    start = family_of(dict.fromkeys(CASES, 0.03), patience=20.0)
    for family in (start, *play(0.5, start)):
        assert check_time_left(family, math.inf) <= sum(20.0 - checked.seconds for checked in family.open())


def test_before_the_first_epoch_each_case_is_good_for_the_usual_number() -> None:
    assert check_time_left(family_of(dict.fromkeys(CASES, 0.03)), math.inf) == len(CASES) * EPOCHS * 1.0


def test_a_noisier_case_takes_longer() -> None:
    def left(spread: float) -> float:
        ratios = [math.exp(spread * side) for side in (1, -1, 1, -1, 1, -1)]
        family = family_of({CASES[0]: 0.03})
        for ratio in ratios:
            family = family.added(Epoch(CASES[0], 1, 2.0, (0.1,) * 6, (0.1 * ratio,) * 6))
        assert family.open()
        return check_time_left(family, math.inf)

    assert left(0.01) < left(0.012) < left(0.016)


def test_after_the_bound_nothing_is_to_go() -> None:
    assert check_status(family_of(dict.fromkeys(CASES, 0.03)), 901.0, 900.0) == (
        "0/4 decided  15 min 01 s gone, about 0 s to go"
    )
