"""One check from options to exit code: what is checked, which change matters, what is told and kept; scripted workers."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gilbench.cases.case import Case
from gilbench.cases.opening import Order
from gilbench.check import checker as checking
from gilbench.check import deliver
from gilbench.check.arms import Arm, Known, Spec
from gilbench.check.checker import (
    DEFAULT_SCHEDULERS,
    CheckOptions,
    cases_of,
    differences,
    imported_differences,
    line_of,
    measure,
    notes,
    result_of,
    thresholds,
)
from gilbench.check.family import Family, family_of
from gilbench.check.lockstep import Epoch
from gilbench.errors import Failure, UserError
from gilbench.process.talk import Broken
from gilbench.report import Page
from gilbench.results.result_file import load, save
from gilbench.results.summary import summarise
from gilbench.results.verdicts import load as load_verdicts
from tests.scripted import HOSTILE, MACHINE

ARMS = (Arm("base", Path("base"), "python", "main (1234567)"), Arm("head", Path("head"), "python", "working tree"))
OPTIONS = CheckOptions(floor=0.0, seed=1)
W0, W1 = (Case(f"w{i}", "tiny", "sync") for i in range(2))


def workload(name: str, family: str = "loops", **more: Any) -> dict[str, Any]:
    """What an arm says of a workload."""
    fields = {"representative": True, "collection": False, "pinned": True, "modules": [], "threshold": None}
    return {"name": name, "family": family, **fields, **more}


def known(*workloads: Mapping[str, Any], **machine: str | int) -> Known:
    return Known({one["name"]: one for one in workloads}, {**MACHINE, **machine})


def both(*workloads: Mapping[str, Any]) -> dict[str, Known]:
    return {"base": known(*workloads), "head": known(*workloads)}


@pytest.fixture(autouse=True)
def two_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "usable_cpus", lambda: 2)
    monkeypatch.delenv(deliver.JOB_SUMMARY, raising=False)


# --- What is checked


def test_without_names_every_familys_representative_meets_the_usual_schedulers_with_all_cpus() -> None:
    cases, missing = cases_of(both(workload("w0"), workload("other", representative=False)), OPTIONS)
    assert missing == []
    assert {case.workload for case in cases} == {"w0"}
    assert sorted(case.name for case in cases) == [
        "w0:tiny:processes:2x1", "w0:tiny:sync:1x1", "w0:tiny:threads:1x2",
    ]  # fmt: skip
    assert {case.scheduler for case in cases} == set(DEFAULT_SCHEDULERS)


def test_what_is_named_is_checked_also_where_it_represents_nothing() -> None:
    arms = both(workload("w0"), workload("other", representative=False), workload("x", family="mixed"))
    found = {
        names: {case.workload for case in cases_of(arms, replace(OPTIONS, workloads=names))[0]}
        for names in (("other",), ("loops",), ("o*", "mixed"))
    }
    assert found == {("other",): {"other"}, ("loops",): {"w0", "other"}, ("o*", "mixed"): {"other", "x"}}


@pytest.mark.parametrize("scheduler", ["sync", "threads", "loky"])
def test_a_scheduler_that_is_named_is_checked_alone(scheduler: str) -> None:
    cases, _ = cases_of(both(workload("w0")), replace(OPTIONS, schedulers=(scheduler,)))
    assert {case.scheduler for case in cases} == {scheduler}
    assert len(cases) == 1


def test_the_size_is_that_which_is_asked_for() -> None:
    cases, _ = cases_of(both(workload("w0")), replace(OPTIONS, size="small"))
    assert {case.size for case in cases} == {"small"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workloads": ("w9",)}, "no workload or family matches 'w9'"),
        ({"schedulers": ("thread",)}, "no scheduler is named 'thread': did you mean threads?"),
        ({"size": "huge"}, "no size is named 'huge'"),
    ],
)
def test_a_name_that_nothing_has_is_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=f"^{said}"):
        cases_of(both(workload("w0")), replace(OPTIONS, **options))


def test_what_one_arm_alone_has_is_told_and_not_checked() -> None:
    arms = {
        "base": known(workload("w0"), workload("gone"), workload("gone_too", representative=False)),
        "head": known(workload("w0"), workload("new")),
    }
    cases, missing = cases_of(arms, OPTIONS)
    assert {case.workload for case in cases} == {"w0"}
    assert missing == ["only in base: gone", "only in head: new"]
    assert cases_of(arms, replace(OPTIONS, workloads=("gone_too",))) == ([], ["only in base: gone_too"])


def test_a_base_of_before_thresholds_is_understood() -> None:
    old = {key: value for key, value in workload("w0").items() if key not in ("collection", "threshold")}
    cases, _ = cases_of({"base": known({**old, "collection": None}), "head": known(workload("w0"))}, OPTIONS)
    assert len(cases) == 3


# --- Which change matters


def decided(*said: tuple[str, float]) -> dict[str, float]:
    """Workload -> threshold, of two workloads without one of their own and one with."""
    head = known(
        workload("sort"), workload("sqrt_sum", family="reductions"), workload("own", family="reductions", threshold=0.2)
    )
    cases = [Case(name, "tiny", "sync") for name in head.workloads]
    return {case.workload: threshold for case, threshold in thresholds(cases, head, said).items()}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([], (0.03, 0.03, 0.2)),
        ([("*", 0.1)], (0.1, 0.1, 0.2)),
        ([("own", 0.05)], (0.03, 0.03, 0.05)),
        ([("reductions", 0.05)], (0.03, 0.05, 0.05)),
        ([("s*", 0.05), ("*", 0.1)], (0.05, 0.05, 0.2)),
        ([("*", 0.1), ("*", 0.15)], (0.15, 0.15, 0.2)),
        ([("sort", 0.05), ("s*", 0.06)], (0.06, 0.06, 0.2)),
        ([("s*", 0.06), ("sort", 0.05)], (0.05, 0.06, 0.2)),
        ([("reductions", 0.06), ("own", 0.05), ("*", 0.1)], (0.1, 0.06, 0.05)),
    ],
)
def test_all_then_the_workloads_own_then_what_is_said_of_some_and_the_last_counts(
    said: list[tuple[str, float]], found: tuple[float, float, float]
) -> None:
    assert decided(*said) == dict(zip(("sort", "sqrt_sum", "own"), found, strict=True))


def test_a_pattern_that_matches_nothing_is_one_line() -> None:
    with pytest.raises(UserError, match=r"^--threshold sotr=: no workload of this check matches 'sotr'$"):
        decided(("sort", 0.05), ("sotr", 0.05))


# --- What is told


def judged(**ratios: float) -> Family:
    """Workload -> ratio that never varies, to a family that is decided."""
    family = family_of({Case(name, "tiny", "sync"): 0.03 for name in ratios})
    while still := family.open():
        ratio = ratios[still[0].case.workload]
        family = family.added(Epoch(still[0].case, 1, 1.0, (0.1,) * 6, (0.1 * ratio,) * 6))
    return family


def told(family: Family, **options: Any) -> str:
    return "\n".join(notes(family, replace(OPTIONS, **options)))


def test_a_check_of_equal_arms_counts_its_false_alarms() -> None:
    assert "both arms are the same: 0 false alarms in 2 case checks" in told(judged(w0=1.0, w1=1.0), aa=True)
    assert "both arms are the same: 2 false alarms in 3 case checks" in told(judged(w0=1.1, w1=0.9, w2=1.0), aa=True)
    assert "false alarms" not in told(judged(w0=1.0))


def test_an_injected_slowdown_is_counted_where_it_was_found() -> None:
    said = told(judged(w0=1.1, w1=1.0, w2=1.1), inject=0.1)
    assert "head was slowed down by 10.0%: found in 2 of 3 cases, 0 inconclusive" in said
    assert "slowed down" not in told(judged(w0=1.0))
    both_said = told(judged(w0=1.1), inject=0.1, aa=True)
    assert "found in 1 of 1 cases" in both_said and "false alarms" not in both_said


def test_cases_that_were_never_measured_count_for_neither() -> None:
    family = Family((*judged(w0=1.0).cases, *family_of({W1: 0.03}).cases))
    assert "0 false alarms in 1 case checks" in told(family, aa=True)
    assert "found in 0 of 1 cases, 0 inconclusive" in told(family, inject=0.1)


def epoch_with(sources: Mapping[str, Mapping[str, str]]) -> Epoch:
    return Epoch(W0, 1, 1.0, (1.0,), (1.0,), sources=sources)


def test_files_that_the_workers_imported_and_that_differ_are_named() -> None:
    same = {"workloads/a.py": "1", "workloads/b.py": "2"}
    equal = [epoch_with({"base": same, "head": same})]
    assert imported_differences(equal) == "imported from the trees: 2 files, the same in both arms"
    other = [*equal, epoch_with({"base": {"x.py": "1"}, "head": {"x.py": "2", "new.py": "3"}})]
    assert imported_differences(other) == "imported from the trees: 4 files, of which differ: new.py, x.py"


def test_the_arms_and_what_differs_between_their_software_are_told() -> None:
    lines = differences(ARMS, {"base": known(), "head": known(pandas_version="3.0.3", gil="disabled")})
    assert lines == [
        "base: main (1234567)", "head: working tree", "software: gil enabled -> disabled, pandas_version 3.1.1 -> 3.0.3",
    ]  # fmt: skip
    assert differences(ARMS, both())[-1] == "software: the same in both arms"


def test_a_decided_case_as_a_line() -> None:
    (checked,) = judged(w0=1.25).cases
    line = line_of(checked)
    assert (line.case, line.kind, line.reason, line.n, line.seconds) == ("w0:tiny:sync:1x1", "regression", "", 10, 10.0)
    assert (line.ratio, line.base, line.head) == pytest.approx((1.25, 0.1, 0.125))
    assert (line.low, line.high, line.threshold) == pytest.approx((1.25, 1.25, 0.03))


def test_a_case_without_any_epoch_as_a_line() -> None:
    line = line_of(family_of({W0: 0.05}).cases[0])
    assert (line.kind, line.n, line.seconds, line.threshold) == ("inconclusive", 0, 0, 0.05)
    assert all(math.isnan(number) for number in (line.ratio, line.base, line.head))
    assert (line.low, line.high) == (0.0, math.inf)


def broken(case: Case, *arms: str) -> Epoch:
    return Epoch(case, 1, 2.0, failures={arm: Failure("raised", f"ValueError: {arm}") for arm in arms})


@pytest.mark.parametrize(
    ("arms", "kind", "reason"),
    [
        (("head",), "regression", "head: raised: ValueError: head"),
        (("base",), "failed", "base: raised: ValueError: base"),
        (("base", "head"), "failed", "base: raised: ValueError: base; head: raised: ValueError: head"),
    ],
)
def test_a_case_that_failed_as_a_line(arms: tuple[str, ...], kind: str, reason: str) -> None:
    family = family_of({W0: 0.03}).added(broken(W0, *arms)).added(broken(W0, *arms))
    line = line_of(family.cases[0])
    assert (line.kind, line.reason, line.n, line.seconds) == (kind, reason, 0, 4.0)
    assert math.isnan(line.ratio) and math.isnan(line.head)


# --- What is kept


def test_both_arms_become_ordinary_results(tmp_path: Path) -> None:
    family = judged(w0=1.5, w1=1.0)
    for arm, seconds in zip(ARMS, (0.1, 0.15), strict=True):
        save(result_of(family, arm, known(usable_cpus=3), 7, OPTIONS), tmp_path / f"{arm.name}.json")
        result = load(tmp_path / f"{arm.name}.json")
        assert (result.plan.seed, result.plan.cases, result.machine["usable_cpus"]) == (7, (W0, W1), 3)
        assert result.stops == {"w0:tiny:sync:1x1": "regression", "w1:tiny:sync:1x1": "same"}
        summary = summarise(result)
        assert [case.estimate.value for case in summary.cases] == [pytest.approx(seconds), pytest.approx(0.1)]
        assert [case.estimate.n for case in summary.cases] == [10, 5]
        assert summary.failures == ()


def test_an_epoch_that_failed_is_a_failure_in_both_results_with_the_reason_of_each() -> None:
    family = judged(w0=1.0).added(broken(W0, "head"))
    base, head = (result_of(family, arm, known(), 7, OPTIONS).observations for arm in ARMS)
    assert [o.failure for o in base if o.failure] == [Failure("failed", "the other arm failed")]
    assert [o.failure for o in head if o.failure] == [Failure("raised", "ValueError: head")]
    for observations in (base, head):
        assert [o.round for o in observations] == list(range(6))
        assert all(bool(o.values) != bool(o.failure) for o in observations)


# --- Measuring


class Scripted:
    """A live worker from a script: computes of one turn, seconds of one compute, and how it breaks."""

    def __init__(self, loops: int, seconds: float = 0.1, breaks: str = "", log: list[int] | None = None) -> None:
        self.loops, self.seconds, self.breaks, self.log = loops, seconds, breaks, log

    def ready(self) -> Mapping[str, Any]:
        return {"ready": self.loops, "facts": {"family": "loops"}, "sources": {"workloads/a.py": "1"}}

    def turn(self, loops: int) -> float:
        if self.log is not None:
            self.log.append(loops)
        if self.breaks:
            raise Broken("raised", self.breaks)
        return self.seconds

    def end(self) -> None: ...


def test_a_failed_epoch_does_not_fix_how_many_computes_a_turn_is() -> None:
    taken: list[list[int]] = []  # by each worker, two for each epoch

    def start(arm: Arm, order: Order) -> Scripted:
        number = len(taken) // 2
        taken.append([])
        breaks = "no" if number == 0 and arm.name == "head" else ""
        return Scripted(loops=(4, 8, 16)[min(number, 2)], breaks=breaks, log=taken[-1])

    families = list(measure(family_of({W0: 0.03}), ARMS, start, 1, 900.0, clock=lambda: 0.0))
    assert len(families[-1].cases[0].failed) == 1
    assert [{*taken[i], *taken[i + 1]} for i in range(0, len(taken), 2)] == [{4}, {8}, {8}, {8}, {8}, {8}]


def test_loops_are_fixed_for_each_case_by_itself() -> None:
    taken: dict[str, set[int]] = {}

    def start(arm: Arm, order: Order) -> Scripted:
        log: list[int] = []
        number = len(logs)
        logs.append((order.case.workload, log))
        return Scripted(loops=10 + number // 2, log=log)

    logs: list[tuple[str, list[int]]] = []
    list(measure(family_of({W0: 0.03, W1: 0.03}), ARMS, start, 1, 900.0, clock=lambda: 0.0))
    for name, log in logs:
        taken.setdefault(name, set()).update(log)
    assert sorted(map(sorted, taken.values())) == [[10], [11]]


def test_every_epoch_has_a_seed_of_its_own_which_depends_on_the_checks_seed_alone() -> None:
    def seeds(seed: int) -> list[int]:
        found: list[int] = []

        def start(arm: Arm, order: Order) -> Scripted:
            found.append(order.seed)
            return Scripted(loops=1)

        list(measure(family_of({W0: 0.03, W1: 0.03}), ARMS, start, seed, 900.0, clock=lambda: 0.0))
        return found

    assert seeds(1) == seeds(1) != seeds(2)
    assert seeds(1)[::2] == seeds(1)[1::2], "both arms share a memory layout"
    assert len(set(seeds(1))) == 10


def test_time_is_up_before_the_first_epoch() -> None:
    def start(arm: Arm, order: Order) -> Scripted:
        raise AssertionError("nothing is started")

    ticks = iter((0.0, 10.0))
    assert list(measure(family_of({W0: 0.03}), ARMS, start, 1, 10.0, clock=lambda: next(ticks))) == []


# --- A whole check


@dataclass
class Check:
    """A check whose arms and workers come from a script: seconds and reason to break of each arm."""

    folder: Path
    seconds: dict[str, float] = field(default_factory=lambda: {"base": 0.1, "head": 0.1})
    breaks: dict[str, str] = field(default_factory=dict)
    arms: dict[str, Known] = field(default_factory=lambda: both(workload("w0")))
    interrupted_at: int = -1
    started: int = 0
    out: str = ""
    err: str = ""

    def start(self, arm: Arm, order: Order) -> Scripted:
        self.started += 1
        if self.started == self.interrupted_at:
            raise KeyboardInterrupt
        return Scripted(4, self.seconds[arm.name], self.breaks.get(arm.name, ""))

    def run(self, **options: Any) -> int:
        out, err = io.StringIO(), io.StringIO()
        try:
            return checking.run(replace(OPTIONS, results=self.folder / "results", **options), err, out, Page(200))
        finally:
            self.out, self.err = out.getvalue(), err.getvalue()

    @property
    def kept(self) -> set[str]:
        """Names of the files kept."""
        return {path.name for path in self.folder.glob("results/checks/*/*")}


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    found = Check(tmp_path)

    @contextlib.contextmanager
    def prepared(base: Spec, head: Spec, cache: Path) -> Iterator[tuple[Arm, Arm]]:
        yield ARMS

    monkeypatch.setattr(checking, "prepared", prepared)
    monkeypatch.setattr(checking, "look", lambda arm: found.arms[arm.name])
    monkeypatch.setattr(checking, "Live", lambda **how: found.start)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    return found


def test_equal_arms_pass_and_everything_is_kept(check: Check) -> None:
    assert check.run(strict=True) == 0
    assert check.out.splitlines()[-1] == "3 same"
    assert "seed 1" in check.out
    assert check.err.splitlines()[:3] == [
        "base: main (1234567)",
        "head: working tree",
        "software: the same in both arms",
    ]
    assert sum("w0:tiny:threads:1x2: same" in line for line in check.err.splitlines()) == 1
    assert check.kept == {"base.json", "head.json", "verdicts.json"}
    (path,) = check.folder.glob("results/checks/*/verdicts.json")
    assert f"next: gilbench plot {path}" in check.err


def test_a_slower_head_fails_and_is_in_every_file(check: Check) -> None:
    check.seconds["head"] = 0.12
    files = {name: check.folder / name for name in ("markdown", "junit", "json")}
    assert check.run(**files) == 1
    assert check.out.splitlines()[-1] == "3 regression"
    verdicts = load_verdicts(files["json"])
    assert [line.ratio for line in verdicts.lines] == [pytest.approx(1.2)] * 3
    assert (verdicts.base, verdicts.head) == ("main (1234567)", "working tree")
    assert all("regression" in files[name].read_text(encoding="utf-8") for name in ("markdown", "junit"))


@pytest.mark.parametrize(("arm", "code", "headline"), [("head", 1, "3 regression"), ("base", 2, "3 failed")])
def test_an_arm_that_breaks_is_named_with_its_reason_as_text(check: Check, arm: str, code: int, headline: str) -> None:
    check.breaks[arm] = f"ValueError: {HOSTILE}"
    assert check.run() == code
    assert check.out.splitlines()[-1] == headline
    assert f"{arm}: raised: ValueError: <script>" in check.out
    assert all(character.isprintable() or character == "\n" for character in check.out + check.err)
    assert check.kept == set(), "nothing was measured"


def test_nothing_in_both_arms_is_nothing_measured(check: Check) -> None:
    check.arms = {"base": known(workload("gone")), "head": known(workload("new"))}
    assert check.run() == 3
    assert check.started == 0
    assert "only in base: gone\nonly in head: new\nnothing to measure" in check.err


def test_no_time_at_all_is_nothing_measured(check: Check) -> None:
    assert check.run(max_time=0.0) == 3
    assert check.out.splitlines()[-1] == "3 inconclusive"
    assert check.kept == set()


def test_ctrl_c_tells_and_keeps_the_verdicts_so_far(check: Check) -> None:
    check.interrupted_at = 20
    assert check.run() == 130
    assert "interrupted, the verdicts so far" in check.out
    assert "inconclusive" in check.out.splitlines()[-1]
    assert check.kept == {"base.json", "head.json", "verdicts.json"}


def test_ctrl_c_while_the_arms_are_prepared_is_one_line(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> contextlib.AbstractContextManager[tuple[Arm, Arm]]:
        raise KeyboardInterrupt

    monkeypatch.setattr(checking, "prepared", interrupted)
    assert check.run() == 130
    assert check.err == "interrupted: nothing is left behind\n"


def test_a_file_that_cannot_be_written_costs_neither_the_table_nor_the_results(check: Check) -> None:
    with pytest.raises(UserError, match="cannot write"):
        check.run(junit=check.folder / "none" / "v.xml", json=check.folder / "v.json")
    assert check.out.splitlines()[-1] == "3 same"
    assert (check.folder / "v.json").exists()
    assert check.kept == {"base.json", "head.json", "verdicts.json"}


def test_with_aa_both_arms_are_the_working_tree(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    specs: list[Spec] = []

    @contextlib.contextmanager
    def prepared(base: Spec, head: Spec, cache: Path) -> Iterator[tuple[Arm, Arm]]:
        specs.extend((base, head))
        yield ARMS

    monkeypatch.setattr(checking, "prepared", prepared)
    assert check.run(aa=True) == 0
    assert [spec.path for spec in specs] == [".", "."]
    assert "both arms are the same: 0 false alarms in 3 case checks" in check.out
    assert check.run() == 0
    assert [(spec.rev, spec.path) for spec in specs[2:]] == [("HEAD", None), (None, ".")]
