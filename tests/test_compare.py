"""The check's decisions: stages, Holm's steps, failures, exit codes; with scripted epochs."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from bench.arms import Arm
from bench.checking import measure
from bench.compare import ERROR, INCONCLUSIVE, NOTHING, OK, REGRESSION, Family, exit_code, family_of
from bench.lockstep import Broken, Epoch, epoch, turns
from bench.plan import Case
from bench.worker import Order

CASES = [Case(f"w{i}", "small", "sync") for i in range(3)]


def scripted(case: Case, ratio: float, seed: int = 0, failures: dict[str, tuple[str, str]] | None = None) -> Epoch:
    return Epoch(case, seed, 1.0, (1.0,) * 6, (ratio,) * 6, failures=failures or {})


def play(ratio: Callable[[Case, random.Random], float], cases: list[Case] = CASES, most: int = 500) -> Family:
    """Add epochs to open cases, as the check does, until all are decided."""
    family, draw = family_of(cases, dict.fromkeys(cases, 0.03)), random.Random(1)
    for _ in range(most):
        still = family.open()
        if not still:
            break
        checked = draw.choice(still)
        family = family.added(scripted(checked.case, ratio(checked.case, draw)))
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
        ({"head": ("raised", "no")}, REGRESSION),
        ({"base": ("raised", "no")}, ERROR),
        ({"base": ("raised", "no"), "head": ("raised", "no")}, ERROR),
    ],
)
def test_failing_in_head_alone_is_a_regression(failures: dict[str, tuple[str, str]], code: int) -> None:
    family = family_of(CASES[:1], {CASES[0]: 0.03}).added(scripted(CASES[0], 1.0, failures=failures))
    assert family.open() == []
    assert exit_code(family, strict=False) == code


def test_nothing_measured_has_its_own_exit_code() -> None:
    assert exit_code(family_of(CASES, dict.fromkeys(CASES, 0.03)), strict=False) == NOTHING


class Scripted:
    """A live worker from a script."""

    def __init__(self, value: float, log: list[str], name: str, fail_at: int = -1) -> None:
        self.value, self.log, self.name, self.left = value, log, name, fail_at

    def ready(self) -> dict[str, object]:
        if self.left == 0:
            raise Broken("raised", "ImportError: no")
        return {"ready": 4, "facts": {}, "sources": {f"{self.name}.py": "x"}}

    def turn(self, loops: int) -> float:
        self.left -= 1
        if self.left == 0:
            raise Broken("killed", "killed by SIGKILL: it printed nothing")
        self.log.append(f"{self.name}{loops}")
        return self.value

    def end(self) -> None:
        self.log.append(f"end {self.name}")


def arms(tmp_path: object = None) -> tuple[Arm, Arm]:
    from pathlib import Path

    return Arm("base", Path("base"), "python", "base"), Arm("head", Path("head"), "python", "head")


def test_an_epoch_takes_turns_in_random_order_and_ends_both_workers() -> None:
    log: list[str] = []
    values = {"base": 1.0, "head": 1.1}
    measured = epoch(CASES[0], arms(), lambda arm, order: Scripted(values[arm.name], log, arm.name), 7, None)
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

    def start(arm: Arm, order: Order) -> Scripted:
        return Scripted(1.0, log, arm.name, fail_at if arm.name == "head" else -1)

    measured = epoch(CASES[0], arms(), start, 7, 2)
    assert set(measured.failures) == {"head"}
    assert (measured.base, measured.head) == ((), ())
    assert sorted(entry for entry in log if entry.startswith("end")) == ["end base", "end head"]


def test_cases_are_interleaved_and_time_is_bounded() -> None:
    seen: list[str] = []
    ticks = iter(range(1000))

    def start(arm: Arm, order: Order) -> Scripted:
        if arm.name == "base":
            seen.append(order.case.workload)
        return Scripted(random.Random(f"{order.seed}{arm.name}").lognormvariate(0, 0.3), [], arm.name)

    family = family_of(CASES, dict.fromkeys(CASES, 0.03))
    families = list(measure(family, arms(), start, 1, max_time=12, clock=lambda: float(next(ticks))))
    assert len(families) == len(seen) == 11
    assert all(sorted(seen[i : i + 3]) == ["w0", "w1", "w2"] for i in (0, 3, 6))


def test_turns_have_a_smallest_number() -> None:
    assert len(list(turns({"a": None, "b": None}, random.Random(1)))) >= 2 * 8  # type: ignore[dict-item]
