"""What all workers bring, taken apart: an exact identity, and each planted kind of loss is named, from scripted figures."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilbench.cases.case import Case
from gilbench.cases.plan import arms_of
from gilbench.cases.watching import UNWATCHED, TaskFigures
from gilbench.explain import chains, efficiencies
from gilbench.explain.chains import Chain
from gilbench.explain.efficiencies import (
    COPYING,
    CPU,
    DEPENDENT,
    FACTORS,
    FEW_TASKS,
    GIL,
    GIL_OR_LOCK,
    INNER,
    LOCK,
    SLOWER,
    TASK_COST,
    UNEVEN,
)
from gilbench.process.levels import LEVELED
from gilbench.results.records import Probing
from gilbench.results.summary import Summary, summarize
from tests.results.test_summary import observed, result
from tests.scripted import observation

THREADS = Case("w", "default", "threads", 1, 2, level=LEVELED)
PROCESSES = Case("w", "default", "processes", 2, 1, level=LEVELED)
ROUNDS = 6
positive = st.floats(1e-6, 1e3)
figures = st.builds(TaskFigures, positive, positive, positive, positive, positive, positive)

# With one worker: ten tasks of 10 ms, and 1 ms in all for the scheduler.
ONE = TaskFigures(wall=0.100, cpu=0.100, busiest=0.100, longest=0.010, critical=0.010, elapsed=0.101)
IDEAL = replace(ONE, busiest=0.050, elapsed=0.0505)


@given(one=figures, many=figures, workers=st.integers(2, 64), timed=positive)
def test_the_factors_multiply_to_what_the_workers_bring(
    one: TaskFigures, many: TaskFigures, workers: int, timed: float
) -> None:
    found = efficiencies.identity(one, many, workers, timed)
    assert tuple(found) == FACTORS
    assert workers * math.prod(found.values()) == pytest.approx(timed, rel=1e-9)


def noisy(seen: TaskFigures, draw: random.Random, sd: float) -> TaskFigures:
    """All of a machine's moods: each figure wobbles by itself, and elapsed holds what the busiest worker did."""

    def wobble() -> float:
        return draw.lognormvariate(0.0, sd)

    mood = wobble()
    wall, cpu, busiest, gaps = (wobble() for _ in range(4))
    return TaskFigures(
        seen.wall * mood * wall,
        seen.cpu * mood * wall * cpu,
        seen.busiest * mood * wall * busiest,
        seen.longest * mood * wall,
        seen.critical * mood * wall,
        seen.elapsed * mood * wall * busiest * gaps,
    )


def scripted(
    many: TaskFigures,
    case: Case = THREADS,
    one: TaskFigures = ONE,
    *,
    held: float | None = None,
    seed: int = 1,
    sd: float = 0.003,
    rounds: int = ROUNDS,
    sync: dict[str, object] | None = None,
    **facts: object,
) -> Summary:
    """A result in which all arms of a chain were measured, and the tasks of two of them watched."""
    draw = random.Random(seed)
    as_is_sync, leveled_sync, single, whole, as_is = arms_of(case)
    runs = []
    for round_ in range(rounds):
        for arm, seen in ((as_is_sync, one), (leveled_sync, one), (single, one), (whole, many), (as_is, many)):
            mine = noisy(seen, draw, sd)
            watched = mine.as_metadata() if arm in (single, whole) else sync or {}
            order = observed(arm, 0.1)[0]
            run = observation_of(arm, round_, mine.elapsed * draw.lognormvariate(0.0, sd), {**watched, **facts})
            runs.append(replace(run, call=order.call))
    found = summarize(result(*runs))
    if held is not None:
        data = {"gil": {"sync": {"held": held, "low": max(0.0, held - 0.02), "high": held + 0.02}}}
        found = replace(found, probes=(Probing("w", "default", data, {}),))
    return found


def observation_of(case: Case, round_: int, value: float, facts: dict[str, object]):  # type: ignore[no-untyped-def]
    from gilbench.cases.order import Order

    return observation(Order(case, round_, 1, "function", 0.1), value, **facts)


def chain(many: TaskFigures, case: Case = THREADS, one: TaskFigures = ONE, **more: object) -> Chain:
    (found,) = chains.chains(scripted(many, case, one, **more))  # type: ignore[arg-type]
    return found


SLOW = replace(IDEAL, wall=0.160, cpu=0.160, busiest=0.080, longest=0.016, critical=0.016, elapsed=0.0805)
WAITS = replace(SLOW, cpu=0.100)
ALL_ON_ONE = replace(ONE, critical=0.100)  # one thread has the whole chain
BY_TURNS = replace(ALL_ON_ONE, busiest=0.050)  # two threads have the links in turns
LOPSIDED = replace(IDEAL, busiest=0.080, longest=0.075, critical=0.075, elapsed=0.0805)
TINY = replace(ONE, wall=0.010, cpu=0.010, busiest=0.010, longest=0.0001, critical=0.0001)
TINY_TWO = replace(TINY, busiest=0.005, elapsed=0.100)
SINGLE = replace(ONE, longest=0.100, critical=0.100)


