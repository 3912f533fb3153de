"""The measuring loop: order, precision, failures, time limits, resume; all with scripted timings."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.errors import Failure, UserError
from gilbench.measure.rounds import (
    FAILED,
    INTERRUPTED,
    MAXIMUM,
    PRECISION,
    TIME_UP,
    Interrupted,
    Ledger,
    measure_into,
    run_rounds,
)
from gilbench.measure.workers import OutOfTimeError
from gilbench.results.journal import Journal, read_journal
from gilbench.results.records import Observation, Result
from gilbench.results.result_file import load
from tests.scripted import MACHINE, Script, noisy, plan


def measured(script: Script, **changes: object) -> Ledger:
    ledger = Ledger(plan(**changes))  # type: ignore[arg-type]
    run_rounds(ledger, script)
    return ledger


def test_every_round_has_every_case_once_in_a_random_order() -> None:
    script = Script(noisy(0.5))
    measured(script, cases=6, max_observations=4)
    rounds = [[name for round_, name in script.sequence if round_ == r] for r in range(3)]
    assert all(sorted(names) == sorted(rounds[0]) and len(names) == 6 for names in rounds)
    assert len({tuple(names) for names in rounds}) == 3, "rounds must not repeat one order"


def test_the_same_seed_gives_the_same_orders_and_layouts_and_another_gives_others() -> None:
    first, again, other = Script(), Script(), Script()
    measured(first, cases=5)
    measured(again, cases=5)
    measured(other, cases=5, seed=2)
    assert first.orders == again.orders
    assert first.sequence != other.sequence
    assert len({order.seed for order in first.orders}) == len(first.orders), "every observation draws its own layout"


def test_a_quiet_case_stops_at_the_minimum_for_precision_and_a_noisy_one_goes_on_to_the_maximum() -> None:
    def value(case: Case, round_: int) -> float:
        return noisy(0.6)(case, round_) if case.workload == "w0" else noisy(0.001)(case, round_)

    ledger = measured(Script(value), cases=3, min_observations=3, max_observations=7, precision=0.05)
    by_name = {case.workload: (len(ledger.of(case)), ledger.stops[case]) for case in ledger.plan.cases}
    assert by_name == {"w0": (7, MAXIMUM), "w1": (3, PRECISION), "w2": (3, PRECISION)}


def test_precision_is_reached_where_more_processes_narrow_the_interval() -> None:
    ledger = measured(Script(noisy(0.05)), cases=8, max_observations=200, precision=0.04, max_time=1e9)
    counts = [len(ledger.of(case)) for case in ledger.plan.cases]
    assert set(ledger.stops.values()) == {PRECISION}
    assert 4 < max(counts) < 60


def test_a_failed_case_ends_and_all_others_go_on() -> None:
    script = Script(failures={"w1:default:sync:1x1": Failure("raised", "ValueError: no")})
    ledger = measured(script, cases=3)
    assert [len(ledger.of(case)) for case in ledger.plan.cases] == [3, 1, 3]
    assert ledger.stops[ledger.plan.cases[1]] == FAILED


def test_max_time_counts_what_observations_took_and_says_which_cases_it_stopped() -> None:
    script = Script(noisy(0.5), seconds=10.0)
    ledger = measured(script, cases=3, max_time=45.0)
    assert len(script.orders) == 5
    assert set(ledger.stops.values()) == {TIME_UP}


def test_an_observation_that_the_end_of_the_run_cut_off_is_no_failure() -> None:
    def start(order: Order) -> Observation:
        if len(script.orders) == 4:
            raise OutOfTimeError
        return script(order)

    script = Script()
    ledger = Ledger(plan(cases=3))
    run_rounds(ledger, start)
    assert len(ledger.observations) == 4
    assert set(ledger.stops.values()) == {TIME_UP}


def test_the_first_observation_fixes_loops_and_values_for_all_later_ones() -> None:
    script = Script(noisy(0.5))
    measured(script, cases=1, max_observations=4)
    assert [(order.loops, order.values) for order in script.orders] == [(None, None), (1, 3), (1, 3), (1, 3)]


def test_a_collection_is_called_both_ways_by_turns() -> None:
    from dataclasses import replace

    script = Script()
    run_rounds(Ledger(replace(plan(cases=2), collections=("w0",))), script)
    calls = {name: [o.call for o in script.orders if o.case.workload == name] for name in ("w0", "w1")}
    assert calls == {"w0": ["function", "method", "function"], "w1": ["function"] * 3}


class Crash(BaseException):
    """The machine loses power: not even the `finally` of the run should matter."""


@pytest.mark.parametrize("after", [0, 1, 4, 7, 11])
def test_a_crash_anywhere_then_resume_ends_with_what_an_undisturbed_run_would_have_made(
    tmp_path: Path, after: int
) -> None:
    the_plan = plan(cases=4, max_observations=5)
    whole = measure_into(Result("whole", the_plan, MACHINE), tmp_path / "whole.json", Script(noisy(0.08)))

    def crash(order: Order) -> Observation:
        if len(crashing.orders) == after:
            raise Crash
        return crashing(order)

    crashing, path = Script(noisy(0.08)), tmp_path / "broken.json"
    with pytest.raises(Crash):
        measure_into(Result("broken", the_plan, MACHINE), path, crash)
    with path.with_suffix(".jsonl").open("ab") as journal:
        journal.write(b'{"case": {"workload"')  # the line in flight when the power went
    before = read_journal(path.with_suffix(".jsonl"))
    assert len(before.observations) == after
    resumed = measure_into(before, path, Script(noisy(0.08)), resume=True)
    assert resumed.observations == whole.observations
    assert resumed.stops == whole.stops
    assert not path.with_suffix(".jsonl").exists()
    ours, theirs = load(path), load(tmp_path / "whole.json")
    assert (ours.observations, ours.stops, ours.plan) == (theirs.observations, theirs.stops, theirs.plan)


def test_ctrl_c_keeps_what_is_measured_in_a_result_file_and_says_how_to_go_on(tmp_path: Path) -> None:
    def interrupt(order: Order) -> Observation:
        if len(script.orders) == 5:
            raise KeyboardInterrupt
        return script(order)

    script, path = Script(noisy(0.3)), tmp_path / "mine.json"
    with pytest.raises(
        Interrupted, match=r"5 observations are kept in .*mine.json; continue with .*--resume --name mine"
    ):
        measure_into(Result("mine", plan(cases=3), MACHINE), path, interrupt)
    kept = load(path)
    assert len(kept.observations) == 5
    assert set(kept.stops.values()) == {INTERRUPTED}
    resumed = measure_into(read_journal(path.with_suffix(".jsonl")), path, Script(noisy(0.3)), resume=True)
    assert len(resumed.observations) > 5
    assert INTERRUPTED not in resumed.stops.values()


def test_ctrl_c_says_which_options_are_needed_to_go_on(tmp_path: Path) -> None:
    def interrupt(order: Order) -> Observation:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"`gilbench run --resume --name mine --python 3.13t`$"):
        measure_into(Result("mine", plan(cases=3), MACHINE), tmp_path / "mine.json", interrupt, again=" --python 3.13t")


def test_every_observation_is_on_disk_before_the_next_starts(tmp_path: Path) -> None:
    journal, counts = tmp_path / "a.jsonl", []

    def start(order: Order) -> Observation:
        counts.append(len(journal.read_text().splitlines()) - 1)
        return script(order)

    script = Script()
    measure_into(Result("a", plan(cases=2), MACHINE), tmp_path / "a.json", start)
    assert counts == list(range(len(script.orders)))


def test_a_full_disk_is_one_clear_line_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "a.jsonl", plan(), MACHINE, new=True)
    real, first = os.fsync, Script()(Order(plan().cases[0], 0, 1, "function", 0.1))
    journal.add(first)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        UserError, match=r"cannot write .*a.jsonl: No space left on device; what was measured .* --resume"
    ):
        journal.add(first)
    monkeypatch.setattr(os, "fsync", real)
    assert first in read_journal(tmp_path / "a.jsonl").observations


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    Journal(tmp_path / "a.jsonl", plan(), MACHINE, new=True).close()
    with pytest.raises(UserError, match="cannot write"):
        Journal(tmp_path / "a.jsonl", plan(), MACHINE, new=True)


def test_orders_travel_as_json() -> None:
    order = Order(Case("w", "tiny", "threads", 1, 2, False, "memory"), 3, 4, "method", 0.5, 2, 5)
    assert Order.from_json(json.loads(json.dumps(order.as_json()))) == order


def test_the_first_pools_of_a_case_are_spawned_so_that_starting_them_is_timed_and_later_ones_are_forked() -> None:
    script = Script(noisy(0.5))
    start = script.__call__

    def pooled(order: Order) -> Observation:
        observed = start(order)
        pools = "spawn" if order.spawns or order.round == 1 else "fork"  # in round 1 the worker could not be forked
        return replace(observed, metadata={**observed.metadata, "pools": pools})

    ledger = Ledger(plan(cases=2, max_observations=5))
    run_rounds(ledger, pooled)
    for case in ledger.plan.cases:
        assert [order.spawns for order in script.orders if order.case == case] == [True, True, False, False, False]
