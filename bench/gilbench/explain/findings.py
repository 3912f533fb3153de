"""What a result says to someone who has to choose a scheduler: a few sentences, each with the interval that supports it.

Pure. A finding is stated only if its interval is clear of its rivals. If nothing is clear, that is the finding.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gilbench import units
from gilbench.explain import chains, factors, selected, series, winners
from gilbench.explain.tutorial import Evidence, regret_of
from gilbench.explain.winners import Contest
from gilbench.results.summary import CaseSummary, Summary
from gilbench.results.verdicts import Line, Verdicts, ordered
from gilbench.schedulers import SERIAL
from gilbench.stats import Estimate, quotient

MOST: Final = 3  # findings that a reader remembers
NAMED: Final = 4  # workloads listed by name in one sentence
NOTICED: Final = 1.2  # times as long; smaller losses are not mentioned
PLURAL: Final[Mapping[str, str]] = {"threads": "threads", "processes": "processes", "mix": "a mix of both"}


@dataclass(frozen=True)
class Finding:
    """One sentence that a result supports.

    title: what to do. figure: the number behind it. text: a few sentences. chart: the name of the chart that shows it.
    """

    title: str
    figure: str
    text: str
    chart: str


@dataclass(frozen=True)
class Noise:
    """How precisely a result is known.

    times, speedups: half-width of the median interval, as a fraction: an interval from a / x to a * x counts as x - 1.
    Infinite if unknown, NaN if there is no interval at all. spread: how far apart two processes with the same case lie,
    as a fraction (median over the cases). observations, cases: their numbers.
    """

    times: float
    speedups: float
    spread: float
    observations: int
    cases: int


def of_summary(summary: Summary) -> list[Finding]:
    """Return the most useful findings of a result, at most three: first what to use, then what to avoid."""
    sources: Sequence[Callable[[Summary], Iterator[Finding]]] = (
        _choices,
        _causes,
        _mistakes,
        _neither,
        _same,
        _undecided,
    )
    return [finding for source in sources for finding in source(summary)][:MOST]


def of_verdicts(verdicts: Verdicts) -> list[Finding]:
    """Return the most useful findings of a check: the worst regression, the best improvement, and what stayed open."""
    lines = ordered(verdicts.lines)
    return [*_worst(verdicts, lines), *_best(lines), *_inconclusive(lines)][:MOST]


def between(first: Summary, other: Summary) -> list[Finding]:
    """Return where two results differ most: the speed-ups that certainly changed, largest change first.

    Speed-ups are compared because they can be compared between machines. They are not paired, because the two results
    were measured at different times.
    """
    changes = changes_between(first, other)
    clear = [(before, after, change) for before, after, change in changes if change.low > 1 or change.high < 1]
    title = f"From {first.name} to {other.name}"
    if not changes:
        text = "The results share no case that has a speed-up in both."
        return [Finding(title, "nothing to compare", text, "speedup")]
    if not clear:
        text = "No speed-up that both results measured differs by more than its intervals."
        return [Finding(title, f"0 of {units.count(len(changes), 'speed-up')} differ", text, "speedup")]
    before, after, change = max(clear, key=lambda pair: abs(math.log(pair[2].value)))
    assert before.speedup and after.speedup
    text = (
        f"The largest change is {_label(after)}: {units.estimate(before.speedup, 'ratio')} over sync in {first.name} and "
        f"{units.estimate(after.speedup, 'ratio')} in {other.name}, {units.estimate(change, 'ratio')} the speed-up."
    )
    return [Finding(title, f"{len(clear)} of {units.count(len(changes), 'speed-up')} differ", text, "speedup")]


def changes_between(first: Summary, other: Summary) -> list[tuple[CaseSummary, CaseSummary, Estimate]]:
    """Return (case in the first, case in the other, second speed-up over the first) for every case that both measured."""
    known = {
        case.case: case
        for case in selected.timed(first)
        if selected.usable(case.speedup) and case.case != case.case.baseline
    }
    pairs = [
        (known[case.case], case)
        for case in selected.timed(other)
        if case.case in known and selected.usable(case.speedup)
    ]
    return [
        (before, after, quotient(after.speedup, before.speedup))
        for before, after in pairs
        if before.speedup and after.speedup
    ]


def noise(summary: Summary) -> Noise:
    """Return how precisely the timings of a result are known."""
    cases = selected.timed(summary)
    spreads = [_distance(case.observations) for case in cases if len(case.observations) > 1]
    speedups = [case.speedup for case in cases if case.speedup and case.case != case.case.baseline]
    return Noise(
        times=_median(_reach(case.estimate) for case in cases),
        speedups=_median(map(_reach, speedups)),
        spread=_median(spreads),
        observations=sum(len(case.observations) for case in summary.cases),
        cases=len(summary.cases),
    )


def within(reach: float) -> str:
    """Return how far an interval reaches, as text: `±12%`, or `a factor of 3.2` where a percentage would mislead."""
    return f"±{reach:.0%}" if reach < 1 else f"a factor of {units.digits(1 + reach)}"


# --- Of one result


def _choices(summary: Summary) -> Iterator[Finding]:
    """Yield what processes, threads or a mix are the clear choice for."""
    contests = winners.contests(summary)
    for kind in ("processes", "threads", "mix"):
        mine = sorted((contest for contest in contests if contest.winner == kind), key=_lead, reverse=True)
        if not mine:
            continue
        best, rival = _first_two(mine[0])
        assert best.speedup
        gain = units.estimate(best.speedup, "ratio")
        text = f"The clearest case is {mine[0].label}: {gain} as fast as sync on {series.name_of(best.case)}"
        text += f", where {_rival(rival)}" if rival else ""
        held = _held(summary, best)
        text += f". It holds the GIL {held} of the time." if held else "."
        text += "".join(f" Beware: {flag}." for flag in best.flags)
        text += f" The same goes for {_names([contest.label for contest in mine[1:]])}." if mine[1:] else ""
        yield Finding(
            f"Use {PLURAL[kind]} for", f"{len(mine)} of {units.count(len(contests), 'workload')}", text, "speedup"
        )


def _causes(summary: Summary) -> Iterator[Finding]:
    """Yield the speed-up that owes most to the allocator: users can have it without another scheduler."""
    found = [
        chain
        for chain in chains.chains(summary)
        if factors.surely(chain.allocator, 1) and chain.allocator.low > NOTICED and not chain.impossible
    ]
    largest = max(found, key=lambda chain: chain.allocator.low, default=None)
    if largest:
        text = f"{largest.case.workload}: {chains.sentence(largest)}."
        figure = f"{units.times(largest.allocator.value)} from the allocator"
        yield Finding("Do not credit the scheduler with the allocator", figure, text, "causes")


def _mistakes(summary: Summary) -> Iterator[Finding]:
    """Yield the most expensive certain mistakes: relying on a collection's default, and choosing the wrong scheduler."""
    evidence = Evidence(summary)
    regrets = [
        regret
        for case in selected.timed(summary)
        if case.case.scheduler == "default" and (regret := regret_of(evidence, case))
    ]
    worst = max(regrets, key=lambda regret: regret[2].low, default=None)
    if worst and worst[2].low > NOTICED:
        default, best, ratio = worst
        restarted = default.ran_on == "processes" == series.kind_of(best.case)
        text = (
            f"By default, {default.case.workload} runs on {default.ran_on or 'whatever dask chooses'}"
            f"{', which start anew for every compute,' if restarted else ''} and takes {units.estimate(ratio, 'ratio')} "
            f"as long as on {series.name_of(best.case)}{' that are kept' if restarted else ''}."
        )
        yield Finding("Do not leave the choice to dask", f"{units.times(ratio.value)} the time", text, "regret")
    costliest = max(_losses(summary), key=lambda loss: loss[2].low, default=None)
    if costliest and costliest[2].low > NOTICED:
        wrong, best, ratio = costliest
        text = (
            f"{wrong.case.workload} takes {units.estimate(ratio, 'ratio')} as long on {series.name_of(wrong.case)} as on "
            f"{series.name_of(best.case)}: {units.seconds(wrong.estimate.value)} instead of "
            f"{units.seconds(best.estimate.value)}."
        )
        yield Finding("The costliest mistake", f"{units.times(ratio.value)} the time", text, "speedup")


