"""The command that repeats a run, made from its plan. A report ends with it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import PurePath
from typing import Final

from gilbench.cases.case import Case
from gilbench.cases.plan import FOR_PROBES, PROFILES, TIMEOUT, Plan, Profile, Selection, cases_of
from gilbench.machine import Value
from gilbench.process.levels import LEVELED
from gilbench.results.summary import Summary
from gilbench.schedulers import all_schedulers
from gilbench.targets.builtin import all_workloads, choose
from gilbench.variables import DATA, ITEMS, PYTHON, WITH

# Environment variables of a plan that an option sets.
OPTIONS: Final[Mapping[str, str]] = {
    DATA: "--data",
    PYTHON: "--python",
    ITEMS: "--items",
}


def command(summary: Summary) -> str:
    """Return a shell command that plans the same cases in the same order.

    Paths are cut to their last part, because a report is made to be shared and a path reveals a person's folders. If no
    shorter command plans the same cases with the workloads and schedulers installed now, it names all of them.
    """
    plan = summary.plan
    if plan is None:
        return "gilbench run"
    options = [
        *_selection(plan, summary.machine),
        *_profile(plan.profile, bool(summary.probes)),
        *_environment(plan.environment),
    ]
    if plan.timeout != TIMEOUT:
        options += ["--timeout", f"{plan.timeout:g}"]
    if summary.probes:
        options.append("--probe")
    return shlex.join(["gilbench", "run", *options, "--seed", str(plan.seed)])


def _selection(plan: Plan, machine: Mapping[str, Value]) -> list[str]:
    """Return the shortest options that select the plan's cases: none if the profile alone does."""
    if set(plan.cases) == set(_planned(plan, Selection(), machine)):
        return []
    workloads = tuple(dict.fromkeys(case.workload for case in plan.cases))
    # Baselines are added automatically, so sync is named only if it is alone.
    others: Sequence[Case] = [case for case in plan.cases if case.scheduler != "sync"] or plan.cases
    full = Selection(
        workloads,
        tuple(dict.fromkeys(case.scheduler for case in others)),
        tuple(dict.fromkeys(case.size for case in plan.cases)),
        tuple(sorted({case.parallelism for case in others})),
    )
    everything = Selection(workloads)
    # A single worker is also an arm of a wider case, and is then added automatically.
    wide = tuple(count for count in full.workers if count > 1)
    ways = product((everything.schedulers, full.schedulers), (everything.sizes, full.sizes), ((), wide, full.workers))
    for schedulers, sizes, workers in ways:
        shorter = Selection(workloads, schedulers, sizes, workers)
        if set(plan.cases) == set(_planned(plan, shorter, machine)):
            return _as_options(shorter)
    return _as_options(full)


def _planned(plan: Plan, selection: Selection, machine: Mapping[str, Value]) -> tuple[Case, ...]:
    """Return the cases that this selection asks for here; none if it names something that is not installed.

    For a plan from before there were levels they are what was planned then, which today's command measures too.
    """
    known = all_workloads()
    if not set(selection.workloads) <= set(known) or not set(selection.schedulers) <= set(all_schedulers()):
        return ()
    cpus = machine.get("usable_cpus")
    workloads = choose(known, selection.workloads)
    return cases_of(
        workloads,
        all_schedulers(),
        plan.profile,
        selection,
        cpus if isinstance(cpus, int) and cpus > 0 else 1,
        leveled=any(case.level == LEVELED for case in plan.cases),
    )


def _as_options(selection: Selection) -> list[str]:
    return [
        *map(_last_part, selection.workloads),
        *(part for name in selection.schedulers for part in ("--scheduler", name)),
        *(part for name in selection.sizes for part in ("--size", name)),
        *(part for count in selection.workers for part in ("--workers", str(count))),
    ]


def _profile(profile: Profile, probed: bool) -> Iterator[str]:
    """Yield the option for the profile, and options for whatever differs from it. probed: with --probe, too."""
    usual = PROFILES.get(profile.name)
    if usual is None:
        return
    yield from ("--profile", profile.name)
    if profile.max_time != usual.max_time:
        whole = profile.max_time / (1 - FOR_PROBES) if probed else profile.max_time
        yield from ("--max-time", f"{whole:g}")
    if profile.precision != usual.precision:
        yield from ("--precision", f"{profile.precision:g}")
    if profile.max_observations != usual.max_observations:
        yield from ("--max-observations", str(profile.max_observations))


def _environment(environment: Mapping[str, str]) -> Iterator[str]:
    for variable, option in OPTIONS.items():
        if variable in environment:
            yield from (option, _last_part(environment[variable]))
    for package in shlex.split(environment.get(WITH, "")):
        yield from ("--with", package)


def _last_part(value: str) -> str:
    """Return an absolute path's last part, and any other value whole: a path inside a project reveals nobody's folders."""
    path = PurePath(value)
    return path.name if path.is_absolute() else value
