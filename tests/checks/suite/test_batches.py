"""Which benchmarks share processes, and in which order."""

from __future__ import annotations

import random
from itertools import groupby

from gilbench.cases.benchmark import Benchmark
from gilbench.cases.case import Case
from gilbench.checks.suite.batches import batches, in_random_order

TESTS = [
    Benchmark("pytest_tests", f"tests/test_{file}.py", f"{file}::{at}", place=at) for file in "abc" for at in range(4)
]
SCRIPT = [Benchmark("pyperf_scripts", "speed.py", f"speed.py::{at}", place=at) for at in range(5)]
CASES = [Case("w0", "tiny", "sync"), Case("w1", "tiny", "sync")]


def names(*found: object) -> list[str]:
    return [subject.name for batch in found for subject in batch.subjects]  # type: ignore[attr-defined]


def test_benchmarks_of_a_kind_share_processes_and_every_case_has_its_own() -> None:
    found = batches([*TESTS, *SCRIPT, *CASES], 1, 0, {})
    assert sorted(len(batch.subjects) for batch in found) == [1, 1, 5, 12]
    assert sorted(names(*found)) == sorted(one.name for one in (*TESTS, *SCRIPT, *CASES))
    assert len({batch.seed for batch in found}) == 4, "each has a memory layout of its own"


def test_the_order_and_the_layout_are_new_in_each_round_and_depend_on_the_seed_alone() -> None:
    first, again, next_round, other = (
        batches(TESTS, seed, round_, {}) for seed, round_ in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    assert first == again
    assert len({tuple(names(*found)) for found in (first, next_round, other)}) == 3
    assert len({found[0].seed for found in (first, next_round, other)}) == 3


def test_files_stay_together_and_a_scripts_benchmarks_in_their_order() -> None:
    mixed = in_random_order(TESTS, random.Random(1), in_place=False)
    assert len(list(groupby(mixed, key=lambda one: one.file))) == 3
    assert [one.place for one in mixed] != [one.place for one in TESTS]
    (script,) = batches(SCRIPT, 1, 0, {}, ordered={"pyperf_scripts"})
    assert list(script.subjects) == SCRIPT


def test_isolated_benchmarks_and_those_that_disturb_others_are_alone() -> None:
    assert [len(batch.subjects) for batch in batches(TESTS, 1, 0, {}, isolate=True)] == [1] * 12
    sizes = [len(batch.subjects) for batch in batches(TESTS, 1, 0, {}, alone={TESTS[3], TESTS[5]})]
    assert sizes == [10, 1, 1]