def _neither(summary: Summary) -> Iterator[Finding]:
    """Yield the workloads that nothing speeds up."""
    yield from _of_outcome(
        summary, SERIAL, "Stay with sync for", "No scheduler is faster than running one task after another for {}."
    )


def _same(summary: Summary) -> Iterator[Finding]:
    """Yield the workloads for which the choice makes no difference, so that the simplest can be taken."""
    text = f"The fastest schedulers are within {winners.MARGIN - 1:.0%} of each other for {{}}: use the simplest."
    yield from _of_outcome(summary, winners.SAME, "It makes no difference for", text)


def _of_outcome(summary: Summary, outcome: str, title: str, text: str) -> Iterator[Finding]:
    """Yield a finding about the workloads with this outcome, if there are any. text: with {} where their names go."""
    contests = winners.contests(summary)
    mine = [contest.label for contest in contests if contest.winner == outcome]
    if mine:
        figure = f"{len(mine)} of {units.count(len(contests), 'workload')}"
        yield Finding(title, figure, text.format(_names(mine)), "speedup")


def _undecided(summary: Summary) -> Iterator[Finding]:
    """Yield the workloads without a clear winner, so that nobody bases a choice on them."""
    contests, known = winners.contests(summary), noise(summary)
    unclear = [contest.label for contest in contests if contest.winner == winners.UNDECIDED]
    if unclear:
        text = f"The intervals overlap for {_names(unclear)}."
        if math.isfinite(known.speedups):
            text += f" Half of the speed-ups are known to {within(known.speedups)} at best."
        text += " A longer run or a quieter machine would decide more."
        figure = f"{len(unclear)} of {units.count(len(contests), 'workload')}"
        yield Finding("This result cannot decide for", figure, text, "speedup")


