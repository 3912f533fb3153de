"""The whole race, heat by heat: warm, where workers are kept, or cold, where starting them counts."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gilbench.advice.choice import clearly_lost, simplicity, undecided, with_fewer_workers
from gilbench.advice.entry import admitted, bound, schedulers_of_heat
from gilbench.advice.racing import Contender, Heat, run_heat
from gilbench.advice.starting import LiveStarter, Starter, TimeLeft
from gilbench.advice.target_facts import Facts
from gilbench.advice.thresholds import RACE
from gilbench.console import Say
from gilbench.process.talk import Broken
from gilbench.schedulers import FIRST_HEAT, SECOND_HEAT, all_advisable


def warm_race(
    starter: Starter, facts: Facts, say: Say, left: TimeLeft, cpus: int, seed: int | None = None
) -> tuple[list[Heat], dict[Contender, str]]:
    """Race whatever the facts leave; then what starts slowly, in the time that is left; then the closest, in fresh processes.

    Returns the heats, and for each contender that did not race why not. There are no heats where nothing could start.
    """
    draw = random.Random(seed)
    first, status = admitted(schedulers_of_heat(FIRST_HEAT, facts), facts, cpus, facts.compute_seconds)
    say(f"racing {_schedulers(first)}")
    with left.started(starter, first) as racers:
        if not racers:
            return [], status
        heats = [run_heat(racers, RACE.heat, draw, left.clock, patience=2 * facts.compute_seconds)]
        later, refused = admitted(schedulers_of_heat(SECOND_HEAT, facts), facts, cpus, _best(heats))
        status |= refused
        if why := clearly_lost(heats[0]):
            status |= dict.fromkeys(later, f"ruled out: {why}")
            later = []
        close = undecided(heats) or [heats[0].leader()]
        fitting = in_time(later, left, facts, cpus, _best(heats), len(close))
        status |= {contender: "not raced: no time was left" for contender in later if contender not in fitting}
        if fitting:
            say(f"racing {_schedulers(fitting)}")
            with left.started(starter, fitting) as more:
                both = {**{contender: racers[contender] for contender in close}, **more}
                heats.append(run_heat(both, RACE.heat, draw, left.clock, rivals=heats[0]))
    while len(heats) < RACE.repeats + 1:
        again = with_fewer_workers(heats, facts, cpus) or undecided(heats)
        if not again or not left.for_another(again, _best(heats)):
            break
        names = ", ".join(contender.name for contender in again)
        say(f"too close to call: {names} once more, in fresh processes")
        with left.started(starter, again) as racers:
            if not racers:
                break
            heats.append(run_heat(racers, RACE.heat, draw, left.clock))
    return heats, status


def in_time(
    contenders: Sequence[Contender], left: TimeLeft, facts: Facts, cpus: int, best: float, known: int
) -> list[Contender]:
    """Return the contenders that there is time for.

    The most promising, judging by their bounds, are taken first; among equals, those of the simplest scheduler. All chunks of a
    process are taken or none. best, known: as for TimeLeft.for_another.
    """
    chosen: list[Contender] = []
    promising = sorted(
        contenders, key=lambda contender: (round(bound(contender, facts, cpus) / best, 1), simplicity(contender))
    )
    for process in dict.fromkeys(contender.process for contender in promising):
        more = [*chosen, *(contender for contender in contenders if contender.process == process)]
        if left.for_another(more, best, known):
            chosen = more
    return chosen


def cold_race(
    starter: LiveStarter, facts: Facts, say: Say, left: TimeLeft, cpus: int
) -> tuple[list[Heat], dict[Contender, str]]:
    """Measure opening and computing once, in fresh processes one after the other; each such round is a heat of its own.

    Returns the heats, and for each contender that did not race why not.
    """
    draw = random.Random()
    more = (facts.items / facts.taken - 1) if facts.items and facts.taken else 0.0
    whole = replace(facts, seconds=facts.seconds * (1 + more), tasks=round(facts.tasks * (1 + more)))
    found, status = admitted(all_advisable(), whole, cpus, facts.compute_seconds * (1 + more), once=True)
    entrants = [contender for contender in found if contender.chunk == _smallest_chunk(contender, found)]
    heats: list[Heat] = []
    longest = 0.0  # seconds of one round
    while entrants and len(heats) < RACE.repeats and (not heats or left.fits(longest)):
        start = left.clock()
        say(f"one compute each, including the start: {', '.join(contender.name for contender in entrants)}")
        heats.append(_cold_heat(starter, draw.sample(entrants, len(entrants)), entrants, more, len(heats) + 1))
        longest = max(longest, left.clock() - start)
        entrants = heats[-1].running if len(heats[-1].running) > 1 else []
    return heats, status


def _cold_heat(
    starter: LiveStarter, order: Iterable[Contender], entrants: Iterable[Contender], more: float, starts: int
) -> Heat:
    """Start and compute once each, in this order. more: further computes of all items. starts: of each so far, this included."""
    heat = Heat({contender: [] for contender in entrants})
    for contender in order:
        try:
            heat.times[contender].append(starter.cold(contender, more))
        except Broken as broken:
            heat.failed[contender] = broken.reason
            heat.times[contender].append(None)
    hopeless = (RACE.hopeless if starts > 1 else RACE.hopeless_cold) * heat.median(heat.leader())
    for contender in heat.running:
        if heat.median(contender) > hopeless:
            heat.left[contender] = f"left after {starts} starts"
    return heat


def _smallest_chunk(contender: Contender, found: Sequence[Contender]) -> int:
    return min(other.chunk for other in found if other.process == contender.process)


def _schedulers(contenders: Sequence[Contender]) -> str:
    return ", ".join(dict.fromkeys(contender.scheduler for contender in contenders))


def _best(heats: Sequence[Heat]) -> float:
    """Return the seconds of the fastest compute so far."""
    return min(heat.median(heat.leader()) for heat in heats)
