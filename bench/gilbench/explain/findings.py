"""What a result says to somebody who has to choose a scheduler: a few sentences, each with the interval that carries it.

Pure. Only what lies clear of its rivals' intervals is said; where nothing does, that is what is said.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gilbench import units
from gilbench.explain.series import Row, at_main_size, kind, rows, series, timed, usable
from gilbench.explain.tutorial import Evidence, regret_of
from gilbench.results.summary import CaseSummary, Summary
from gilbench.results.verdicts import Verdicts, ordered
from gilbench.stats import Estimate, quotient

MOST: Final = 3  # statements that a reader remembers
NAMED: Final = 4  # workloads by name in one sentence
NOTICED: Final = 1.2  # times as long, from which a loss is worth a word
PLURAL: Final[Mapping[str, str]] = {"threads": "threads", "processes": "processes", "mix": "a mix of both"}


@dataclass(frozen=True)
class Statement:
    """One finding. title: what to do. figure: the number that carries it. text: sentences. chart: the one that shows it."""

    title: str
    figure: str
    text: str
    chart: str


@dataclass(frozen=True)
class Noise:
    """How well a result is known.

    times, speedups: how far the middlemost interval reaches, as a fraction: one from a / x to a * x counts as x - 1;
    infinite where it is not known, NaN where there is none. spread: how far two processes with the same case lie apart,
    as a fraction (median over the cases). observations, cases: how many.
    """

    times: float
    speedups: float
    spread: float
    observations: int
    cases: int


def of_summary(summary: Summary) -> list[Statement]:
    """Return the most useful findings of a result, at most three: when to use what first, then what to beware of."""
    sources: Sequence[Callable[[Summary], Iterator[Statement]]] = (_choices, _mistakes, _neither, _undecided)
    return [statement for source in sources for statement in source(summary)][:MOST]


def of_verdicts(verdicts: Verdicts) -> list[Statement]:
    """Return the most useful findings of a check: the worst regression, the best improvement, what it could not see."""
    found, what = [], "slower" if verdicts.of == "time" else "worse"
    lines = ordered(verdicts.lines)
    worse = [line for line in lines if line.kind == "regression"]
    better = sorted((line for line in lines if line.kind == "improvement"), key=lambda line: line.ratio)
    if worse:
        first = worse[0]
        size = f"{first.ratio - 1:+.1%}" if math.isfinite(first.ratio) else "fails"
        how = first.reason or f"the 95 % interval goes from {first.low - 1:+.1%} to {first.high - 1:+.1%}"
        more = f" So did {several(len(worse) - 1, 'more case')}." if len(worse) > 1 else ""
        found.append(Statement(f"{first.case} got {what}", size, f"{_sentence(how)}.{more}", "forest"))
    elif any(line.kind == "same" for line in lines):
        same = sum(line.kind == "same" for line in lines)
        text = f"{several(same, 'case')} of {len(lines)} lie within their threshold."
        found.append(Statement(f"No case is {what} beyond doubt", str(same), text, "forest"))
    if better:
        first = better[0]
        text = f"The 95 % interval goes from {first.low - 1:+.1%} to {first.high - 1:+.1%}."
        found.append(Statement(f"{first.case} improved", f"{first.ratio - 1:+.1%}", text, "forest"))
    unclear = [line for line in lines if line.kind in ("inconclusive", "failed")]
    if unclear:
        text = f"Not told either way: {_names([line.case for line in unclear])}. A longer --max-time or a quieter machine helps."
        found.append(Statement("What this check cannot tell", f"{len(unclear)} of {len(lines)}", text, "forest"))
    return found[:MOST]


def between(first: Summary, other: Summary) -> list[Statement]:
    """Return where two results differ most: the speed-ups that changed beyond doubt, the largest change first.

    Speed-ups, because they can be compared between machines. Not paired: the two were measured at different times.
    """
    changes = changes_between(first, other)
    clear = [change for change in changes if change[2].low > 1 or change[2].high < 1]
    title = f"From {first.name} to {other.name}"
    if not changes:
        return [Statement(title, "nothing to compare", "They have no speed-up of the same case.", "speedup")]
    if not clear:
        text = "None of the speed-ups measured in both differs beyond its intervals."
        return [Statement(title, f"0 of {several(len(changes), 'speed-up')} differ", text, "speedup")]
    before, after, change = max(clear, key=lambda one: abs(math.log(one[2].value)))
    assert before.speedup and after.speedup
    text = (
        f"Most of all {_label(after)}: {units.estimate(before.speedup, 'ratio')} over sync in {first.name}, "
        f"{units.estimate(after.speedup, 'ratio')} in {other.name}, which is {units.estimate(change, 'ratio')} the speed-up."
    )
    return [Statement(title, f"{len(clear)} of {several(len(changes), 'speed-up')} differ", text, "speedup")]


def changes_between(first: Summary, other: Summary) -> list[tuple[CaseSummary, CaseSummary, Estimate]]:
    """Return (case in the first, in the other, its speed-up there over that here) for all that both measured."""
    known = {case.case: case for case in timed(first) if usable(case.speedup) and case.case != case.case.baseline}
    pairs = [(known[case.case], case) for case in timed(other) if case.case in known and usable(case.speedup)]
    return [
        (here, there, quotient(there.speedup, here.speedup)) for here, there in pairs if here.speedup and there.speedup
    ]


def noise(summary: Summary) -> Noise:
    """Return how well the timings of a result are known."""
    cases = timed(summary)
    spreads = [_apart(case.observations) for case in cases if len(case.observations) > 1]
    speedups = [case.speedup for case in cases if case.speedup and case.case != case.case.baseline]
    return Noise(
        times=_middle(_reach(case.estimate) for case in cases),
        speedups=_middle(map(_reach, speedups)),
        spread=_middle(spreads),
        observations=sum(len(case.observations) for case in summary.cases),
        cases=len(summary.cases),
    )


def within(reach: float) -> str:
    """Return how far an interval reaches, in words: `±12%`, or `a factor of 3.2` where a percentage says little."""
    return f"±{reach:.0%}" if reach < 1 else f"a factor of {units.digits(1 + reach)}"


# --- Of one result


def _choices(summary: Summary) -> Iterator[Statement]:
    """Yield what processes, threads or mixes are the clear choice for."""
    table = rows(summary)
    for name in ("processes", "threads", "mix"):
        mine = sorted((row for row in table if row.verdict == name), key=_lead, reverse=True)
        if not mine:
            continue
        best, rival = _ends(mine[0])
        assert best.speedup
        text = f"Most clearly for {mine[0].label}: {units.estimate(best.speedup, 'ratio')} as fast as sync on {series(best.case)}"
        text += f", where {_rival(rival)}" if rival else ""
        held = _held(summary, best)
        text += f". It holds the GIL {held} of the time." if held else "."
        text += "".join(f" Beware: {flag}." for flag in best.flags)
        text += f" Also for {_names([row.label for row in mine[1:]])}." if mine[1:] else ""
        yield Statement(f"Use {PLURAL[name]} for", f"{len(mine)} of {several(len(table), 'workload')}", text, "speedup")


def _mistakes(summary: Summary) -> Iterator[Statement]:
    """Yield the dearest certain mistakes: leaving the choice to a collection's default, and choosing wrongly."""
    evidence = Evidence(summary)
    regrets = [
        found for case in timed(summary) if case.case.scheduler == "default" if (found := regret_of(evidence, case))
    ]
    worst = max(regrets, key=lambda found: found[2].low, default=None)
    if worst and worst[2].low > NOTICED:
        default, best, ratio = worst
        anew = default.ran_on == "processes" == kind(best.case)
        text = (
            f"Left to its default, {default.case.workload} runs on {default.ran_on or 'what dask chooses'}"
            f"{', started anew for every compute,' if anew else ''} and takes {units.estimate(ratio, 'ratio')} the time "
            f"that it takes on {series(best.case)}{' that are kept' if anew else ''}."
        )
        yield Statement("Do not leave the choice to dask", f"{units.times(ratio.value)} the time", text, "regret")
    dearest = max(_losses(summary), key=lambda found: found[2].low, default=None)
    if dearest and dearest[2].low > NOTICED:
        wrong, best, ratio = dearest
        text = (
            f"{wrong.case.workload} takes {units.estimate(ratio, 'ratio')} as long on {series(wrong.case)} as on "
            f"{series(best.case)}: {units.seconds(wrong.estimate.value)} for {units.seconds(best.estimate.value)}."
        )
        yield Statement("The dearest mistake", f"{units.times(ratio.value)} the time", text, "speedup")


