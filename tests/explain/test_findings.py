"""What a result says to somebody who has to choose: decided from intervals, and silent where they overlap."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import pytest

from gilbench.cases.case import Case
from gilbench.errors import Failure
from gilbench.explain import findings
from gilbench.results.records import Probing
from gilbench.results.summary import CaseSummary, FailedCase, Summary
from gilbench.results.verdicts import Line, Verdicts
from gilbench.stats import Estimate
from tests.scripted import MACHINE, verdicts

SYNC = 0.1


def case(workload: str, scheduler: str, speedup: float, width: float = 0.05, **facts: object) -> CaseSummary:
    """A case that is `speedup` times as fast as sync, known to ±width."""
    shape = {"threads": (1, 2), "default": (1, 2), "sync": (1, 1)}.get(scheduler, (2, 1))
    seconds, n = SYNC / speedup, 5
    return CaseSummary(
        Case(workload, "default", scheduler, *shape), "family",
        Estimate(seconds, seconds / (1 + width), seconds * (1 + width), n),
        Estimate(speedup, speedup / (1 + width), speedup * (1 + width), n),
        (seconds * 0.98, seconds, seconds * 1.02), None, None, 8, 2, 0, facts.pop("flags", ()), "precision", **facts,
    )  # fmt: skip


def summary(*cases: CaseSummary, **facts: object) -> Summary:
    sync = [case(name, "sync", 1.0) for name in dict.fromkeys(measured.case.workload for measured in cases)]
    return Summary("r", MACHINE, (*sync, *cases), (), **facts)


def gil(workload: str, size: str, held: float) -> Probing:
    found = {"held": held, "low": held - 0.01, "high": held + 0.01, "switches_per_second": 0.0}
    return Probing(workload, size, {"gil": {"sync": found}}, {})


def said(of: Summary) -> dict[str, findings.Finding]:
    return {finding.title: finding for finding in findings.of_summary(of)}


def test_it_says_what_to_use_processes_and_threads_for_with_both_intervals() -> None:
    found = said(
        summary(
            case("loop", "threads", 0.9), case("loop", "processes", 1.9),
            case("loop_too", "threads", 0.9), case("loop_too", "processes", 1.5),
            case("sort", "threads", 1.8), case("sort", "processes", 1.2),
        )
    )  # fmt: skip
    processes, threads = found["Use processes for"], found["Use threads for"]
    assert processes.figure == "2 of 3 workloads"
    assert "loop: 1.90x (1.81x to 1.99x)" in processes.text
    assert "threads reach 0.900x (0.857x to 0.945x)" in processes.text
    assert "The same goes for loop_too" in processes.text
    assert (threads.figure, "sort: 1.80x" in threads.text) == ("1 of 3 workloads", True)


def test_where_intervals_overlap_nothing_is_recommended_and_that_is_said() -> None:
    found = said(summary(case("a", "threads", 1.1, 0.3), case("a", "processes", 1.2, 0.3)))
    assert list(found) == ["This result cannot decide for"]
    assert found["This result cannot decide for"].figure == "1 of 1 workload"


def test_the_winner_is_the_one_that_is_ahead_for_certain_not_the_largest_number() -> None:
    found = said(
        summary(
            case("wild", "threads", 1.0, 0.05), case("wild", "processes", 3.0, 1.5),
            case("sure", "threads", 1.0, 0.05), case("sure", "processes", 2.0, 0.02),
        )
    )  # fmt: skip
    assert "The clearest case is sure" in found["Use processes for"].text


def test_a_workload_that_nothing_speeds_up_stays_with_sync() -> None:
    found = said(summary(case("small", "threads", 0.5), case("small", "processes", 0.95, 0.01)))
    assert "small" in found["Stay with sync for"].text


def test_a_flag_of_the_winner_is_said_with_it() -> None:
    found = said(summary(case("a", "threads", 3.0, flags=("beyond the ideal 2x",)), case("a", "processes", 1.0)))
    assert "Beware: beyond the ideal 2x." in found["Use threads for"].text


def test_what_the_gil_probe_found_is_said_of_the_same_size_only() -> None:
    cases = (case("loop", "threads", 0.9), case("loop", "processes", 1.9))
    probed = summary(*cases, probes=(gil("loop", "default", 0.98),))
    assert "holds the GIL 98% (97% to 99%) of the time" in said(probed)["Use processes for"].text
    other = summary(*cases, probes=(gil("loop", "small", 0.98),))
    assert "GIL" not in said(other)["Use processes for"].text


def test_a_default_that_costs_much_is_said_and_one_that_costs_little_is_not() -> None:
    def bag(default: float) -> Summary:
        return summary(
            case("bag", "threads", 0.9),
            case("bag", "processes", 2.0),
            case("bag", "default", default, ran_on="processes"),
        )

    costly = said(bag(0.4))["Do not leave the choice to dask"]
    assert costly.figure == "5.00x the time"
    assert "which start anew for every compute" in costly.text and "processes that are kept" in costly.text
    assert "Do not leave the choice to dask" not in said(bag(1.9))


def test_the_costliest_mistake_is_the_largest_certain_loss() -> None:
    found = said(
        summary(
            case("a", "threads", 1.9), case("a", "processes", 0.1), case("a", "loky", 0.09, 2.0),
        )
    )  # fmt: skip
    assert "a takes 19.0x" in found["The costliest mistake"].text
    assert "on processes as on threads: 1.00 s instead of 52.6 ms" in found["The costliest mistake"].text


def test_a_failure_is_never_beaten() -> None:
    measured = summary(case("a", "threads", 1.9))
    failed = FailedCase(Case("a", "default", "processes", 2, 1), Failure("timeout", "no answer in 60 s"))
    assert "Use threads for" in said(measured)
    assert "Use threads for" not in said(replace(measured, failures=(failed,)))


def test_there_are_at_most_three_and_none_of_nothing() -> None:
    many = summary(
        case("a", "threads", 0.9), case("a", "processes", 1.9), case("b", "threads", 1.9), case("b", "processes", 0.2),
        case("c", "threads", 0.5), case("c", "processes", 0.4), case("b", "default", 0.1),
    )  # fmt: skip
    assert len(findings.of_summary(many)) == 3
    assert findings.of_summary(Summary("r", {}, (), ())) == []


# --- Noise


def test_noise_is_that_of_the_middlemost_case() -> None:
    known = findings.noise(summary(case("a", "threads", 1.0, 0.1), case("b", "threads", 1.0, 0.1)))
    assert (known.cases, known.observations) == (4, 12)
    assert known.speedups == pytest.approx(0.1)
    assert known.spread == pytest.approx(math.expm1(math.sqrt(2) * 0.02), rel=0.01)


def test_noise_of_single_processes_is_not_known() -> None:
    alone = replace(
        case("a", "threads", 1.0), estimate=Estimate(0.1, 0.0, math.inf, 1), observations=(0.1,), speedup=None
    )
    known = findings.noise(Summary("r", {}, (alone,), ()))
    assert math.isinf(known.times) and math.isnan(known.speedups) and math.isnan(known.spread)
    assert math.isnan(findings.noise(Summary("r", {}, (), ())).times)


# --- Several results, and checks


def test_between_two_results_the_largest_certain_change_of_a_speed_up_is_stated() -> None:
    before = summary(case("loop", "threads", 0.9), case("sort", "threads", 1.5), case("wild", "threads", 0.5, 3.0))
    after = replace(
        summary(case("loop", "threads", 1.9), case("sort", "threads", 1.8), case("wild", "threads", 2.0, 3.0)), name="t"
    )
    (found,) = findings.between(before, after)
    assert (found.title, found.figure) == ("From r to t", "2 of 3 speed-ups differ")
    assert "loop on threads: 0.900x (0.857x to 0.945x) over sync in r and 1.90x (1.81x to 1.99x) in t" in found.text
    (same,) = findings.between(before, replace(before, name="again"))
    assert same.figure == "0 of 3 speed-ups differ"


def test_results_without_a_common_case_have_a_finding_too() -> None:
    (found,) = findings.between(summary(case("a", "threads", 1.0)), summary(case("b", "threads", 1.0)))
    assert (found.figure, found.text) == (
        "nothing to compare",
        "The results share no case that has a speed-up in both.",
    )


def test_how_far_intervals_reach_is_stated_in_a_form_that_fits() -> None:
    assert [findings.within(reach) for reach in (0.05, 0.99, 1.0, 2.2)] == [
        "±5%",
        "±99%",
        "a factor of 2.00",
        "a factor of 3.20",
    ]


def test_a_check_states_the_worst_the_best_and_what_it_cannot_decide() -> None:
    worst, best, unclear = findings.of_verdicts(verdicts())
    assert (worst.title, worst.figure) == ("w-slowest got slower", "+150.0%")
    assert "from +125.0% to +175.0%" in worst.text and "So did 1 more case" in worst.text
    assert (best.title, best.figure) == ("w-fastest improved", "-50.0%")
    assert unclear.figure == "4 of 9"


def test_a_check_without_a_regression_says_so() -> None:
    lines = (Line("a", "same", 1.0, 0.99, 1.01, n=9), Line("b", "same", 1.0, 0.99, 1.01, n=9))
    (found,) = findings.of_verdicts(Verdicts("x", "y", lines))
    assert (found.title, found.figure) == ("No case is slower beyond doubt", "2")
    assert findings.of_verdicts(Verdicts("x", "y", ())) == []
    (broken,) = findings.of_verdicts(
        Verdicts("x", "y", (Line("a", "regression", reason="head: killed: SIGSEGV", n=3),))
    )
    assert (broken.figure, "SIGSEGV" in broken.text) == ("fails", True)


def test_findings_need_no_picture() -> None:
    code = "import sys, gilbench.explain.findings; assert not {'matplotlib', 'dask'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
