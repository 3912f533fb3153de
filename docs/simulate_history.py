"""Simulate histories of a project with known changes, and print how well `gilbench history` finds them.

    python docs/simulate_history.py [--histories 10] [--seed 1] [--write FILE]

Each history has 500 revisions. Every check of it is decided as a real one is (gilbench.checks.sequential), from epochs with
the spread that was measured; so ratios and intervals are those that a history would hold. Rows differ in what each revision is
checked against, and in the noise. "Summed" is E-divisive means with Student's t, as in Hunter, on the sum of the log ratios
along the chain of revisions. It is seeded; a history takes about 5 seconds.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import stats

from gilbench.checks.sequential import Design, decide
from gilbench.explain.tracks import Track, tracks
from gilbench.results import history_file
from gilbench.results.history_file import Entry
from gilbench.results.verdicts import Revision

REVISIONS = 500
NEAR = 2  # revisions: a change that is found this close counts as found
APART = 12  # revisions between known changes
EVERY = 40  # revisions from one release to the next
DESIGN = Design(cases=20)
Bases = Callable[[int], Sequence[int]]


@dataclass(frozen=True)
class Plan:
    """A kind of history. bases: revision -> what it is checked against. spread: of an epoch. checked: share of revisions."""

    name: str
    bases: Bases
    spread: float = 0.035
    checked: float = 1.0


@dataclass(frozen=True)
class Score:
    """What was found. known: changes. found: those found near. false: change points that are near no change."""

    known: int
    found: int
    false: int

    def __add__(self, other: Score) -> Score:
        return Score(self.known + other.known, self.found + other.found, self.false + other.false)


def previous(revision: int) -> Sequence[int]:
    """Return the revision before."""
    return [revision - 1]


def release(revision: int) -> Sequence[int]:
    """Return the last release before the revision. So a release is checked against the one before it."""
    return [(revision - 1) // EVERY * EVERY]


def both(revision: int) -> Sequence[int]:
    """Return the revision before, and for a release also the release before."""
    return [revision - 1, revision - EVERY] if revision % EVERY == 0 else [revision - 1]


PLANS = (
    Plan("the revision before", previous),
    Plan(f"the last release, every {EVERY} revisions", release),
    Plan("the revision before; releases against each other", both),
    Plan("the revision before; four in five are checked", previous, checked=0.8),
    Plan("the revision before; noisier epochs (5 %)", previous, spread=0.05),
    Plan("the last release; noisier epochs (5 %)", release, spread=0.05),
)


def revision(index: int) -> Revision:
    """Return a commit of this number."""
    day, second = divmod(index * 600, 86400)
    return Revision(f"{index:09d}{0:031d}", f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}T{_clock(second)}Z")


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def changes(rng: np.random.Generator, size: float, count: int, revisions: int = REVISIONS) -> dict[int, float]:
    """Return revision -> log change. The first is a slowdown; each later one is either way, but never faster than at first."""
    gaps = rng.multinomial(revisions - 2 * APART - count * APART, [1 / (count + 1)] * (count + 1))
    found, level = {}, 0
    for number, index in enumerate(2 * APART + np.cumsum(gaps[:count]) + APART * np.arange(count)):
        up = level == 0 or bool(rng.random() < 0.5) or number == 0
        level += 1 if up else -1
        found[int(index)] = math.log1p(size) * (1 if up else -1)
    return found


def history(plan: Plan, known: dict[int, float], seed: int, revisions: int = REVISIONS) -> list[Entry]:
    """Return the entries of one history. A check's machine is one of five, which differ by up to a factor of 3."""
    rng = np.random.default_rng(seed)
    level = np.cumsum([known.get(index, 0.0) for index in range(revisions)])
    there = [index for index in range(revisions) if index == 0 or index % EVERY == 0 or rng.random() < plan.checked]
    before = {index: max(0, position - 1) for position, index in enumerate(there)}
    entries = []
    for head in there[1:]:
        for wanted in plan.bases(head):
            base = there[before[head]] if wanted == head - 1 else wanted
            entries.append(_entry(rng, base, head, float(level[head] - level[base]), plan.spread))
    return entries


def _entry(rng: np.random.Generator, base: int, head: int, truth: float, spread: float) -> Entry:
    exploring: list[float] = []
    confirming: list[float] = []
    while (verdict := decide(exploring, confirming, design=DESIGN)).next != "stop":
        (exploring if verdict.next == "explore" else confirming).append(float(rng.normal(truth, spread)))
    seconds = 0.004 * float(rng.choice([1.0, 1.4, 1.9, 2.4, 3.0]))
    n = len(exploring) + len(confirming)
    return Entry("b", revision(base), revision(head), verdict.ratio, verdict.low, verdict.high, seconds, n)


