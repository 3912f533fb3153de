"""Change points of histories: known changes are found where they are, and chance and machines are none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from gilbench.explain.change_points import Step, change_points, scatter
from gilbench.explain.tracks import Track, tracks
from gilbench.results.history_file import Entry
from gilbench.results.verdicts import Revision

Script = Callable[[str], ModuleType]
NOISE = 0.007


def revision(index: int) -> Revision:
    return Revision(f"{index:040x}", f"2026-01-01T{index // 60:02d}:{index % 60:02d}:00Z")


def history(pairs: list[tuple[int, int]], levels: dict[int, float], seed: int = 1, half: float = 0.025) -> list[Entry]:
    """Checks of (base, head) with normal noise. levels: revision -> time from there on, as a multiple of the first's."""
    rng = np.random.default_rng(seed)

    def level(index: int) -> float:
        return [1.0, *(value for start, value in sorted(levels.items()) if start <= index)][-1]

    found = []
    for base, head in pairs:
        ratio = level(head) / level(base) * math.exp(rng.normal(0, NOISE))
        ends = ratio * math.exp(-half), ratio * math.exp(half)
        found.append(Entry("b", revision(base), revision(head), ratio, *ends, 0.01, 20))
    return found


CHAIN = [(index - 1, index) for index in range(1, 120)]
STAR = [(0, index) for index in range(1, 120)]
RELEASES = [((index - 1) // 30 * 30, index) for index in range(1, 120)]
MIXED = CHAIN[:60] + [(59, index) for index in range(60, 120)] + [(10, 100)]
DESIGNS = {"chain": CHAIN, "one base": STAR, "releases": RELEASES, "mixed": MIXED}


def track(*arguments: object, **more: object) -> Track:
    (found,) = tracks(history(*arguments, **more))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("design", DESIGNS)
def test_changes_are_found_where_they_are(design: str) -> None:
    found = track(DESIGNS[design], {40: 1.1, 80: 1.04})
    assert [change.first for change in found.changes] == [40, 80]
    assert [change.ratio.value for change in found.changes] == pytest.approx([1.1, 1.04 / 1.1], abs=0.025)
    assert all(change.ratio.low < change.ratio.value < change.ratio.high for change in found.changes)
    assert found.revisions[40] == revision(40)
    assert found.before(found.changes[0]) == revision(39)
    assert found.levels[-1] == pytest.approx(1.04, abs=0.03)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("seed", range(5))
def test_chance_is_no_change(design: str, seed: int) -> None:
    assert track(DESIGNS[design], {}, seed=seed).changes == ()


def test_a_change_that_is_soon_taken_back_is_two() -> None:
    for pairs in (CHAIN, STAR):
        assert [change.first for change in track(pairs, {50: 1.1, 53: 1.0}).changes] == [50, 53]


def test_small_changes_are_found_against_one_base_because_errors_average_out() -> None:
    (change,) = track(STAR, {60: 1.02}).changes
    assert abs(change.first - 60) <= 2


def test_less_than_a_percent_is_not_named() -> None:
    assert track(STAR, {60: 1.007}).changes == ()


def test_another_machine_is_no_change() -> None:
    entries = history(CHAIN, {40: 1.1})
    slower = [replace(entry, base_seconds=entry.base_seconds * (3 if i > 70 else 1)) for i, entry in enumerate(entries)]
    assert tracks(slower) == tracks(entries)


def test_the_order_of_the_lines_means_nothing() -> None:
    entries = history(MIXED, {40: 1.1})
    assert repr(tracks(entries[::-1])[0].changes[0].first) == repr(tracks(entries)[0].changes[0].first) == "40"


def test_a_base_that_is_newer_than_its_head_counts_the_other_way() -> None:
    entries = [replace(entry, base=entry.head, head=entry.base) for entry in history(CHAIN, {40: 1 / 1.1})]
    turned = [replace(e, ratio=1 / e.ratio, low=1 / e.high, high=1 / e.low) for e in entries]
    assert [change.first for change in tracks(turned)[0].changes] == [40]
    assert tracks(turned)[0].changes[0].ratio.value == pytest.approx(1 / 1.1, abs=0.02)


def test_few_revisions_need_a_clear_change() -> None:
    assert [change.first for change in track(CHAIN[:3], {2: 1.3}).changes] == [2]
    assert track(CHAIN[:3], {2: 1.02}).changes == ()
    assert track(CHAIN[:1], {}).changes == ()


def test_a_check_with_a_wide_interval_is_no_change() -> None:
    entries = history(CHAIN, {})
    entries[50] = replace(entries[50], ratio=1.2, low=1.2 / 1.5, high=1.2 * 1.5)
    assert tracks(entries)[0].changes == ()


def test_what_no_check_connects_is_said() -> None:
    found = track([(0, 1), (1, 2), (3, 4), (4, 5)], {})
    assert found.apart == (3,)


def test_points_stand_at_the_level_of_their_base_times_the_ratio() -> None:
    found = track(CHAIN, {40: 1.1})
    for point in found.points:
        assert point.level.value == pytest.approx(1.1 if point.revision >= 40 else 1.0, abs=0.04)
        assert point.level.low < point.level.value < point.level.high


def test_each_benchmark_has_a_track_of_its_own() -> None:
    entries = history(CHAIN, {40: 1.1})
    found = tracks([*entries, *(replace(entry, benchmark="a") for entry in history(CHAIN, {}))])
    assert [(track.benchmark, len(track.changes)) for track in found] == [("a", 0), ("b", 1)]


def test_scatter_is_that_of_the_checks_and_few_checks_are_not_trusted_to_be_better_than_their_intervals() -> None:
    rng = np.random.default_rng(1)
    steps = [Step(i, i + 1, float(rng.normal(0, 0.005)), 0.01) for i in range(200)]
    assert scatter(steps)[0] == pytest.approx(0.5, abs=0.1)
    assert scatter(steps[:10]) == (1.0, math.inf)
    assert scatter([]) == (1.0, math.inf)
    assert change_points([], 0) == []


# --- What the docs say: docs/simulate_history.py


@pytest.mark.parametrize("number", [0, 1])
def test_steps_in_500_revisions_are_found_and_none_is_made_up(script: Script, number: int) -> None:
    """Checks decided as real ones are, of 500 revisions: at least 95 % of +10 % steps within 2, at most 1 false."""
    simulate = script("simulate_history")
    total, seed = simulate.Score(0, 0, 0), 70 + number
    for plan, size in ((simulate.PLANS[number], 0.1), (simulate.PLANS[number], 0.0)):
        known = simulate.changes(np.random.default_rng(seed), size, 10) if size else {}
        (found,) = tracks(simulate.history(plan, known, seed))
        assert len(found.revisions) == simulate.REVISIONS
        total += simulate.score(simulate.commits(found), known)
    assert total.found >= 0.95 * total.known == 9.5
    assert total.false <= 1


def test_a_plain_sum_along_the_chain_makes_changes_up(script: Script) -> None:
    """Why checks are not summed: the errors add up, and look like changes."""
    simulate = script("simulate_history")
    entries = history(CHAIN * 1, {})
    assert len(simulate.summed(entries)) >= 2
    assert tracks(entries)[0].changes == ()