def _neither(summary: Summary) -> Iterator[Statement]:
    """Yield what nothing speeds up."""
    table = rows(summary)
    mine = [row.label for row in table if row.verdict == "serial"]
    if mine:
        text = f"Nothing is faster than one task after the other for {_names(mine)}."
        yield Statement("Stay with sync for", f"{len(mine)} of {several(len(table), 'workload')}", text, "speedup")


def _undecided(summary: Summary) -> Iterator[Statement]:
    """Yield what could not be told, so that nobody chooses by it."""
    table, known = rows(summary), noise(summary)
    unclear = [row.label for row in table if row.verdict == "unclear"]
    if unclear:
        text = f"Intervals overlap for {_names(unclear)}."
        if math.isfinite(known.speedups):
            text += f" Half of the speed-ups are known to {within(known.speedups)} at best."
        text += " A longer run, or a quieter machine, decides more."
        yield Statement(
            "This result cannot tell for", f"{len(unclear)} of {several(len(table), 'workload')}", text, "speedup"
        )


def _losses(summary: Summary) -> Iterator[tuple[CaseSummary, CaseSummary, Estimate]]:
    """Yield (case, the best of its workload, ratio of their times) for all at full width but the best and the default."""
    best: dict[str, CaseSummary] = {}
    cases = [case for case in at_main_size(timed(summary)) if case.case.scheduler != "default" and case.case.pinned]
    for case in cases:
        known = best.get(case.case.workload)
        if known is None or case.estimate.value < known.estimate.value:
            best[case.case.workload] = case
    for case in cases:
        if (other := best[case.case.workload]) is not case and case.case.parallelism >= other.case.parallelism:
            yield case, other, summary.ratio(case, other)


