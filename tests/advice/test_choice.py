"""Who won, and who races again: from scripted heats."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gilbench.advice import choice, wording
from gilbench.advice.choice import advised, clearly_lost, speedups_over_sync, undecided
from gilbench.advice.fit import Fit
from gilbench.advice.racing import Contender, Heat
from gilbench.advice.thresholds import DECISION
from gilbench.errors import UserError
from gilbench.stats import Estimate
from tests.advice.scripted_heats import CLUSTER, FACTS, LOKY, PROCESSES, SYNC, THREADS, given, heats


def test_other_processes_need_not_start_where_processes_lost_by_far() -> None:
    (close,) = heats({SYNC: 1.0, THREADS: 0.5, PROCESSES: 0.9}, count=1)
    assert clearly_lost(close) is None
    (far,) = heats({SYNC: 1.0, THREADS: 0.5, PROCESSES: 1.5, replace(PROCESSES, chunk=4): 1.2}, count=1)
    assert clearly_lost(far) == "processes 4x1, 4 items per task takes 2.4x as long as threads 1x4"
    (without,) = heats({SYNC: 1.0, THREADS: 0.5}, count=1)
    assert clearly_lost(without) is None


def test_the_fastest_is_advised() -> None:
    found = given({SYNC: 0.4, THREADS: 0.11, PROCESSES: 0.2})
    assert (found.chosen, found.verdict) == (THREADS, "best")
    assert found.speedup.value == pytest.approx(0.4 / 0.11, rel=0.01)
    assert found.speedup.low < 0.4 / 0.11 < found.speedup.high


@pytest.mark.parametrize(
    ("times", "chosen"),
    [
        ({SYNC: 1.0, THREADS: 0.99, PROCESSES: 1.01}, SYNC),
        ({SYNC: 1.0, THREADS: 0.51, PROCESSES: 0.50}, THREADS),
        ({SYNC: 1.0, PROCESSES: 0.51, LOKY: 0.505, CLUSTER: 0.5}, PROCESSES),
    ],
)
def test_of_what_was_about_as_fast_the_simpler_is_taken_and_the_words_say_what_is_open(
    times: dict[Contender, float], chosen: Contender
) -> None:
    """A few heats leave more than 5 % open, because each process has a layout of its own."""
    found = given(times)
    assert (found.chosen, found.verdict) == (chosen, "undecided")
    assert 0 < found.rival_gain < 0.25
    assert f"may be up to {found.rival_gain:.0%} faster" in wording.outcome(found)
    assert len({contender.scheduler for contender in found.equal}) > 1


@pytest.mark.parametrize(
    ("rivals", "verdict"),
    [
        ([], "best"),
        ([Estimate(1.0, 0.97, 1.03, 9)], "no difference"),
        ([Estimate(1.0, 0.96, 1.049, 9), Estimate(0.99, 0.953, 1.02, 9)], "no difference"),
        ([Estimate(1.0, 0.97, 1.03, 9), Estimate(0.98, 0.90, 1.06, 9)], "undecided"),
        ([Estimate(0.94, 0.87, 1.01, 9)], "undecided"),
    ],
)
def test_the_verdict_says_no_more_than_the_intervals(rivals: list[Estimate], verdict: str) -> None:
    assert choice._verdict(rivals) == verdict


def test_a_winner_is_named_only_where_its_interval_against_every_other_scheduler_lies_above_one() -> None:
    for times in ({SYNC: 0.4, THREADS: 0.11, PROCESSES: 0.2}, {SYNC: 1.0, THREADS: 0.9}, {SYNC: 1.0, THREADS: 0.96}):
        found, fit = given(times), Fit(heats(times))
        ratios = [fit.ratio(other, found.chosen) for other in times if other.scheduler != found.chosen.scheduler]
        surely = all(ratio and ratio.low > 1 for ratio in ratios)
        assert (found.verdict == "best") == surely, times


def test_beyond_five_percent_the_faster_is_taken() -> None:
    found = given({SYNC: 1.0, THREADS: 0.55, PROCESSES: 0.5})
    assert (found.chosen, found.verdict) == (PROCESSES, "best")


def test_it_cannot_tell_where_noise_leaves_a_quarter_open() -> None:
    found = given({SYNC: 1.0, THREADS: 1.02}, count=1, noise=0.5)
    assert found.verdict == "cannot tell"
    assert wording.outcome(found).startswith("cannot tell")


def test_a_chunk_needs_a_reason() -> None:
    facts = replace(FACTS, items=400, taken=400)
    plain, chunked = THREADS, replace(THREADS, chunk=10)
    assert given({SYNC: 1.0, plain: 0.5, chunked: 0.495}, facts).chosen == plain
    assert given({SYNC: 1.0, plain: 0.6, chunked: 0.5}, facts).chosen == chunked


def test_who_has_left_is_not_chosen_and_who_failed_is_named() -> None:
    found = heats({SYNC: 0.4, THREADS: 0.3})[:1]
    found[0].times[PROCESSES] = [None]
    found[0].failed[PROCESSES] = "PicklingError: cannot pickle"
    advice = advised("mine.py:f", FACTS, found, {}, once=False, cpus=4)
    assert advice.chosen == THREADS
    assert advice.status[PROCESSES] == "PicklingError: cannot pickle"
    assert "PicklingError" in wording.page(advice)


def test_nothing_that_runs_is_an_error() -> None:
    nothing = Heat({SYNC: [None]}, failed={SYNC: "raised"})
    with pytest.raises(UserError, match=r"'mine.py:f' could not be raced: raised"):
        advised("mine.py:f", FACTS, [nothing], {SYNC: "raised"}, once=False, cpus=4)


def test_speed_up_of_one_that_never_met_sync_goes_by_way_of_a_third() -> None:
    first = heats({SYNC: 1.0, THREADS: 0.5}, count=1)
    second = heats({THREADS: 0.5, CLUSTER: 0.25}, count=1)
    all_ = speedups_over_sync([*first, *second])
    found, direct = all_[CLUSTER], all_[THREADS]
    assert found
    assert direct
    assert found.value == pytest.approx(4.0, rel=0.01)
    assert found.high / found.low > direct.high / direct.low


def test_those_too_close_race_again_one_of_each_scheduler_and_three_at_most() -> None:
    found = heats({SYNC: 1.0, THREADS: 0.5, PROCESSES: 0.52, LOKY: 0.5, CLUSTER: 0.53}, count=1)
    found[-1].left[SYNC] = "left after 2 rounds"
    again = undecided(found)
    assert len(again) == DECISION.closest
    assert len({contender.scheduler for contender in again}) == len(again)
    clear = heats({THREADS: 0.5, PROCESSES: 0.8}, count=1)
    assert undecided(clear) == []


def test_other_chunks_race_again_while_they_may_be_better() -> None:
    chunked = replace(THREADS, chunk=4)
    assert undecided(heats({THREADS: 0.5, chunked: 0.51}, noise=0.1)) == [THREADS, chunked]
    assert undecided(heats({THREADS: 0.5, chunked: 0.51}, noise=0.001)) == []  # no better than by 3 %
    other = replace(PROCESSES, chunk=4)
    found = undecided(heats({THREADS: 0.5, PROCESSES: 0.51, other: 0.511}, count=1, noise=0.1))
    assert found == [THREADS, PROCESSES, other]


def test_the_reason_of_those_that_raced_goes_before_that_of_those_that_did_not() -> None:
    failing = Heat({SYNC: [None]}, failed={SYNC: "failed: raised ValueError"})
    with pytest.raises(UserError, match="could not be raced: failed: raised ValueError"):
        advised("mine.py:f", FACTS, [failing], {THREADS: "not raced: no time was left"}, once=False, cpus=4)
    with pytest.raises(UserError, match="could not be raced: not raced"):
        advised("mine.py:f", FACTS, [], {THREADS: "not raced: no time was left"}, once=False, cpus=4)