def _losses(summary: Summary) -> Iterator[tuple[CaseSummary, CaseSummary, Estimate]]:
    """Yield (case, best case of its workload, ratio of their times) for every case at full width that is not the best.

    Cases of dask's default are left out.
    """
    best: dict[str, CaseSummary] = {}
    cases = [
        case
        for case in selected.at_main_size(selected.timed(summary))
        if case.case.scheduler != "default" and case.case.pinned
    ]
    for case in cases:
        known = best.get(case.case.workload)
        if known is None or case.estimate.value < known.estimate.value:
            best[case.case.workload] = case
    for case in cases:
        if (other := best[case.case.workload]) is not case and case.case.parallelism >= other.case.parallelism:
            yield case, other, summary.ratio(case, other)


def _first_two(contest: Contest) -> tuple[CaseSummary, CaseSummary | None]:
    """Return the case that wins a contest, and the fastest case of the other kinds (None if there is only sync)."""
    entrants = winners.entrants(contest.fastest.values())
    mine = [case for case in entrants if series.kind_of(case.case) == contest.winner]
    others = [case for case in entrants if series.kind_of(case.case) != contest.winner]
    return max(mine, key=_value), max(others, key=_value, default=None)


def _lead(contest: Contest) -> float:
    """Return how many times as fast as the next best a winner is for certain."""
    return min((duel.low for duel in contest.duels.values()), default=1.0)


def _value(case: CaseSummary) -> float:
    return case.speedup.value if case.speedup else 0.0


def _rival(case: CaseSummary) -> str:
    name = series.name_of(case.case)
    gain = units.estimate(case.speedup, "ratio") if case.speedup else "nothing"
    return f"{name} reach{'' if name.endswith('s') else 'es'} {gain}"


def _held(summary: Summary, case: CaseSummary) -> str:
    """Return the share of the time that a workload holds the GIL, with its interval, as text; "" if it was not probed."""
    for probing in summary.probes:
        gil = selected.gil_held(probing)
        same = (probing.workload, probing.size) == (case.case.workload, case.case.size)
        if same and gil:
            held, low, high = gil
            return f"{held:.0%} ({low:.0%} to {high:.0%})"
    return ""


def _label(case: CaseSummary) -> str:
    return f"{case.case.workload} on {series.name_of(case.case)}"


# --- Of a check


def _worst(verdicts: Verdicts, lines: Sequence[Line]) -> Iterator[Finding]:
    """Yield the worst regression, or that there is none."""
    what = "slower" if verdicts.of == "time" else "worse"
    regressions = [line for line in lines if line.kind == "regression"]
    same = sum(line.kind == "same" for line in lines)
    if regressions:
        worst = regressions[0]
        figure = f"{worst.ratio - 1:+.1%}" if math.isfinite(worst.ratio) else "fails"
        how = worst.reason or _interval(worst)
        others = f" So did {units.count(len(regressions) - 1, 'more case')}." if len(regressions) > 1 else ""
        yield Finding(f"{worst.case} got {what}", figure, f"{how[:1].upper()}{how[1:]}.{others}", "forest")
    elif same:
        text = f"{units.count(same, 'case')} of {len(lines)} {'lies' if same == 1 else 'lie'} within the threshold."
        yield Finding(f"No case is {what} beyond doubt", str(same), text, "forest")


def _best(lines: Sequence[Line]) -> Iterator[Finding]:
    """Yield the largest improvement."""
    improvements = sorted((line for line in lines if line.kind == "improvement"), key=lambda line: line.ratio)
    for best in improvements[:1]:
        yield Finding(f"{best.case} improved", f"{best.ratio - 1:+.1%}", f"{_interval(best)}.", "forest")


def _inconclusive(lines: Sequence[Line]) -> Iterator[Finding]:
    """Yield the cases without an answer."""
    unclear = [line.case for line in lines if line.kind in ("inconclusive", "failed")]
    if unclear:
        text = f"There is no answer for {_names(unclear)}. A longer --max-time or a quieter machine helps."
        yield Finding("What this check cannot decide", f"{len(unclear)} of {len(lines)}", text, "forest")


def _interval(line: Line) -> str:
    return f"The 95 % interval goes from {line.low - 1:+.1%} to {line.high - 1:+.1%}"


# --- Figures and text


def _reach(figure: Estimate) -> float:
    return math.sqrt(figure.high / figure.low) - 1 if figure.low > 0 else math.inf


def _distance(values: Sequence[float]) -> float:
    """Return how far apart two values lie: the standard deviation of a difference of logs, as a fraction."""
    return math.expm1(math.sqrt(2 * statistics.variance(map(math.log, values)))) if min(values) > 0 else math.nan


def _median(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan


def _names(names: Sequence[str]) -> str:
    """Return `a, b and c`; beyond NAMED names, say how many more there are."""
    shown = [*names[:NAMED], *([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])]
    return units.listed(shown)
