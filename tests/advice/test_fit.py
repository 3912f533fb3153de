"""The fit over all heats: its ratios agree with each other, and cover the truth."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from gilbench.advice.fit import Fit
from gilbench.advice.racing import Contender, Heat
from gilbench.advice.thresholds import NOISE

SYNC, THREADS, PROCESSES = Contender("sync"), Contender("threads", 1, 4), Contender("processes", 4)
CHUNKED = replace(PROCESSES, chunk=8)
CLUSTER = Contender("distributed", 4)


def made(times: dict[Contender, float], chance: random.Random, rounds: int = 5, noise: float = 0.05) -> Heat:
    """A heat of fresh processes, each with a layout of its own, on a machine that drifts by half."""
    layouts = {
        process: chance.lognormvariate(0, NOISE.layout)
        for process in sorted({contender.process for contender in times})
    }
    drift = [chance.uniform(1, 1.5) for _ in range(rounds)]
    return Heat(
        {
            contender: [truth * layouts[contender.process] * pace * chance.lognormvariate(0, noise) for pace in drift]
            for contender, truth in times.items()
        }
    )


def test_chunks_in_one_process_share_its_layout() -> None:
    fit = Fit([Heat({PROCESSES: [1.0, 1.01, 1.0], CHUNKED: [1.1, 1.11, 1.09], THREADS: [1.1, 1.11, 1.09]})])
    near, far = fit.ratio(CHUNKED, PROCESSES), fit.ratio(THREADS, PROCESSES)
    assert near
    assert far
    assert near.value == pytest.approx(far.value)
    assert near.low > 1.05
    assert far.low < 1.0 < far.high


@pytest.mark.parametrize("pair", [(SYNC, THREADS), (PROCESSES, CHUNKED), (SYNC, CLUSTER)])
def test_intervals_cover_the_truth_with_random_layouts(pair: tuple[Contender, Contender]) -> None:
    """Simulated: three heats, two of which each contender takes part in. Nominal 95 %, and at least 94 %."""
    truth = {SYNC: 1.0, THREADS: 0.6, PROCESSES: 0.5, CHUNKED: 0.52, CLUSTER: 0.55}
    chance, covered, tries = random.Random(7), 0, 1000
    for _ in range(tries):
        first = made({contender: truth[contender] for contender in (SYNC, THREADS, PROCESSES, CHUNKED)}, chance)
        second = made({contender: truth[contender] for contender in (PROCESSES, CHUNKED, CLUSTER)}, chance)
        third = made({contender: truth[contender] for contender in (SYNC, THREADS, CLUSTER)}, chance)
        found = Fit([first, second, third]).ratio(*pair)
        assert found
        covered += found.low <= truth[pair[0]] / truth[pair[1]] <= found.high
    assert covered / tries >= 0.94


def test_all_ratios_agree_and_are_each_other_s_inverse() -> None:
    chance = random.Random(3)
    fit = Fit([made({SYNC: 1.0, THREADS: 0.5}, chance), made({THREADS: 0.5, CLUSTER: 0.2, SYNC: 1.0}, chance)])
    over, back = fit.ratio(SYNC, CLUSTER), fit.ratio(CLUSTER, SYNC)
    first, second = fit.ratio(SYNC, THREADS), fit.ratio(THREADS, CLUSTER)
    assert over
    assert back
    assert first
    assert second
    assert over.value == pytest.approx(first.value * second.value)
    assert over.low == pytest.approx(1 / back.high)


def test_those_that_never_met_are_compared_by_way_of_others_and_less_surely() -> None:
    direct = Heat({SYNC: [1.0, 1.01, 1.0], THREADS: [0.5, 0.5, 0.51]})
    fit = Fit([direct, Heat({THREADS: [0.6, 0.6, 0.61], CLUSTER: [0.3, 0.3, 0.3]})])
    near, far = fit.ratio(SYNC, THREADS), fit.ratio(SYNC, CLUSTER)
    assert near
    assert far
    assert far.value == pytest.approx(4.0, rel=0.02)
    assert far.high / far.low > near.high / near.low
    assert (near.n, far.n) == (1, 0)


def test_who_has_left_counts_by_the_rounds_that_it_ran() -> None:
    """However slow the machine was then."""
    found = Fit([Heat({SYNC: [8.0, 1.0, 1.0, 1.0], THREADS: [4.0, 0.5, 0.5, 0.5], CLUSTER: [16.0, None, None, None]})])
    over = found.ratio(CLUSTER, SYNC)
    assert over
    assert over.value == pytest.approx(2.0)


@pytest.mark.parametrize(
    "heats",
    [
        [],
        [Heat({SYNC: [1.0]}), Heat({THREADS: [1.0]})],
        [Heat({SYNC: [1.0, None], THREADS: [None, 1.0]})],
        [Heat({SYNC: [1.0, 1.0], THREADS: [None, None]})],
        [Heat({SYNC: [None], THREADS: [None]})],
    ],
)
def test_those_that_never_met_at_all_have_no_ratio(heats: list[Heat]) -> None:
    assert Fit(heats).ratio(SYNC, THREADS) is None
