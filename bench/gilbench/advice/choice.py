"""Who won, who has to race again, and the advice that follows. Pure: no clock, no process."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from gilbench.advice.fit import Fit
from gilbench.advice.racing import Contender, Heat
from gilbench.advice.target_facts import Facts
from gilbench.advice.thresholds import DECISION, NOISE, RACE
from gilbench.errors import UserError
from gilbench.schedulers import PROCESSES, all_advisable, all_schedulers
from gilbench.stats import Estimate, student_quantile


@dataclass(frozen=True)
class Advice:
    """What `advise` says.

    verdict: "best" (surely faster than every other scheduler), "no difference" (surely within 5 % of those that may be as
    fast), "undecided" (others may be as fast, or a little faster) or "cannot tell" (others may be much faster). speedup: of
    the chosen one over sync. once: whether starting the workers counts. speedups: contender -> over sync; None where sync did
    not run. status: contender -> what became of it, as text. seconds: contender -> of one compute. equal: the chosen one, and
    those of other schedulers that may be as fast. rival_gain: how much faster these may be at most, as a fraction.
    cost_seconds: how long the advice took.
    """

    target: str
    chosen: Contender
    verdict: str
    speedup: Estimate
    once: bool
    facts: Facts
    speedups: Mapping[Contender, Estimate | None]
    status: Mapping[Contender, str]
    seconds: Mapping[Contender, float]
    equal: tuple[Contender, ...] = ()
    rival_gain: float = 0.0
    cpus: int = 1
    cost_seconds: float = 0.0


def advised(
    target: str, facts: Facts, heats: Sequence[Heat], status: Mapping[Contender, str], once: bool, cpus: int
) -> Advice:
    """Return the advice that the heats give. Raises UserError where nothing could run.

    status: contender -> why it did not race. once: whether starting the workers counts.
    """
    if not heats or not any(math.isfinite(heats[-1].median(contender)) for contender in heats[-1].times):
        reasons = (*(reason for heat in reversed(heats) for reason in heat.failed.values()), *status.values())
        why = next(iter(reasons), "no scheduler finished a compute")
        raise UserError(f"{target!r} could not be raced: {why}")
    choice = choose(heats)
    chosen = choice.chosen
    became = dict(status)
    for heat in heats:
        for contender in heat.times:
            became[contender] = heat.failed.get(contender) or heat.left.get(contender) or "raced to the end"
    speedups = speedups_over_sync(heats)
    return Advice(
        target=target,
        chosen=chosen,
        verdict=choice.verdict,
        speedup=speedups.get(chosen) or Estimate(math.nan, 0.0, math.inf, 0),
        once=once,
        facts=facts,
        speedups=speedups,
        status=became,
        seconds={
            contender: heat.median(contender)
            for heat in heats
            for contender in heat.times
            if math.isfinite(heat.median(contender))
        },
        equal=(chosen, *choice.rivals),
        rival_gain=max((ratio.high - 1 for ratio in choice.rivals.values()), default=0.0),
        cpus=cpus,
    )


@dataclass(frozen=True)
class Choice:
    """The contender to advise, and the verdict as in Advice.

    rivals: contender of another scheduler that may be as fast -> the chosen one's time over its time.
    """

    chosen: Contender
    verdict: str
    rivals: Mapping[Contender, Estimate]


def choose(heats: Sequence[Heat]) -> Choice:
    """Choose among those that ran to the end of the last heat, which holds everyone that could win.

    The simplest of those that were seen within 3 % of the fastest is advised. The verdict says no more than the intervals do.
    """
    last, fit = heats[-1], Fit(heats)
    leader = last.leader()
    running = last.running
    able = [contender for contender in last.times if contender == leader or contender in running]
    best = min(able, key=lambda contender: _value(fit.ratio(contender, leader)))
    over = {contender: _value(fit.ratio(contender, best)) for contender in able}
    tied = [contender for contender in able if over[contender] <= 1 + DECISION.tie]
    chosen = min(tied, key=lambda contender: (*simplicity(contender), over[contender]))
    ratios = {contender: fit.ratio(chosen, contender) for contender in able if contender != chosen}
    known = {contender: ratio for contender, ratio in ratios.items() if ratio is not None}
    rivals = {
        contender: ratio
        for contender, ratio in known.items()
        if contender.scheduler != chosen.scheduler and ratio.high >= 1
    }
    if len(known) < len(ratios) or any(ratio.high > DECISION.too_wide for ratio in known.values()):
        return Choice(chosen, "cannot tell", rivals)
    return Choice(chosen, _verdict(rivals.values()), rivals)


def _verdict(rivals: Collection[Estimate]) -> str:
    """Return what the ratios of the chosen one's time to its rivals' allow to say."""
    if not rivals:
        return "best"
    margin = 1 + DECISION.same
    inside = all(1 / margin <= ratio.low and ratio.high <= margin for ratio in rivals)
    return "no difference" if inside else "undecided"


def simplicity(contender: Contender) -> tuple[int, int]:
    """Return a sort key: the simpler scheduler first, then the contender without chunks."""
    return all_advisable()[contender.scheduler].simplicity, int(contender.chunk > 1)


def undecided(heats: Sequence[Heat]) -> list[Contender]:
    """Return who has to race again in fresh processes: the best of each scheduler that is within reach, three at most.

    With them race other chunks that may really be better, because these need no processes of their own.
    """
    last, fit = heats[-1], Fit(heats)
    leader = last.leader()
    ratios = {contender: fit.ratio(contender, leader) for contender in last.running if contender != leader}
    near = [
        contender
        for contender, ratio in sorted(ratios.items(), key=lambda item: (_value(item[1]), item[0]))
        if ratio and ratio.low <= 1 + DECISION.same
    ]
    best = {leader.scheduler: leader}
    for contender in near:
        best.setdefault(contender.scheduler, contender)
    close = list(best.values())[: DECISION.closest]
    chunks = [
        contender
        for contender in near
        for rival in close
        if contender != rival
        and contender.process == rival.process
        and (ratio := fit.ratio(contender, rival))
        and ratio.low < 1 - DECISION.tie
    ]
    return [*close, *chunks] if len(close) + len(chunks) > 1 else []


def with_fewer_workers(heats: Sequence[Heat], facts: Facts, cpus: int) -> list[Contender]:
    """Return the closest and the leader with half its workers, where these were not raced and may be as fast; else none."""
    leader = heats[-1].leader()
    half = (
        replace(leader, workers=leader.workers // 2)
        if leader.workers > 1
        else replace(leader, threads=leader.threads // 2)
    )
    ideal = facts.seconds / leader.parallelism
    efficient = heats[-1].median(leader) < RACE.efficient * ideal
    raced = any(half in heat.times for heat in heats)
    if cpus < RACE.fewer_workers_from or leader.is_sync or half.parallelism < 2 or efficient or raced:
        return []
    return [half, *(undecided(heats) or [leader])]


def clearly_lost(heat: Heat) -> str | None:
    """Return why no other kind of processes can win once those of a pool have lost by far; None while one may.

    They all copy as much, or more.
    """
    pools = [
        contender
        for contender in heat.times
        if all_schedulers()[contender.scheduler].kind == PROCESSES and math.isfinite(heat.median(contender))
    ]
    if not pools:
        return None
    fastest, leader = min(pools, key=heat.median), heat.leader()
    times = heat.median(fastest) / heat.median(leader)
    return f"{fastest.name} takes {times:.1f}x as long as {leader.name}" if times > RACE.lost else None


def speedups_over_sync(heats: Sequence[Heat]) -> dict[Contender, Estimate | None]:
    """Return the speed-up over sync of everyone that finished a compute; None where sync did not run.

    The intervals allow for another moment on this machine, when its CPUs may be faster or slower than during the race.
    """
    fit = Fit(heats)
    finished = dict.fromkeys(
        contender for heat in heats for contender in heat.times if math.isfinite(heat.median(contender))
    )
    sync = next((contender for contender in finished if contender.is_sync), None)
    ratios = {contender: fit.ratio(sync, contender) if sync else None for contender in finished}
    return {
        contender: _at_another_time(ratio) if ratio and contender != sync else ratio
        for contender, ratio in ratios.items()
    }


def _at_another_time(ratio: Estimate) -> Estimate:
    reach = math.hypot(math.log(ratio.high / ratio.value), student_quantile(NOISE.freedom, 0.975) * NOISE.machine)
    return Estimate(ratio.value, ratio.value * math.exp(-reach), ratio.value * math.exp(reach), ratio.n)


def _value(ratio: Estimate | None) -> float:
    return ratio.value if ratio else math.inf