@pytest.mark.parametrize(
    ("many", "one", "case", "more", "name", "factor"),
    [
        (SLOW, ONE, THREADS, {}, SLOWER, 0.625),
        (SLOW, ONE, PROCESSES, {}, SLOWER, 0.625),
        (WAITS, ONE, THREADS, {"held": 0.6}, GIL, 0.625),
        (WAITS, ONE, THREADS, {"held": 0.03}, LOCK, 0.625),
        (WAITS, ONE, THREADS, {}, GIL_OR_LOCK, 0.625),
        (WAITS, ONE, PROCESSES, {"held": 0.9}, CPU, 0.625),
        (WAITS, ONE, THREADS, {"sync": {"cpu_over_wall": 1.8}}, INNER, 0.625),
        (ALL_ON_ONE, ALL_ON_ONE, THREADS, {}, DEPENDENT, 0.5),
        (BY_TURNS, ALL_ON_ONE, THREADS, {}, DEPENDENT, 0.5),
        (LOPSIDED, replace(ONE, longest=0.075), THREADS, {}, UNEVEN, 0.625),
        (SINGLE, SINGLE, THREADS, {"tasks": 1}, FEW_TASKS, 0.5),
        (TINY_TWO, TINY, THREADS, {}, TASK_COST, 0.505),
        (TINY_TWO, TINY, PROCESSES, {"moved_bytes": 1 << 24}, COPYING, 0.505),
    ],
)
def test_each_planted_kind_is_named_with_its_factor_and_nothing_else(
    many: TaskFigures, one: TaskFigures, case: Case, more: dict[str, object], name: str, factor: float
) -> None:
    found = chain(many, case, one, **more)
    assert found.workers is not None
    assert [loss.name for loss in found.workers.lost] == [name]
    assert found.workers.lost[0].factor.value == pytest.approx(factor, rel=0.03)
    first = chains.first_named(found)
    assert first is not None
    assert first.name == name
    assert efficiencies.IN_WORDS[name] in chains.sentence(found)


def test_every_loss_has_words() -> None:
    names = {SLOWER, INNER, GIL, LOCK, GIL_OR_LOCK, CPU, UNEVEN, FEW_TASKS, DEPENDENT, TASK_COST, COPYING}
    assert names | {efficiencies.IDLE} == set(efficiencies.IN_WORDS)


def test_nothing_is_lost_where_nothing_is_planted() -> None:
    found = chain(IDEAL)
    assert found.workers is not None
    assert found.workers.lost == ()
    assert "lost to" not in chains.sentence(found)
    assert "2.00x from 2 threads" in chains.sentence(found) or "1.99x from 2 threads" in chains.sentence(found)


def test_the_sentence_says_where_the_rest_goes() -> None:
    said = chains.sentence(chain(SLOW))
    assert "1.25x from 2 threads; the rest of the second CPU is lost to memory bandwidth" in said


def test_what_separates_watched_from_timed_computes_is_not_explained() -> None:
    summary = scripted(IDEAL)
    faster = tuple(
        replace(case, observations=tuple(value / 1.25 for value in case.observations)) if case.case == THREADS else case
        for case in summary.cases
    )
    (found,) = chains.chains(replace(summary, cases=faster))
    assert found.workers is not None
    assert found.workers.factor(efficiencies.REST).value == pytest.approx(1.25, rel=0.01)
    assert found.workers.factor(efficiencies.SCALING).value == pytest.approx(1.0, rel=0.01)


def test_in_each_round_the_factors_multiply_to_the_timed_ratio() -> None:
    summary = scripted(SLOW, sd=0.1)
    known = {case.case: case for case in summary.cases}
    one, many = known[arms_of(THREADS)[2]], known[THREADS]
    logs = efficiencies.logs_of(one, many)
    for at, (before, after) in enumerate(zip(one.observations, many.observations, strict=True)):
        assert 2 * math.exp(sum(values[at] for values in logs.values())) == pytest.approx(before / after)


def test_a_result_without_the_figures_still_opens_and_says_what_it_lacks() -> None:
    summary = scripted(SLOW)
    old = replace(summary, cases=tuple(replace(case, watched={}) for case in summary.cases))
    (found,) = chains.chains(old)
    assert found.workers is None
    assert "lost to" not in chains.sentence(found)
    (note,) = chains.lacking([found])
    assert "1 of 1 speed-up" in note
    assert list(chains.lacking([chain(SLOW)])) == []
    why = replace(old, cases=tuple(replace(case, unwatched="too many tasks") for case in old.cases))
    (said,) = chains.chains(why)
    assert chains.sentence(said).endswith("(what the workers lose is not told apart: too many tasks)")
    assert list(chains.lacking([said])) == []


def test_a_round_that_was_watched_in_one_case_alone_does_not_count() -> None:
    summary = scripted(SLOW)
    fewer = tuple(
        replace(case, watched={round_: seen for round_, seen in case.watched.items() if round_ != 2})
        for case in summary.cases
    )
    (found,) = chains.chains(replace(summary, cases=fewer))
    assert found.workers is not None
    assert found.workers.factor(efficiencies.SCALING).n == ROUNDS - 1


@pytest.mark.parametrize(("sd", "rounds"), [(0.01, 6), (0.03, 6), (0.01, 4), (0.03, 3)])
def test_with_nothing_planted_next_to_nothing_is_named(sd: float, rounds: int) -> None:
    """At most 2 % of results, whatever the noise; and a planted loss of 1.6x is found where noise allows it."""
    runs = 300
    false = sum(
        bool(chain(IDEAL, seed=seed, sd=sd, rounds=rounds).workers.lost)  # type: ignore[union-attr]
        for seed in range(runs)
    )
    assert false <= 0.02 * runs
    if rounds > 3:
        named = [chain(WAITS, held=0.9, seed=seed, sd=sd, rounds=rounds).workers for seed in range(60)]
        assert sum(found is not None and [loss.name for loss in found.lost] == [GIL] for found in named) >= 57


def test_the_reason_travels_in_the_metadata() -> None:
    facts = {UNWATCHED: "12,000 tasks are too many"}
    runs = [observation_of(arm, 0, 0.1, facts) for arm in arms_of(THREADS)]
    assert {case.unwatched for case in summarize(result(*runs)).cases} == {"12,000 tasks are too many"}
