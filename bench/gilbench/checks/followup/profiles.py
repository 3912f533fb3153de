"""Profiles of both arms, side by side: in which functions the difference is."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from gilbench import units
from gilbench.cases.benchmark import Benchmark
from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.checks.arms import Arm
from gilbench.checks.driven.turn_taking import Task
from gilbench.checks.scope import CheckOptions
from gilbench.checks.suite.suite_workers import talk_with
from gilbench.console import printable
from gilbench.errors import Failure, UserError
from gilbench.process.talk import Broken
from gilbench.results.verdicts import Line, ordered

SHOWN = 12  # functions
ROUNDS = 3  # profiles of each arm; what is not in all of them is chance
LEAST = 0.01  # of base's time: a smaller difference is not shown
CASE = re.compile(r"(.+?):\w+:[\w-]+:\d+x\d+(:.*)?", re.DOTALL)  # WORKLOAD:SIZE:SCHEDULER:SHAPE, as Case.name
Profile = Mapping[str, Sequence[float]]  # function -> seconds inside it and calls, for each compute
ProfileOf = Callable[[Arm], Profile]
Settings = Mapping[str, Mapping[str, Mapping[str, Any]]]


def next_step(lines: Sequence[Line], options: CheckOptions) -> list[str]:
    """Return what to do where head differs: the one command that profiles both arms. Empty where it does not differ."""
    changed = [line for line in ordered(lines) if line.kind in ("regression", "improvement") and not line.reason]
    if not changed or options.inject or options.aa:
        return []
    named = CASE.fullmatch(changed[0].case)
    chosen = named[1] if named else changed[0].case
    arms = ["--base", options.base, *(["--head", options.head] if options.head else [])]
    size = ["--size", options.size] if options.size != "tiny" else []
    command = shlex.join(["gilbench", "check", *arms, *size, "--profile", chosen])
    return [f"{changed[0].case} differs: see in which functions, in both arms: {command}"]


def of_cases(cases: Sequence[Case], timeout: float) -> dict[str, ProfileOf]:
    """Return workload -> how to profile it, under sync, in an arm. timeout: seconds, for each profile."""
    under_sync = {case.workload: dataclasses.replace(case, scheduler="sync", workers=1, threads=1) for case in cases}
    return {workload: partial(_profile, case, timeout) for workload, case in under_sync.items()}


def of_benchmarks(
    benchmarks: Sequence[Benchmark], settings: Settings, timeout: float, environment: Mapping[str, str]
) -> dict[str, ProfileOf]:
    """Return benchmark -> how to profile it in an arm.

    settings: kind -> file -> what it needs. timeout: seconds, for each profile. environment: variables on top of the user's own.
    """
    return {
        one.name: partial(_profile_benchmark, one, settings.get(one.kind, {}).get(one.file, {}), timeout, environment)
        for one in benchmarks
    }


def show(subjects: Mapping[str, ProfileOf], arms: tuple[Arm, Arm]) -> str:
    """Return, for each subject, the functions that differ most between the arms. Raises UserError where it cannot be profiled."""
    parts = []
    for name, profile in subjects.items():
        rounds = [[profile(arm) for arm in arms] for _ in range(ROUNDS)]
        base, head = (least([profiled[side] for profiled in rounds]) for side in range(2))
        parts.append("\n".join([name, *table(base, head)]))
    return printable_lines("\n\n".join(parts)) + "\n"


def least(profiles: Sequence[Profile]) -> Profile:
    """Return the shortest time of each function, for what else ran only adds to it. Functions that one profile lacks have 0."""
    names = list(dict.fromkeys(name for profile in profiles for name in profile))
    nothing = (0.0, 0.0)
    return {
        name: min((profile.get(name, nothing) for profile in profiles), key=lambda found: found[0]) for name in names
    }


def table(base: Profile, head: Profile) -> list[str]:
    """Return lines with the functions whose time inside them differs most, the largest difference first."""
    nothing = (0.0, 0.0)
    differences = {name: head.get(name, nothing)[0] - base.get(name, nothing)[0] for name in {**base, **head}}
    totals = [sum(seconds for seconds, _ in profile.values()) for profile in (base, head)]
    matter = [name for name, seconds in differences.items() if abs(seconds) >= LEAST * totals[0]]
    largest = sorted(matter, key=lambda name: (-abs(differences[name]), name))[:SHOWN]
    lines = [f"{'head - base':>12s}  {'base':>9s}  {'head':>9s}  {'calls':>15s}  function"]
    for name in largest:
        (before, calls), (now, again) = base.get(name, nothing), head.get(name, nothing)
        difference = f"{'+' if differences[name] >= 0 else '-'}{units.seconds(abs(differences[name]))}"
        counts = f"{calls:.4g}" if calls == again else f"{calls:.4g} -> {again:.4g}"
        lines.append(f"{difference:>12s}  {units.seconds(before):>9s}  {units.seconds(now):>9s}  {counts:>15s}  {name}")
    if not largest:
        lines.append(f"no function differs by {LEAST:.0%} of base's time")
    lines.append(
        f"{'':12s}  {units.seconds(totals[0]):>9s}  {units.seconds(totals[1]):>9s}  {'':15s}  all, for each compute"
    )
    lines.append("A profiler slows calls down more than loops: trust the check for how much, and this for where.")
    return lines


def printable_lines(text: str) -> str:
    """Return text without control characters other than the ends of its lines."""
    return "\n".join(map(printable, text.split("\n")))


def _profile(case: Case, timeout: float, arm: Arm) -> Profile:
    order = arm.folder / "profile.json"
    content = {"order": dataclasses.asdict(Order(case, 0, 1, "function", 0.0)), "tree": str(arm.tree)}
    order.write_text(json.dumps(content))
    try:
        done = subprocess.run(
            [arm.python, "-P", "-m", "gilbench.checks.followup.profiled", str(order)],
            capture_output=True,
            text=True,
            env={**os.environ, **arm.environment},
            cwd=arm.folder,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"{arm.name}: {case.workload} was not profiled within {timeout:.0f} s: see --timeout"
        ) from error
    try:
        found: Profile = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        said = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise UserError(f"{arm.name}: {case.workload} cannot be profiled: {printable(said)}") from None
    return found


def _profile_benchmark(
    benchmark: Benchmark, settings: Mapping[str, Any], timeout: float, environment: Mapping[str, str], arm: Arm
) -> Profile:
    order, files = (benchmark.name,), (benchmark.file,)
    task = Task(benchmark.kind, str(arm.here), files, order, settings=settings, profile=True)
    talk = talk_with(arm, task, timeout, environment)
    try:
        answer: Mapping[str, Any] = {}
        while "profile" not in answer:
            answer = talk.hear()
            if answer.get("ended"):
                why = Failure.from_json(answer["failed"]).reason if answer.get("failed") else "it takes no turns"
                raise UserError(f"{arm.name}: {benchmark.name} cannot be profiled: {printable(why)}")
        found: Profile = answer["profile"]
        return found
    except Broken as broken:
        raise UserError(f"{arm.name}: {benchmark.name} cannot be profiled: {printable(broken.reason)}") from None
    finally:
        talk.end()
