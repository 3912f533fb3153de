"""One call of `gilbench run`, from options to exit code: plan it or find the interrupted one, measure, say what came out."""

from __future__ import annotations

import glob
import os
import random
import shlex
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from bench import environments, units
from bench import plan as planning
from bench.environments import Interpreter, Software
from bench.errors import UserError
from bench.machine import Value
from bench.plan import Case, Plan, Profile, Selection
from bench.progress import bar_wanted, progress
from bench.registry import all_workloads
from bench.results import Result, read_journal
from bench.run import TIME_UP, Interrupted, Workers, measure_into
from bench.schedulers import all_schedulers
from workloads import SIZES, Workload

PYTHON = "GILBENCH_PYTHON"  # in a plan's environment: which --python was asked for, without any path
SAME_SOFTWARE = (
    "cpu_model_name",
    "usable_cpus",
    "python_version",
    "python_build",
    "gil",
    "dask_version",
    "pandas_version",
    "numpy_version",
)


def run(options: Mapping[str, Any], err: IO[str], out: IO[str]) -> int:
    """Measure, show progress on `err`, print where the result is on `out`; return the exit code.

    Raises UserError for a mistake in the options.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(
            signal.SIGTERM, signal.default_int_handler
        )  # stop as for Ctrl-C: keep what is measured, end the worker
    try:
        return _run(options, err, out)
    except Interrupted as interrupted:
        err.write(f"{interrupted}\n")
    except KeyboardInterrupt:
        err.write("interrupted\n")
    return 130


def _run(options: Mapping[str, Any], err: IO[str], out: IO[str]) -> int:
    """Find the mistakes first: an environment takes a minute to make."""
    interpreter = environments.find(options["python"]) if options["python"] else None
    chosen(options)
    if options["dry_run"]:
        with software_of(interpreter, err) as software:
            out.writelines(f"{case.name}\n" for case in plan(options, software).cases)
        return 0
    before = unfinished(options["results"], options["name"], interpreter) if options["resume"] else None
    path = options["results"] / f"{before.name if before else new_name(options, interpreter)}.json"
    if not before and (path.exists() or path.with_suffix(".jsonl").exists()):
        raise UserError(f"{path} is there already: choose another --name, or go on with it by --resume")
    with software_of(interpreter, err) as software:
        if before:
            result = resumed(before, path, options, software)
        else:
            result = Result(path.stem, plan(options, software), software.machine)
        return _measure(result, path, options, software, err, out)


def _measure(
    before: Result, path: Path, options: Mapping[str, Any], software: Software, err: IO[str], out: IO[str]
) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to --results {path.parent}: {error.strerror}") from error
    plan, began = before.plan, time.monotonic()
    environment = {**plan.environment, **software.environment}
    again = f" --python {shlex.quote(options['python'])}" if software.tag else ""
    err.write(introduction(plan, len(before.observations)))
    with (
        Workers(plan.timeout, environment, software.python) as workers,
        progress(err, bar=bar_wanted(err)) as shown,
    ):
        result = measure_into(before, path, workers, [shown], resume=options["resume"], again=again)
    out.write(conclusion(result, path, time.monotonic() - began))
    return 1 if any(observation.failure for observation in result.observations) else 0


def software_of(interpreter: Interpreter | None, err: IO[str]) -> AbstractContextManager[Software]:
    """Return a context manager that yields what the workers run on: our interpreter, or another one."""
    if interpreter is None:
        return nullcontext(environments.here())

    def say(line: str) -> None:
        err.write(f"{line}\n")
        err.flush()

    return environments.prepared(interpreter, say)


def new_name(options: Mapping[str, Any], interpreter: Interpreter | None) -> str:
    """Return the name of a new result. Raises UserError where the user's is a path."""
    which = f"-{interpreter.name}" if interpreter else ""
    name: str = options["name"] or f"{time.strftime('%Y%m%d-%H%M%S')}-{options['profile']}{which}"
    if Path(name).name != name or name.startswith("."):
        raise UserError(f"--name {name!r} must be a plain file name: the folder is chosen by --results")
    return name


def chosen(options: Mapping[str, Any]) -> tuple[list[Workload], Selection]:
    """Return the workloads that the options ask for, and the selection. Raises UserError for unknown names and files."""
    planning.check_names("scheduler", options["schedulers"], list(all_schedulers()))
    planning.check_names("size", options["sizes"], SIZES)
    data_environment(options["data"])
    selection = Selection(options["workloads"], options["schedulers"], options["sizes"], options["workers"])
    return planning.choose(all_workloads(), selection.workloads), selection


def plan(options: Mapping[str, Any], software: Software) -> Plan:
    """Return the plan that the options ask for. Raises UserError for unknown names and for a selection without cases."""
    profile = adjusted(planning.PROFILES[options["profile"]], options)
    workloads, selection = chosen(options)
    able = {name: scheduler for name, scheduler in all_schedulers().items() if name not in software.schedulers}
    cpus = int(software.machine["usable_cpus"])
    planned = planning.cases_of(workloads, able, profile, selection, cpus)
    cases = tuple(case for case in planned if case.workload not in software.lacking)
    left_out = unable(planned, selection, software)
    if not cases:
        why = "; ".join(left_out) or "no scheduler of this selection has so many workers, see --workers"
        raise UserError(f"nothing to measure: {why}")
    return Plan(
        profile=profile,
        cases=cases,
        seed=random.SystemRandom().randrange(2**32) if options["seed"] is None else options["seed"],
        timeout=options["timeout"],
        collections=tuple(workload.name for workload in workloads if workload.collection),
        left_out=left_out,
        environment=data_environment(options["data"]) | ({PYTHON: software.tag} if software.tag else {}),
    )


