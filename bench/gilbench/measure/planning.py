"""What `gilbench run` is asked for, and the plan that follows from it."""

from __future__ import annotations

import glob
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gilbench.cases.case import Case
from gilbench.cases.plan import FOR_PROBES, PROFILES, TIMEOUT, Plan, Profile, Selection, cases_of, drawn_seed
from gilbench.errors import UserError, check_names
from gilbench.measure.software import Software
from gilbench.results.records import Result
from gilbench.schedulers import all_schedulers
from gilbench.targets import naming
from gilbench.targets.workload import SIZES, Workload
from gilbench.variables import DATA, ITEMS, PYTHON, WITH

FOLDER = Path("results")  # for results, unless the user names another
REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w,.-]+])?( ?(===?|[<>!~]=|[<>]) ?[\w.*+!-]+,?)*")
SECONDS_PROBING = 15  # what the probes of one workload take, roughly


@dataclass(frozen=True)
class RunOptions:
    """What `gilbench run` is asked for; the names are those of its options.

    workloads: names, families, patterns, and the user's own work; empty for all. schedulers, sizes, workers: only these;
    empty for what the profile holds. data: a glob of CSV files. items: as for targets.items.items_of. python: version or
    path of another interpreter. packages: requirements for its environment. results: folder. max_time: seconds for the whole
    run. precision: a fraction. timeout: seconds for one observation. None leaves a value to the profile; without a seed, one
    is drawn.
    """

    workloads: tuple[str, ...] = ()
    items: str | None = None
    profile: str = "default"
    schedulers: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    workers: tuple[int, ...] = ()
    data: str | None = None
    python: str | None = None
    packages: tuple[str, ...] = ()
    name: str | None = None
    results: Path = FOLDER
    resume: bool = False
    probe: bool = False
    max_time: float | None = None
    precision: float | None = None
    max_observations: int | None = None
    timeout: float = TIMEOUT
    seed: int | None = None
    dry_run: bool = False


def plan(options: RunOptions, software: Software) -> Plan:
    """Return the plan that the options ask for. Raises UserError for unknown names and for a selection without cases."""
    profile = adjusted(PROFILES[options.profile], options)
    workloads, selection = chosen(options)
    able = {name: scheduler for name, scheduler in all_schedulers().items() if name not in software.schedulers}
    planned = cases_of(workloads, able, profile, selection, int(software.machine["usable_cpus"]))
    cases = tuple(case for case in planned if case.workload not in software.lacking)
    left_out = unable(planned, selection, software)
    if not cases:
        why = "; ".join(left_out) or "no scheduler of this selection can have that many workers: see --workers"
        raise UserError(f"nothing to measure: {why}")
    return Plan(
        profile=profile,
        cases=cases,
        seed=drawn_seed() if options.seed is None else options.seed,
        timeout=options.timeout,
        collections=tuple(workload.name for workload in workloads if workload.collection),
        left_out=left_out,
        environment=data_environment(options.data)
        | ({} if options.items is None else {ITEMS: options.items})
        | ({PYTHON: software.tag} if software.tag else {})
        | ({WITH: shlex.join(options.packages)} if options.packages else {}),
    )


def chosen(options: RunOptions) -> tuple[list[Workload], Selection]:
    """Return the workloads that the options ask for, and the selection. Raises UserError for unknown names and files."""
    check_names("scheduler", options.schedulers, list(all_schedulers()))
    check_names("size", options.sizes, SIZES)
    data_environment(options.data)
    selection = Selection(options.workloads, options.schedulers, options.sizes, options.workers)
    with naming.loaded_within(options.timeout, selection.workloads):
        return naming.chosen(selection.workloads, options.items), selection


def check_packages(options: RunOptions) -> None:
    """Raise UserError for a requirement that has no environment to go to, or that is not one of an index.

    A path or an address would end up in the result, which is made to be shared.
    """
    if options.python is None:
        raise UserError("--with changes the environment of another interpreter: name that one with --python")
    for package in options.packages:
        if not REQUIREMENT.fullmatch(package):
            raise UserError(f"--with {package!r} is not a package with a version, such as pandas==3.0.3")


def unable(planned: Sequence[Case], selection: Selection, software: Software) -> tuple[str, ...]:
    """Return lines that name what was asked for but cannot be measured with this software, and why."""
    lines = [
        f"{name}: {reason}"
        for name, reason in software.schedulers.items()
        if not selection.schedulers or name in selection.schedulers
    ]
    without: dict[str, list[str]] = {}
    for name in dict.fromkeys(case.workload for case in planned if case.workload in software.lacking):
        without.setdefault(software.lacking[name], []).append(name)
    return (*lines, *(f"{', '.join(names)}: {module} cannot be imported" for module, names in without.items()))


def adjusted(profile: Profile, options: RunOptions) -> Profile:
    """Return the profile with the values that the user set."""
    if options.max_time is not None:
        profile = replace(profile, max_time=options.max_time)
    if options.precision is not None:
        profile = replace(profile, precision=options.precision)
    if options.max_observations is not None:
        profile = replace(profile, max_observations=options.max_observations)
    if options.probe and options.max_time is not None:
        profile = replace(profile, max_time=profile.max_time * (1 - FOR_PROBES))
    return replace(profile, min_observations=min(profile.min_observations, profile.max_observations))


def data_environment(pattern: str | None) -> dict[str, str]:
    """Return the variables that let the csv workloads read the user's own files. Raises UserError where no file matches."""
    if pattern is None:
        return {}
    absolute = str(Path(pattern).expanduser().absolute())
    if not glob.glob(absolute, recursive=True):  # noqa: PTH207 - Path.glob takes no absolute pattern
        raise UserError(f"no file matches --data {pattern!r}: quote the pattern, and check the folder")
    return {DATA: absolute}


def cases_to_probe(result: Result) -> tuple[Case, ...]:
    """Return the cases whose time is known and can be explained, in the order of the plan."""
    timed = {observation.case for observation in result.observations if not observation.failure}
    return tuple(case for case in result.plan.cases if case in timed and case.measure == "time")
