"""One check from options to exit code: epochs in rounds, what is printed, and what is kept; scripted workers."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gilbench.cases.benchmark import Subject
from gilbench.cases.case import Case
from gilbench.checks import checker, scope
from gilbench.checks.arms import Arm, Known, Spec
from gilbench.checks.checker import measure_family
from gilbench.checks.family import family_of
from gilbench.checks.lockstep import Batch
from gilbench.errors import UserError
from gilbench.process.talk import Broken
from gilbench.report import Page
from gilbench.results.history_file import read
from gilbench.results.verdicts import Revision
from gilbench.results.verdicts import load as load_verdicts
from tests.checks.scripted_check import ARMS, OPTIONS, W0, W1, both, known, workload
from tests.scripted import HOSTILE

pytestmark = pytest.mark.usefixtures("two_cpus")


# --- Measuring


class Scripted:
    """A live worker from a script: computes of one turn, seconds of one compute, and how it breaks."""

    def __init__(self, loops: int, seconds: float = 0.1, breaks: str = "", log: list[int] | None = None) -> None:
        self.loops, self.seconds, self.breaks, self.log = loops, seconds, breaks, log

    def open(self, subject: Subject) -> Mapping[str, Any]:
        return {"ready": self.loops, "facts": {"family": "loops"}, "sources": {"workloads/a.py": "1"}}

    def turn(self, loops: int) -> float:
        if self.log is not None:
            self.log.append(loops)
        if self.breaks:
            raise Broken("raised", self.breaks)
        return self.seconds

    def close(self) -> Mapping[str, Any]:
        return {}

    def end(self) -> None: ...


def case_of(batch: Batch) -> Case:
    (case,) = batch.subjects
    assert isinstance(case, Case), "a case has processes of its own"
    return case


def test_a_failed_epoch_does_not_fix_how_many_computes_a_turn_is() -> None:
    taken: list[list[int]] = []  # by each worker, two for each epoch

    def start(arm: Arm, batch: Batch) -> Scripted:
        number = len(taken) // 2
        taken.append([])
        breaks = "no" if number == 0 and arm.name == "head" else ""
        return Scripted(loops=(4, 8, 16)[min(number, 2)], breaks=breaks, log=taken[-1])

    families = list(measure_family(family_of({W0: 0.03}), ARMS, start, 1, 900.0, clock=lambda: 0.0))
    assert len(families[-1].cases[0].failed) == 1
    assert [{*taken[i], *taken[i + 1]} for i in range(0, len(taken), 2)] == [{4}, {8}, {8}, {8}, {8}, {8}]


def test_loops_are_fixed_for_each_case_by_itself() -> None:
    taken: dict[str, set[int]] = {}

    def start(arm: Arm, batch: Batch) -> Scripted:
        log: list[int] = []
        number = len(logs)
        logs.append((case_of(batch).workload, log))
        return Scripted(loops=10 + number // 2, log=log)

    logs: list[tuple[str, list[int]]] = []
    list(measure_family(family_of({W0: 0.03, W1: 0.03}), ARMS, start, 1, 900.0, clock=lambda: 0.0))
    for name, log in logs:
        taken.setdefault(name, set()).update(log)
    assert sorted(map(sorted, taken.values())) == [[10], [11]]


def test_every_epoch_has_a_seed_of_its_own_which_depends_on_the_checks_seed_alone() -> None:
    def seeds(seed: int) -> list[int]:
        found: list[int] = []

        def start(arm: Arm, batch: Batch) -> Scripted:
            found.append(batch.seed)
            return Scripted(loops=1)

        list(measure_family(family_of({W0: 0.03, W1: 0.03}), ARMS, start, seed, 900.0, clock=lambda: 0.0))
        return found

    assert seeds(1) == seeds(1) != seeds(2)
    assert seeds(1)[::2] == seeds(1)[1::2], "both arms share a memory layout"
    assert len(set(seeds(1))) == 10


def test_time_is_up_before_the_first_epoch() -> None:
    def start(arm: Arm, batch: Batch) -> Scripted:
        raise AssertionError("nothing is started")

    ticks = iter((0.0, 10.0))
    assert list(measure_family(family_of({W0: 0.03}), ARMS, start, 1, 10.0, clock=lambda: next(ticks))) == []


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

    def start(self, arm: Arm, batch: Batch) -> Scripted:
        self.started += 1
        if self.started == self.interrupted_at:
            raise KeyboardInterrupt
        return Scripted(4, self.seconds[arm.name], self.breaks.get(arm.name, ""))

    def run(self, **options: Any) -> int:
        out, err = io.StringIO(), io.StringIO()
        try:
            return checker.run(replace(OPTIONS, results=self.folder / "results", **options), err, out, Page(200))
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
    def prepared(base: Spec, head: Spec, cache: Path, **more: Any) -> Iterator[tuple[Arm, Arm]]:
        yield ARMS

    monkeypatch.setattr(checker, "prepared", prepared)
    monkeypatch.setattr(checker, "ask", lambda arm: found.arms[arm.name])
    monkeypatch.setattr(checker, "Live", lambda **how: found.start)
    monkeypatch.setattr(scope, "is_of_workloads", lambda options, tree: True)
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


def test_ctrl_c_prints_and_keeps_the_verdicts_so_far(check: Check) -> None:
    check.interrupted_at = 20
    assert check.run() == 130
    assert "interrupted, the verdicts so far" in check.out
    assert "inconclusive" in check.out.splitlines()[-1]
    assert check.kept == {"base.json", "head.json", "verdicts.json"}


def test_ctrl_c_while_the_arms_are_prepared_is_one_line(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **more: object) -> contextlib.AbstractContextManager[tuple[Arm, Arm]]:
        raise KeyboardInterrupt

    monkeypatch.setattr(checker, "prepared", interrupted)
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
    def prepared(base: Spec, head: Spec, cache: Path, **more: Any) -> Iterator[tuple[Arm, Arm]]:
        specs.extend((base, head))
        yield ARMS

    monkeypatch.setattr(checker, "prepared", prepared)
    assert check.run(aa=True) == 0
    assert [spec.path for spec in specs] == [".", "."]
    assert "both arms are the same: 0 false alarms in 3 case checks" in check.out
    assert check.run() == 0
    assert [(spec.rev, spec.path) for spec in specs[2:]] == [("HEAD", None), (None, ".")]


# --- The history, and what to do next


@pytest.fixture
def two_commits(monkeypatch: pytest.MonkeyPatch) -> tuple[Revision, Revision]:
    commits = Revision("a" * 40, "2026-01-01T00:00:00Z"), Revision("b" * 40, "2026-01-02T00:00:00Z")
    monkeypatch.setattr(checker, "commits_of", lambda base, head, history: commits)
    return commits


def test_estimates_are_appended_to_the_history(check: Check, two_commits: tuple[Revision, Revision]) -> None:
    path = check.folder / "h.jsonl"
    check.seconds["head"] = 0.12
    assert check.run(history=path, json=check.folder / "v.json") == 1
    entries = read(path)
    assert [(entry.base, entry.head) for entry in entries] == [two_commits] * 3
    assert [entry.ratio for entry in entries] == [pytest.approx(1.2)] * 3
    assert f"history: 3 lines added: gilbench history {path}" in check.err
    assert load_verdicts(check.folder / "v.json").revisions == two_commits


@pytest.mark.parametrize("options", [{"aa": True}, {"inject": 0.1}])
def test_only_real_checks_are_kept_in_a_history(check: Check, options: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="leave out --aa and --inject"):
        check.run(history=check.folder / "h.jsonl", **options)
    assert check.started == 0


def test_a_broken_history_is_refused_before_anything_is_measured(check: Check) -> None:
    (check.folder / "h.jsonl").write_text("{")
    with pytest.raises(UserError, match=r"h\.jsonl:1 is not a line of a history"):
        check.run(history=check.folder / "h.jsonl")
    with pytest.raises(UserError, match="there is no folder"):
        check.run(history=check.folder / "none" / "h.jsonl")
    assert check.started == 0


def test_where_head_differs_the_next_command_is_named(check: Check) -> None:
    check.seconds["head"] = 0.12
    check.run(markdown=check.folder / "v.md")
    assert "gilbench check --base HEAD --profile w0" in check.out
    assert "gilbench check --base HEAD --profile w0" in (check.folder / "v.md").read_text()


def test_profiles_are_shown_instead_of_measuring(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker.profiles, "show", lambda subjects, arms: f"{len(subjects)} subjects\n")
    assert check.run(profile=True) == 0
    assert (check.out, check.started, check.kept) == ("1 subjects\n", 0, set())