def unable(planned: Sequence[Case], selection: Selection, software: Software) -> tuple[str, ...]:
    """Return lines that name what was asked for and cannot be measured with this software, and why."""
    lines = [
        f"{name}: {reason}"
        for name, reason in software.schedulers.items()
        if not selection.schedulers or name in selection.schedulers
    ]
    without: dict[str, list[str]] = {}
    for name in dict.fromkeys(case.workload for case in planned if case.workload in software.lacking):
        without.setdefault(software.lacking[name], []).append(name)
    return (*lines, *(f"{', '.join(names)}: {module} cannot be imported" for module, names in without.items()))


def adjusted(profile: Profile, options: Mapping[str, Any]) -> Profile:
    """Return the profile with what the user set himself."""
    for field in ("max_time", "precision", "max_observations"):
        if options[field] is not None:
            profile = replace(profile, **{field: options[field]})
    return replace(profile, min_observations=min(profile.min_observations, profile.max_observations))


def data_environment(pattern: str | None) -> dict[str, str]:
    """Return what tells the csv workloads to read the user's own files. Raises UserError where no file matches."""
    if pattern is None:
        return {}
    absolute = str(Path(pattern).expanduser().absolute())
    if not glob.glob(absolute):  # noqa: PTH207 - an absolute pattern is nothing that Path.glob takes
        raise UserError(f"no file matches --data {pattern!r}: quote the pattern, and check the folder")
    return {"GILBENCH_DATA": absolute}


def unfinished(folder: Path, name: str | None, interpreter: Interpreter | None) -> Result:
    """Return the interrupted run of that name, or the last one.

    Raises UserError where there is none to go on with, or where it was measured with another --python.
    """
    journals = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    path = folder / f"{name}.jsonl" if name else journals[-1] if journals else None
    if path is None or not path.exists():
        which = f"run {name!r}" if name else "run"
        raise UserError(f"no unfinished {which} in {folder}{os.sep}: nothing to resume")
    before = read_journal(path)
    begun, now = before.plan.environment.get(PYTHON), interpreter.tag if interpreter else None
    if begun != now:
        was = "without --python: leave it out"
        if begun:
            was = (
                f"with --python {begun}"
                + (f", not {now}: give" if now else ": add")
                + " that one, by version or by path"
            )
        raise UserError(f"{path} was begun {was}")
    return before


def resumed(before: Result, path: Path, options: Mapping[str, Any], software: Software) -> Result:
    """Return the interrupted run with what the user set himself. Raises UserError where the software has changed."""
    changed = differences(before.machine, software.machine)
    if changed:
        journal = path.with_suffix(".jsonl")
        raise UserError(f"{journal} was begun with {changed}: go on there, or start a new run")
    return replace(before, plan=replace(before.plan, profile=adjusted(before.plan.profile, options)))


def differences(before: Mapping[str, Value], now: Mapping[str, Value]) -> str:
    """Return what differs between two fingerprints in a way that changes timings, as text; empty for nothing."""
    return ", ".join(
        f"{key} {before.get(key)} (here {now.get(key)})" for key in SAME_SOFTWARE if before.get(key) != now.get(key)
    )


def introduction(plan: Plan, done: int) -> str:
    """Return the lines to read before the first observation."""
    profile = plan.profile
    lines = [
        f"{len(plan.cases)} cases, at most {units.duration(profile.max_time)}; each until its 95 % interval is within "
        f"±{profile.precision:.0%} or it was measured {profile.max_observations} times (profile {profile.name}, seed {plan.seed})"
    ]
    if done:
        lines.append(f"going on behind {done} observations")
    lines += [f"left out: {reason}" for reason in plan.left_out]
    return "\n".join(lines) + "\n"


def conclusion(result: Result, path: Path, seconds: float) -> str:
    """Return the lines to read at the end: what was measured, what failed, and what to do next."""
    failed = [observation for observation in result.observations if observation.failure]
    stops: Sequence[str] = list(result.stops.values())
    reasons = ", ".join(f"{stops.count(reason)} {reason}" for reason in dict.fromkeys(stops))
    busy = sum(float(o.metadata.get("busy_seconds", 0)) for o in result.observations)
    lines = [
        f"{len(result.observations)} observations of {len(result.plan.cases)} cases in {units.duration(seconds)}, "
        f"{busy / seconds:.0%} of it computing; stopped by: {reasons}"
    ]
    measured = {observation.case for observation in result.observations}
    missing = [case.name for case in result.plan.cases if case not in measured]
    if missing:
        lines.append(f"{len(missing)} cases were not measured at all ({TIME_UP}): {', '.join(missing)}")
    lines += [f"failed: {o.case.name}: {': '.join(o.failure or ())}" for o in failed]
    lines.append(f"result: {path}")
    lines.append(f"next: gilbench show {path}, gilbench claims {path}, gilbench plot {path}")
    return "\n".join(lines) + "\n"