def score(found: Sequence[str], known: dict[int, float]) -> Score:
    """Compare the commits of change points with the known changes."""
    points = [int(commit[:9]) for commit in found]
    near = {index for index in known if any(abs(index - point) <= NEAR for point in points)}
    false = [point for point in points if not any(abs(index - point) <= NEAR for index in known)]
    return Score(len(known), len(near), len(false))


def commits(track: Track) -> list[str]:
    """Return the first commit of each change."""
    return [track.revisions[change.first].commit for change in track.changes]


def summed(entries: Sequence[Entry]) -> list[str]:
    """Return the first commit of each change that plain E-divisive means finds in the chained levels."""
    levels = {entries[0].base.commit: 0.0}
    for entry in entries:
        levels.setdefault(entry.head.commit, levels[entry.base.commit] + math.log(entry.ratio))
    names = sorted(levels)
    return [names[point] for point in divisive(np.array([levels[name] for name in names]))]


def divisive(series: np.ndarray, window: int = 50, level: float = 0.001) -> list[int]:
    """Return the points that E-divisive means with Student's t finds: divide in windows at ten times the level, then merge."""
    weak = {
        point
        for start in range(0, len(series), window // 2)
        for point in _divided(series, start, min(start + window, len(series)), 10 * level)
    }
    kept = sorted(weak)
    while kept:
        edges = [0, *kept, len(series)]
        values = [_p(series[a:b], series[b:c]) for a, b, c in zip(edges, edges[1:], edges[2:], strict=False)]
        if max(values) < level:
            break
        del kept[int(np.argmax(values))]
    return kept


def _divided(series: np.ndarray, start: int, end: int, level: float) -> Iterator[int]:
    if end - start < 4:
        return
    distances = np.abs(series[start:end, None] - series[None, start:end])
    size = end - start

    def divergence(cut: int) -> float:
        between = distances[:cut, cut:].mean()
        within = [
            part.sum() / max(1, len(part) * (len(part) - 1)) for part in (distances[:cut, :cut], distances[cut:, cut:])
        ]
        return float(cut * (size - cut) / size * (2 * between - sum(within)))

    cut = start + max(range(1, size), key=divergence)
    if _p(series[start:cut], series[cut:end]) < level:
        yield from _divided(series, start, cut, level)
        yield cut
        yield from _divided(series, cut, end, level)


def _p(left: np.ndarray, right: np.ndarray) -> float:
    if len(left) + len(right) < 3 or np.ptp(np.concatenate([left, right])) == 0:
        return 1.0
    if min(len(left), len(right)) < 2:
        spread = np.std(left if len(left) > 1 else right, ddof=1)
        return float(2 * stats.t.sf(abs(left.mean() - right.mean()) / max(spread, 1e-12), len(left) + len(right) - 2))
    return float(stats.ttest_ind(left, right).pvalue)


def percent(share: float, digits: int) -> str:
    """Return a share as a percentage."""
    return f"{100 * share:.{digits}f} %"


def example(seed: int, revisions: int = 150) -> Iterator[Entry]:
    """Yield the history of three benchmarks, for a picture: two changes, one that is taken back, and none."""
    kinds = {"parse": {40: 1.1, 95: 1.06}, "render": {70: 1.08, 90: 1 / 1.08}, "save": {}}
    for number, (name, ratios) in enumerate(kinds.items()):
        known = {index: math.log(ratio) for index, ratio in ratios.items()}
        for entry in history(PLANS[2], known, seed + number, revisions):
            yield replace(entry, benchmark=name)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=10, help="for each row")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, metavar="FILE", help="instead, write a history of three benchmarks")
    options = parser.parse_args()
    if options.write:
        history_file.append(options.write, list(example(options.seed)))
        return
    head = [
        "each revision is checked against",
        "change",
        "found within 2 revisions",
        "false, in 500 revisions",
        "summed: false",
    ]
    print("| " + " | ".join(head) + " |", "|" + "---|" * len(head), sep="\n")
    for plan in PLANS:
        for size in (0.10, 0.06, 0.0):
            total, naive = Score(0, 0, 0), Score(0, 0, 0)
            for number in range(options.histories):
                seed = 1000 * options.seed + number
                known = changes(np.random.default_rng(seed), size, 10) if size else {}
                entries = history(plan, known, seed)
                (track,) = tracks(entries)
                total += score(commits(track), known)
                naive += score(summed(entries), known)
            found = f"{total.found} of {total.known} ({percent(total.found / total.known, 1)})" if size else ""
            cells = [plan.name, f"+{percent(size, 0)} or back" if size else "none", found]
            cells += [f"{wrong.false / options.histories:.2f}" for wrong in (total, naive)]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
