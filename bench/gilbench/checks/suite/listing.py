"""Asks both arms which benchmarks there are: one process for each kind, at the same time in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gilbench.cases.benchmark import Benchmark
from gilbench.checks.arms import Arm
from gilbench.checks.driven.source_files import Found
from gilbench.checks.driven.turn_taking import Task
from gilbench.checks.suite.suite_workers import merged, talk_with
from gilbench.errors import Failure, UserError
from gilbench.process.talk import Broken


@dataclass(frozen=True)
class Listed:
    """What an arm has. failures: file -> why it could not be read. not_compared: lines. software: package -> version."""

    benchmarks: Sequence[Benchmark] = ()
    failures: Mapping[str, Failure] = field(default_factory=dict)
    not_compared: Sequence[str] = ()
    software: Mapping[str, str] = field(default_factory=dict)


def listed(
    arms: Sequence[Arm],
    found: Mapping[str, Mapping[str, Sequence[Found]]],
    timeout: float,
    environment: Mapping[str, str],
    seed: int = 0,
) -> dict[str, Listed]:
    """Return arm name -> what it has. found: arm name -> kind -> files.

    Raises UserError, with what the arm said, where an arm cannot be asked at all.
    """
    lists = {arm.name: Listed() for arm in arms}
    for kind in dict.fromkeys(kind for kinds in found.values() for kind in kinds):
        talks = {}
        try:
            for arm in arms:
                files = found[arm.name].get(kind, ())
                if files:
                    settings = merged([file.settings for file in files])
                    task = Task(kind, str(arm.here), tuple(file.file for file in files), settings=settings, seed=seed)
                    talks[arm.name] = arm, talk_with(arm, task, timeout, environment)
            for name, (arm, talk) in talks.items():
                try:
                    answer = talk.hear()
                except Broken as broken:
                    raise UserError(f"{name} ({arm.label}) cannot list its benchmarks: {broken.reason}") from None
                before = lists[name]
                lists[name] = Listed(
                    (*before.benchmarks, *(Benchmark(**benchmark) for benchmark in answer["benchmarks"])),
                    {**before.failures, **{file: Failure.from_json(said) for file, said in answer["failures"].items()}},
                    (*before.not_compared, *answer["not_compared"]),
                    answer["software"],
                )
        finally:
            for _, talk in talks.values():
                talk.end()
    return lists
