"""Live workers for benchmarks: one process opens the benchmarks of a batch one after the other (see checks.driven)."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gilbench.cases.benchmark import Benchmark, Subject
from gilbench.checks.arms import Arm
from gilbench.checks.driven.turn_taking import Task
from gilbench.checks.lockstep import Batch, Ended, NotStarted, fix_addresses, pin
from gilbench.errors import Failure
from gilbench.process import child
from gilbench.process.levels import AS_IS
from gilbench.process.talk import Broken, Talk

DRIVER = ("-P", "-m", "gilbench.checks.driven.driver")


def talk_with(arm: Arm, task: Task, timeout: float, environment: Mapping[str, str]) -> Talk:
    """Start a driver in an arm. Its addresses and layout come from the task's seed; what it prints goes with the arm."""
    given = {**environment, **arm.environment}
    variables = child.environment(task.seed, pinned=True, level=AS_IS, given=given)
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTHONDONTWRITEBYTECODE"):
        variables.pop(name, None)
    return Talk(
        [arm.python, *DRIVER],
        dataclasses.asdict(task),
        variables,
        timeout,
        scratch=arm.folder,
        cwd=arm.folder,
        preexec_fn=fix_addresses if sys.platform == "linux" else None,
    )


@dataclass(frozen=True)
class Suites:
    """Starts a worker for each arm and batch that it is called with.

    settings: kind -> file -> what it needs (see Task). timeout: seconds for each answer. cpus: those that workers are kept to.
    slowdown: arm name -> fraction to be slower by. environment: variables on top of the user's own.
    """

    settings: Mapping[str, Mapping[str, Mapping[str, Any]]]
    timeout: float
    cpus: Sequence[int] = ()
    slowdown: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, arm: Arm, batch: Batch) -> SuiteWorker:
        """Start a worker."""
        benchmarks = [subject for subject in batch.subjects if isinstance(subject, Benchmark)]
        kind = benchmarks[0].kind
        files = tuple(dict.fromkeys(benchmark.file for benchmark in benchmarks))
        task = Task(
            kind=kind,
            tree=str(arm.here),
            files=files,
            order=tuple(benchmark.name for benchmark in benchmarks),
            loops={subject.name: loops for subject, loops in batch.loops.items() if subject in benchmarks},
            calibrates=arm.name == "base",
            slowdown=self.slowdown.get(arm.name, 0.0),
            seed=batch.seed,
            settings=merged([self.settings.get(kind, {}).get(file, {}) for file in files]),
        )
        return SuiteWorker(talk_with(arm, task, self.timeout, self.environment), self.cpus)


def merged(settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings of several files of one kind together: what they share is the same in all of them."""
    return {key: value for some in settings for key, value in some.items()}


class SuiteWorker:
    """A real process that opens one benchmark after the other."""

    def __init__(self, talk: Talk, cpus: Sequence[int]) -> None:
        self._talk, self._cpus = talk, cpus
        self._started = False
        self._ended: dict[str, Mapping[str, Any]] = {}  # those that ended before they were asked for

    def open(self, subject: Subject) -> Mapping[str, Any]:
        """Wait until it is open, then keep the process to one CPU, the same in both arms."""
        if not self._started:
            try:
                self._hear_started()
            except Broken as broken:
                raise NotStarted(broken.kind, broken.reason) from broken
        while subject.name not in self._ended:
            answer = self._talk.hear()
            if "ready" in answer and answer["benchmark"] == subject.name:
                pin(self._talk.process.pid, self._cpus[:1])
                return answer
            if not answer.get("ended"):
                raise Broken("out of order", f"{answer.get('benchmark') or 'nothing'} came instead: use --isolate")
            self._ended[answer["benchmark"]] = answer
        self._raise_for(self._ended[subject.name])
        raise Ended("not measured", "it takes no turns")

    def turn(self, loops: int) -> float:
        """Grant one turn and return its value, in seconds."""
        self._talk.say(str(loops))
        answer = self._talk.hear()
        if "value" not in answer:
            self._raise_for(answer)
            raise Ended("not measured", "it ended before its turns did")
        return float(answer["value"])

    def close(self) -> Mapping[str, Any]:
        """Let it end; return its remarks, and whether it leaves something that runs."""
        self._talk.say("0")
        answer = self._talk.hear()
        self._raise_for(answer)
        return answer

    def end(self) -> None:
        """End it and all that it started."""
        self._talk.end()

    def _hear_started(self) -> None:
        answer = self._talk.hear()
        while not answer.get("started"):
            self._ended[answer["benchmark"]] = answer
            answer = self._talk.hear()
        self._started = True

    @staticmethod
    def _raise_for(answer: Mapping[str, Any]) -> None:
        if answer.get("failed"):
            failure = Failure.from_json(answer["failed"])
            raise Ended(failure.kind, failure.reason)
