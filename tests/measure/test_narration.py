"""What a person reads before, during, and after a run; with scripted timings."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from gilbench.cases.case import Case
from gilbench.console import Lines, progress
from gilbench.errors import Failure
from gilbench.measure import narration
from gilbench.measure.narration import RunProgress, so_far
from gilbench.measure.rounds import Ledger, measure_into, run_rounds
from gilbench.results.records import Observation, Probing, Result
from tests.scripted import MACHINE, Script, noisy, plan


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_have_round_cases_times_and_the_estimate_so_far() -> None:
    out = io.StringIO()
    run_rounds(Ledger(plan(cases=2)), Script(noisy(0.01)), [RunProgress(Lines(out))])
    lines = out.getvalue().splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("round 1  0/2 cases done  0 s gone, about ")
    assert "(n=1)" in lines[0]
    assert lines[-1].startswith("round 3") and "(n=3)" in lines[-1] and "±" in lines[-1]


def test_a_failure_is_named_when_it_happens() -> None:
    ledger = Ledger(plan(cases=1))
    run_rounds(ledger, Script(failures={"w0:default:sync:1x1": Failure("timeout", "no answer within 1 s")}))
    assert so_far(ledger.plan.cases[0], ledger) == "w0:default:sync:1x1: failed: timeout: no answer within 1 s"


def test_the_bar_ends_and_leaves_nothing_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    with progress(out) as shown:
        run_rounds(Ledger(plan(cases=2)), Script(), [RunProgress(shown)])
    assert "round 3  0/2 cases done" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K"), "the line of the bar is wiped"


def test_the_time_to_go_counts_what_each_open_case_still_needs() -> None:
    ledger = Ledger(plan(cases=3, max_time=1000.0))
    times = []

    class Watch:
        def starting(self, order: object, ledger: Ledger) -> None: ...

        def observed(self, observation: Observation, ledger: Ledger) -> None:
            times.append(ledger.time_left())

    run_rounds(ledger, Script(seconds=10.0), [Watch()])
    # Nine observations of 10 s; the last round's cases are still open until it ends, so each is good for one more.
    assert times[:3] == [80.0, 70.0, 60.0]
    assert ledger.time_left() == 0.0


def test_the_limit_bounds_the_time_to_go() -> None:
    ledger = Ledger(plan(cases=50, max_time=30.0))
    run_rounds(ledger, Script(seconds=10.0))
    assert ledger.time_left() == 0.0


def test_the_introduction_says_how_much_how_long_and_what_is_left_out() -> None:
    text = narration.introduction(replace(plan(cases=2, max_time=90.0), left_out=("loky: not installed",)), done=4)
    assert text.splitlines() == [
        "2 cases, at most 1 min 30 s; each until its 95 % interval is within ±10% or it was measured 8 times "
        "(profile default, seed 1)",
        "continuing after 4 observations",
        "left out: loky: not installed",
    ]


def test_the_conclusion_names_what_stopped_what_failed_and_what_was_not_measured(tmp_path: Path) -> None:
    cases = [Case(f"w{i}", "default", "sync") for i in range(4)]
    script = Script(noisy(0.01), failures={"w1:default:sync:1x1": Failure("killed", "killed by SIGKILL")}, seconds=10.0)
    result = measure_into(Result("r", plan(cases, max_time=25.0), MACHINE), tmp_path / "r.json", script)
    text = narration.conclusion(result, Path("results/r.json"))
    measured = {o.case.workload for o in result.observations}
    assert "3 observations of 4 cases in 30 s" in text
    assert "1 cases were not measured at all (max time)" in text
    assert ("failed: w1:default:sync:1x1: killed: killed by SIGKILL" in text) == ("w1" in measured)
    assert text.splitlines()[-1] == (
        "next: gilbench show results/r.json, gilbench claims results/r.json, gilbench plot results/r.json"
    )


def test_the_introduction_says_that_probes_follow() -> None:
    lines = narration.introduction(plan(cases=2), done=0, probed=True).splitlines()
    assert lines[1] == "then the probes, about 15 s for each of 2 workloads and for the schedulers"


def test_each_reason_why_something_was_not_probed_is_a_line() -> None:
    absent, short = "no /proc here", "the compute is too short"
    probes = (
        Probing("sleep", "tiny", {}, {"gil": {"sync": absent, "threads": absent}, "timeline": {"sync": short}}),
        Probing("sort", "tiny", {}, {"gil": {"sync": absent}, "memory": {"sync": absent}}),
        Probing("", "tiny", {}, {"granularity": {"threads": short}}),
    )
    assert list(narration.unavailable(probes)) == [
        f"unavailable: gil of sleep, sort; memory of sort: {absent}",
        f"unavailable: timeline of sleep; granularity of the schedulers: {short}",
    ]


def test_where_nothing_was_measured_there_is_no_result_to_look_at() -> None:
    text = narration.conclusion(Result("r", plan(cases=2), MACHINE), Path("results/r.json"))
    assert text == "nothing was measured, because the time was up before a case finished: raise --max-time\n"