def _ends(row: Row) -> tuple[CaseSummary, CaseSummary | None]:
    """Return the case that wins a row, and the fastest of the other kinds (None if only sync was measured beside)."""
    entrants = [case for case in row.fastest.values() if case.case.scheduler != "default" and case.speedup]
    mine = [case for case in entrants if kind(case.case) == row.verdict]
    others = [case for case in entrants if kind(case.case) != row.verdict]
    return max(mine, key=_low), max(others, key=_value, default=None)


def _lead(row: Row) -> float:
    """Return how far a row's winner is ahead for certain: its lower end over the rival's upper end."""
    best, rival = _ends(row)
    return _low(best) / (rival.speedup.high if rival and rival.speedup else 1.0)


def _low(case: CaseSummary) -> float:
    return case.speedup.low if case.speedup else 0.0


def _value(case: CaseSummary) -> float:
    return case.speedup.value if case.speedup else 0.0


def _rival(case: CaseSummary) -> str:
    return f"{series(case.case)} reach{'' if series(case.case).endswith('s') else 'es'} " + (
        units.estimate(case.speedup, "ratio") if case.speedup else "nothing"
    )


def _held(summary: Summary, case: CaseSummary) -> str:
    """Return the share of the time that a workload holds the GIL with its interval, as text; "" where it was not probed."""
    for probing in summary.probes:
        found = probing.found.get("gil", {}).get("sync", {})
        if (probing.workload, probing.size) == (case.case.workload, case.case.size) and {"held", "low", "high"} <= set(
            found
        ):
            return f"{found['held']:.0%} ({found['low']:.0%} to {found['high']:.0%})"
    return ""


def _label(case: CaseSummary) -> str:
    return f"{case.case.workload} on {series(case.case)}"


def _reach(figure: Estimate) -> float:
    return math.sqrt(figure.high / figure.low) - 1 if figure.low > 0 else math.inf


def _apart(values: Sequence[float]) -> float:
    """Return how far two values lie apart: the standard deviation of a difference of logs, as a fraction."""
    return math.expm1(math.sqrt(2 * statistics.variance(map(math.log, values)))) if min(values) > 0 else math.nan


def _middle(values: Sequence[float] | Iterator[float] | map[float]) -> float:
    found = [value for value in values if not math.isnan(value)]
    return statistics.median(found) if found else math.nan


def several(count: int, noun: str) -> str:
    """Return a number with its noun: `1 case`, `2 cases`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _names(names: Sequence[str]) -> str:
    """Return `a, b and c`; after NAMED of them how many more there are."""
    shown = [*names[:NAMED], *([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])]
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
