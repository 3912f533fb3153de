"""Which subjects share a pair of processes in a round, and in which order. Pure."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Mapping, Sequence

from gilbench.cases.benchmark import Benchmark, Subject
from gilbench.cases.case import Case
from gilbench.cases.plan import observation_seed, shuffled
from gilbench.checks.lockstep import Batch


def batches(
    subjects: Sequence[Subject],
    seed: int,
    round_: int,
    loops: Mapping[Subject, int],
    *,
    isolate: bool = False,
    alone: Collection[Subject] = (),
    ordered: Collection[str] = (),
) -> list[Batch]:
    """Return the batches of a round, each with a seed of its own: every case alone, and the benchmarks of a kind together.

    isolate: every benchmark is alone too. alone: those that are in any case, because they disturb others. ordered: the kinds
    whose benchmarks keep to the order of their files.
    """
    found = [Batch((case,), observation_seed(seed, case, round_), loops) for case in _cases(subjects, seed, round_)]
    benchmarks = [subject for subject in subjects if isinstance(subject, Benchmark)]
    draw = random.Random(f"{seed}/{round_}")
    for kind in dict.fromkeys(benchmark.kind for benchmark in benchmarks):
        mixed = in_random_order([one for one in benchmarks if one.kind == kind], draw, in_place=kind in ordered)
        together = [one for one in mixed if not isolate and one not in alone]
        groups = [together, *([one] for one in mixed if one not in together)]
        found += [
            Batch(tuple(group), _seed(f"{seed}/{kind}/{at}/{round_}"), loops)
            for at, group in enumerate(groups)
            if group
        ]
    return found


def in_random_order(benchmarks: Sequence[Benchmark], draw: random.Random, *, in_place: bool) -> list[Benchmark]:
    """Return the benchmarks with their files in random order and, unless `in_place`, those of a file in random order too.

    Files stay together, so that what a file sets up once is set up once in each process.
    """
    files: dict[str, list[Benchmark]] = {}
    for benchmark in sorted(benchmarks):
        files.setdefault(benchmark.file, []).append(benchmark)
    found = []
    for file in draw.sample(list(files), len(files)):
        mixed = draw.sample(files[file], len(files[file]))
        found += sorted(mixed, key=lambda one: one.place) if in_place else mixed
    return found


def _cases(subjects: Sequence[Subject], seed: int, round_: int) -> list[Case]:
    return shuffled([subject for subject in subjects if isinstance(subject, Case)], seed, round_)


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
