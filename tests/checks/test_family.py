"""The check's decisions: stages, Holm's steps, failures, exit codes; with scripted epochs."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from gilbench.cases.benchmark import Subject
from gilbench.cases.case import Case
from gilbench.checks.arms import Arm
from gilbench.checks.checker import PATIENCE, measure_family
from gilbench.checks.family import CHANCES, Family, family_of
from gilbench.checks.lockstep import FEWEST, MOST, WARM_UP, Batch, Epoch, epochs, turns
from gilbench.checks.outcome import line_of, notes
from gilbench.checks.scope import CheckOptions
from gilbench.errors import Failure
from gilbench.process.talk import Broken
from gilbench.results import verdicts
from gilbench.results.verdicts import ERROR, INCONCLUSIVE, NOTHING, OK, REGRESSION, Verdicts

CASES = [Case(f"w{i}", "small", "sync") for i in range(3)]
Failures = dict[str, Failure]


def scripted(
    case: Case, ratio: float, seed: int = 0, failures: Failures | None = None, seconds: float = 1.0, base: float = 1.0
) -> Epoch:
    return Epoch(case, seed, seconds, (base,) * 6, (base * ratio,) * 6, failures=failures or {})


def failed(case: Case, *arms: str) -> Epoch:
    return scripted(case, 1.0, failures={arm: Failure("killed", f"SIGKILL in {arm}") for arm in arms})


def exit_code(family: Family, *, strict: bool) -> int:
    return verdicts.exit_code(Verdicts("base", "head", tuple(line_of(case) for case in family.cases)), strict=strict)


def play(
    ratio: Callable[[Case, random.Random], float],
    cases: list[Case] = CASES,
    most: int = 500,
    family: Family | None = None,
    seconds: float = 1.0,
    base: float = 1.0,
) -> Family:
    """Add epochs to open cases, as the check does, until all are decided."""
    family, draw = family or family_of(dict.fromkeys(cases, 0.03)), random.Random(1)
    for _ in range(most):
        still = family.open()
        if not still:
            break
        checked = draw.choice(still)
        family = family.added(scripted(checked.case, ratio(checked.case, draw), seconds=seconds, base=base))
    return family


def test_equal_arms_end_as_the_same() -> None:
    family = play(lambda case, draw: draw.lognormvariate(0.0, 0.02))
    assert [checked.kind for checked in family.cases] == ["same"] * 3
    assert exit_code(family, strict=True) == OK


def test_a_slowdown_is_found_and_confirmed_in_fresh_epochs_in_its_case_only() -> None:
    family = play(lambda case, draw: draw.lognormvariate(0.0, 0.02) * (1.1 if case.workload == "w1" else 1.0))
    assert [checked.kind for checked in family.cases] == ["same", "regression", "same"]
    found = family.cases[1]
    assert len(found.confirming) >= found.design.first_look
    assert found.verdict is not None and 1.05 < found.verdict.ratio < 1.15
    assert exit_code(family, strict=False) == REGRESSION


def test_a_faster_head_is_an_improvement() -> None:
    family = play(lambda case, draw: draw.lognormvariate(0.0, 0.02) / 1.15)
    assert {checked.kind for checked in family.cases} == {"improvement"}
    assert exit_code(family, strict=True) == OK


def test_noise_that_hides_everything_is_inconclusive_and_fails_only_when_strict() -> None:
    family = play(lambda case, draw: draw.lognormvariate(0.0, 0.3))
    assert "inconclusive" in {checked.kind for checked in family.cases}
    assert "regression" not in {checked.kind for checked in family.cases}
    assert (exit_code(family, strict=False), exit_code(family, strict=True)) == (OK, INCONCLUSIVE)


@pytest.mark.parametrize(
    ("failures", "code"),
    [
        ({"head": Failure("raised", "no")}, REGRESSION),
        ({"base": Failure("raised", "no")}, ERROR),
        ({"base": Failure("raised", "no"), "head": Failure("raised", "no")}, ERROR),
    ],
)
def test_failing_twice_in_head_alone_is_a_regression(failures: Failures, code: int) -> None:
    family = family_of({CASES[0]: 0.03})
    for _ in range(CHANCES):
        assert [checked.case for checked in family.open()] == CASES[:1]
        family = family.added(scripted(CASES[0], 1.0, failures=failures))
    assert family.open() == []
    assert exit_code(family, strict=False) == code


def test_failing_once_in_either_arm_says_nothing_about_head() -> None:
    family = family_of({CASES[0]: 0.03}).added(failed(CASES[0], "head")).added(failed(CASES[0], "base"))
    assert family.cases[0].kind == "failed"
    assert line_of(family.cases[0]).reason == "head: killed: SIGKILL in head; base: killed: SIGKILL in base"


def test_a_case_that_failed_once_and_then_works_is_measured_further_and_noted() -> None:
    family = play(lambda case, draw: 1.0, family=family_of({CASES[0]: 0.03}).added(failed(CASES[0], "head")))
    (checked,) = family.cases
    assert (checked.kind, dict(checked.failures), len(checked.failed)) == ("same", {}, 1)
    assert len(checked.epochs) == checked.design.first_look
    assert exit_code(family, strict=True) == OK
    (noted,) = [note for note in notes(family, CheckOptions()) if note.startswith("w0:small:sync:1x1: ")]
    assert noted.startswith("w0:small:sync:1x1: failed once")
    assert noted.endswith(": head: killed: SIGKILL in head")


def test_a_failed_epoch_counts_for_time_and_not_for_the_ratio() -> None:
    family = family_of({CASES[0]: 0.03}).added(failed(CASES[0], "head")).added(scripted(CASES[0], 1.5))
    (checked,) = family.cases
    assert checked.seconds == 2.0
    assert line_of(checked).n == 1
    assert line_of(checked).ratio == pytest.approx(1.5)


def test_nothing_measured_has_its_own_exit_code() -> None:
    assert exit_code(family_of(dict.fromkeys(CASES, 0.03)), strict=False) == NOTHING


def test_patience_ends_a_case_as_inconclusive() -> None:
    start = family_of({CASES[0]: 0.03}, patience=PATIENCE)
    family = play(lambda case, draw: draw.lognormvariate(0.0, 0.3), family=start, seconds=PATIENCE / 8.5)
    (checked,) = family.cases
    assert (checked.kind, len(checked.epochs)) == ("inconclusive", 8), "a ninth epoch would end too late"
    assert checked.out_of_patience
    assert family.open() == []
    assert checked.decide(0).next == "explore", "it was not the design that ended it"
    assert f"w0:small:sync:1x1: not decided within {PATIENCE:.0f} s" in list(notes(family, CheckOptions()))


def test_patience_does_not_cut_a_case_that_is_decided_in_time() -> None:
    start = family_of(dict.fromkeys(CASES, 0.03), patience=60.0)
    family = play(lambda case, draw: draw.lognormvariate(0.0, 0.003), family=start, seconds=7.0)
    assert {checked.kind for checked in family.cases} == {"same"}


@pytest.mark.parametrize(
    ("base", "ratio", "kind"),
    [(1e-4, 1.15, "same"), (1e-4, 1 / 1.15, "same"), (1e-3, 1.15, "regression"), (1e-3, 1 / 1.15, "improvement")],
)
def test_a_difference_below_the_floor_is_none_whatever_the_ratio(base: float, ratio: float, kind: str) -> None:
    start = family_of({CASES[0]: 0.03}, floor=20e-6)
    family = play(lambda case, draw: draw.lognormvariate(0.0, 0.005) * ratio, family=start, base=base)
    (checked,) = family.cases
    assert checked.kind == kind
    assert checked.verdict is not None
    assert checked.verdict.kind == ("regression" if ratio > 1 else "improvement"), "beyond the threshold it is"
    assert checked.difference == pytest.approx(base * (ratio - 1), rel=0.1)
    assert exit_code(family, strict=True) == (REGRESSION if kind == "regression" else OK)


def test_an_epochs_log_ratio_pairs_neighboring_turns_so_that_a_common_drift_cancels_exactly() -> None:
    drift = (1.0, 2.0, 0.5, 64.0, 4.0, 0.25)
    steady = Epoch(CASES[0], 0, 1.0, (1.0,) * 6, (1.5,) * 6)
    drifting = Epoch(CASES[0], 0, 1.0, drift, tuple(1.5 * factor for factor in drift))
    assert drifting.log_ratio == steady.log_ratio == math.log(1.5)
    one_slow_turn = Epoch(CASES[0], 0, 1.0, drift, (*drift[:5], 100.0))
    assert one_slow_turn.log_ratio == 0.0


def test_turns_of_one_arm_alone_are_no_epoch() -> None:
    with pytest.raises(ValueError, match="zip"):
        _ = Epoch(CASES[0], 0, 1.0, (1.0,) * 6, (1.0,) * 5).log_ratio


class Scripted:
    """A live worker from a script."""

    def __init__(self, value: float, log: list[str], name: str, fail_at: int = -1) -> None:
        self.value, self.log, self.name, self.left = value, log, name, fail_at

    def open(self, subject: Subject) -> dict[str, object]:
        if self.left == 0:
            raise Broken("raised", "ImportError: no")
        return {"ready": 4, "facts": {}, "sources": {f"{self.name}.py": "x"}}

    def turn(self, loops: int) -> float:
        self.left -= 1
        if self.left == 0:
            raise Broken("killed", "killed by SIGKILL: it printed nothing")
        self.log.append(f"{self.name}{loops}")
        return self.value

    def close(self) -> dict[str, object]:
        return {}

    def end(self) -> None:
        self.log.append(f"end {self.name}")


def arms() -> tuple[Arm, Arm]:
    return Arm("base", Path("base"), "python", "base"), Arm("head", Path("head"), "python", "head")


def test_an_epoch_takes_turns_in_random_order_and_ends_both_workers() -> None:
    log: list[str] = []
    values = {"base": 1.0, "head": 1.1}
    (measured,) = epochs(Batch((CASES[0],), 7), arms(), lambda arm, batch: Scripted(values[arm.name], log, arm.name))
    taken = [entry for entry in log if not entry.startswith("end")]
    pairs = [tuple(sorted(taken[i : i + 2])) for i in range(0, len(taken), 2)]
    assert set(pairs) == {("base4", "head4")}, "each arm once before either again, as many computes in both"
    firsts = taken[::2]
    assert {"base4", "head4"} == set(firsts), "who goes first is random"
    assert sorted(log[-2:]) == ["end base", "end head"]
    assert len(measured.base) == len(measured.head) == len(pairs) - 2, "warm-up turns are not counted"
    assert measured.log_ratio == pytest.approx(0.0953, abs=1e-3)


@pytest.mark.parametrize("fail_at", [0, 1, 5])
def test_a_worker_that_breaks_is_named_and_both_are_ended(fail_at: int) -> None:
    log: list[str] = []

    def start(arm: Arm, batch: Batch) -> Scripted:
        return Scripted(1.0, log, arm.name, fail_at if arm.name == "head" else -1)

    (measured,) = epochs(Batch((CASES[0],), 7, {CASES[0]: 2}), arms(), start)
    assert set(measured.failures) == {"head"}
    assert (measured.base, measured.head) == ((), ())
    assert sorted(entry for entry in log if entry.startswith("end")) == ["end base", "end head"]


def test_cases_are_interleaved_and_time_is_bounded() -> None:
    seen: list[str] = []
    ticks = iter(range(1000))

    def start(arm: Arm, batch: Batch) -> Scripted:
        if arm.name == "base":
            seen.append(batch.subjects[0].name.partition(":")[0])
        return Scripted(random.Random(f"{batch.seed}{arm.name}").lognormvariate(0, 0.3), [], arm.name)

    family = family_of(dict.fromkeys(CASES, 0.03))
    families = list(measure_family(family, arms(), start, 1, max_time=12, clock=lambda: float(next(ticks))))
    assert len(families) == len(seen) == 11
    assert all(sorted(seen[i : i + 3]) == ["w0", "w1", "w2"] for i in (0, 3, 6))


@pytest.mark.parametrize(("seconds", "rounds"), [(0.0, WARM_UP + FEWEST), (math.inf, WARM_UP + MOST)])
def test_turns_have_a_smallest_and_a_largest_number(seconds: float, rounds: int) -> None:
    taken = list(turns({"a": None, "b": None}, random.Random(1), seconds))  # type: ignore[dict-item]
    assert len(taken) == 2 * rounds
    assert all(sorted(taken[i : i + 2]) == ["a", "b"] for i in range(0, len(taken), 2))
