"""One call of `gilbench run`, from options to exit code: plan it or find the interrupted one, measure, say what came out."""

from __future__ import annotations

import glob
import os
import random
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from bench import plan as planning
from bench import units
from bench.errors import UserError
from bench.machine import Value, fingerprint, usable_cpus
from bench.plan import Plan, Profile
from bench.progress import progress
from bench.registry import all_workloads
from bench.results import Result, read_journal
from bench.run import TIME_UP, Interrupted, Workers, measure_into
from bench.schedulers import all_schedulers
from workloads import SIZES

SAME_SOFTWARE = (
    "cpu_model_name",
    "usable_cpus",
    "python_version",
    "python_build",
    "dask_version",
    "pandas_version",
    "numpy_version",
)


def run(options: Mapping[str, Any], err: IO[str], out: IO[str]) -> int:
    """Measure, show progress on `err`, print where the result is on `out`; return the exit code.

    Raises UserError for a mistake in the options.
    """
    resume, folder = options["resume"], options["results"]
    before = unfinished(folder, options["name"]) if resume else new(options)
    if resume:
        before = replace(before, plan=replace(before.plan, profile=adjusted(before.plan.profile, options)))
    path = folder / f"{before.name}.json"
    if not resume and (path.exists() or path.with_suffix(".jsonl").exists()):
        raise UserError(f"{path} is there already: choose another --name, or go on with it by --resume")
    if threading.current_thread() is threading.main_thread():
        signal.signal(
            signal.SIGTERM, signal.default_int_handler
        )  # stop as for Ctrl-C: keep what is measured, end the worker
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to --results {folder}: {error.strerror}") from error
    plan, began = before.plan, time.monotonic()
    err.write(introduction(plan, len(before.observations)))
    on_terminal = err.isatty() and os.environ.get("TERM") != "dumb" and "NO_COLOR" not in os.environ
    try:
        with Workers(plan.timeout, plan.environment) as workers, progress(err, bar=on_terminal) as shown:
            result = measure_into(before, path, workers, [shown], resume=resume)
    except Interrupted as interrupted:
        err.write(f"{interrupted}\n")
        return 130
    out.write(conclusion(result, path, time.monotonic() - began))
    return 1 if any(observation.failure for observation in result.observations) else 0


def new(options: Mapping[str, Any]) -> Result:
    """Return a result without observations, for the plan that the options ask for."""
    name = options["name"] or f"{time.strftime('%Y%m%d-%H%M%S')}-{options['profile']}"
    if Path(name).name != name or name.startswith("."):
        raise UserError(f"--name {name!r} must be a plain file name: the folder is chosen by --results")
    return Result(name, plan(options), fingerprint())


def plan(options: Mapping[str, Any]) -> Plan:
    """Return the plan that the options ask for. Raises UserError for unknown names and for a selection without cases."""
    profile = adjusted(planning.PROFILES[options["profile"]], options)
    schedulers, names = all_schedulers(), all_workloads()
    planning.check_names("scheduler", options["schedulers"], list(schedulers))
    planning.check_names("size", options["sizes"], SIZES)
    selection = planning.Selection(options["workloads"], options["schedulers"], options["sizes"], options["workers"])
    chosen = planning.choose(names, selection.workloads)
    reasons = {name: scheduler.unavailable() for name, scheduler in schedulers.items()}
    able = {name: scheduler for name, scheduler in schedulers.items() if reasons[name] is None}
    cases = planning.cases_of(chosen, able, profile, selection, usable_cpus())
    if not cases:
        raise UserError("nothing to measure: no scheduler of this selection has so many workers, see --workers")
    return Plan(
        profile=profile,
        cases=cases,
        seed=random.SystemRandom().randrange(2**32) if options["seed"] is None else options["seed"],
        timeout=options["timeout"],
        collections=tuple(workload.name for workload in chosen if workload.collection),
        left_out=tuple(f"{name}: {reason}" for name, reason in reasons.items() if reason),
        environment=data_environment(options["data"]),
    )


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


def unfinished(folder: Path, name: str | None) -> Result:
    """Return the interrupted run of that name, or the last one. Raises UserError where there is none to go on with."""
    journals = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    path = folder / f"{name}.jsonl" if name else journals[-1] if journals else None
    if path is None or not path.exists():
        which = f"run {name!r}" if name else "run"
        raise UserError(f"no unfinished {which} in {folder}{os.sep}: nothing to resume")
    before = read_journal(path)
    changed = differences(before.machine, fingerprint())
    if changed:
        raise UserError(f"{path} was begun with {changed}: go on there, or start a new run")
    return before


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
