"""One call of `gilbench run`, from options to exit code: plan it or find the interrupted one, measure, say what came out."""

from __future__ import annotations

import glob
import math
import os
import random
import shlex
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from gilbench import units
from gilbench.cases.case import Case
from gilbench.cases.plan import PROFILES, TIMEOUT, Plan, Profile, Selection, cases_of
from gilbench.console import Say, bar_wanted, sayer
from gilbench.errors import UserError, check_names
from gilbench.machine import Value
from gilbench.measure import software
from gilbench.measure.live import LiveProbed, Start
from gilbench.measure.prober import of_plan
from gilbench.measure.rounds import TIME_UP, Interrupted, measure_into
from gilbench.measure.run_progress import progress
from gilbench.measure.software import Software
from gilbench.measure.workers import OVERTIME, Workers
from gilbench.process import interpreters
from gilbench.process.interpreters import Interpreter
from gilbench.results.journal import read_journal
from gilbench.results.observations import Probing, Result
from gilbench.results.result_file import load, save
from gilbench.schedulers import all_schedulers
from gilbench.targets import naming
from gilbench.targets.calls import ITEMS
from gilbench.targets.workload import SIZES, Workload

PYTHON = "GILBENCH_PYTHON"  # in a plan's environment: which --python was asked for, without any path
FOLDER = Path("results")  # where --resume looks by itself
FOR_PROBES = 1 / 3  # of --max-time, that is kept for the probes
PROBED = 15  # seconds that the probes of a workload take, about
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


@dataclass(frozen=True)
class RunOptions:
    """What `gilbench run` is asked for; the names are those of its options.

    workloads: names, families, patterns and work of the user's own; empty for all. schedulers, sizes, workers: only these;
    empty for what the profile holds. data: a glob of CSV files. items: as for targets.calls.items_of. python: version or
    path of another interpreter. results: folder. max_time: seconds for the whole. precision: a fraction. timeout: seconds
    of one observation. None leaves a value to the profile, or has it drawn.
    """

    workloads: tuple[str, ...] = ()
    items: str | None = None
    profile: str = "default"
    schedulers: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    workers: tuple[int, ...] = ()
    data: str | None = None
    python: str | None = None
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


def run(options: RunOptions, err: IO[str], out: IO[str]) -> int:
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


def _run(options: RunOptions, err: IO[str], out: IO[str]) -> int:
    """Find the mistakes first: an environment takes a minute to make."""
    interpreter = None if options.python is None else interpreters.find(options.python)
    chosen(options)
    if options.dry_run:
        with software_of(interpreter, err) as software:
            out.writelines(f"{case.name}\n" for case in plan(options, software).cases)
        return 0
    before = begun(options, interpreter) if options.resume else None
    path = options.results / f"{before.name if before else new_name(options, interpreter)}.json"
    if not before and (path.exists() or path.with_suffix(".jsonl").exists()):
        raise UserError(f"{path} is there already: choose another --name, or go on with it by --resume")
    with software_of(interpreter, err) as software:
        if before:
            result = resumed(before, path, options, software)
        else:
            result = Result(path.stem, plan(options, software), software.machine)
        return _measure(result, path, options, software, err, out)


def _measure(before: Result, path: Path, options: RunOptions, software: Software, err: IO[str], out: IO[str]) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to --results {path.parent}: {error.strerror}") from error
    began, result = time.monotonic(), before
    if not finished(path):
        result = _timed(before, path, options, software, err)
    if options.probe:
        result = _probed(result, path, options, software, err, began + (options.max_time or math.inf))
    out.write(conclusion(result, path, probed=options.probe))
    return 1 if any(observation.failure for observation in result.observations) else 0


def _timed(before: Result, path: Path, options: RunOptions, software: Software, err: IO[str]) -> Result:
    """Time with real workers."""
    plan, environment = before.plan, {**before.plan.environment, **software.environment}
    err.write(introduction(plan, len(before.observations), probed=options.probe))
    with (
        Workers(plan.timeout, environment, software.python) as workers,
        progress(err, bar=bar_wanted(err)) as shown,
    ):
        again = again_with(options, software)
        return measure_into(before, path, workers, [shown], resume=options.resume, again=again)


def _probed(result: Result, path: Path, options: RunOptions, software: Software, err: IO[str], until: float) -> Result:
    """Probe with real processes."""
    environment = {**result.plan.environment, **software.environment}

    def start(case: Case) -> LiveProbed:
        timeout = min(result.plan.timeout, max(0.0, until - time.monotonic()) + OVERTIME)
        return LiveProbed(case, timeout, environment, software.python)

    return explained(result, path, start, sayer(err), until, again_with(options, software))


def again_with(options: RunOptions, software: Software) -> str:
    """Return the options that --resume needs to go on."""
    folder = options.results
    parts = {
        " --python ": options.python if software.tag else None,
        " -o ": None if folder == FOLDER else str(folder),
        " --probe": "" if options.probe else None,
    }
    return "".join(f"{name}{value and shlex.quote(value)}" for name, value in parts.items() if value is not None)


def explained(result: Result, path: Path, start: Start, say: Say, until: float = math.inf, again: str = "") -> Result:
    """Probe what was timed, and save the result after each workload; return it.

    until: when to begin no further one, on the monotonic clock. Raises Interrupted on Ctrl-C: what was found is kept.
    """
    cases = timed(result)
    if not cases:
        return result
    probings = of_plan(replace(result.plan, cases=cases), start, say, result.probes)
    try:
        while time.monotonic() < until and (found := next(probings, None)):
            result = replace(result, probes=(*result.probes, found))
            save(result, path)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted: the timings and what was probed are kept in {path}; "
            f"go on with `gilbench run --resume --name {path.stem}{again}`"
        ) from None
    return result


def timed(result: Result) -> tuple[Case, ...]:
    """Return the cases whose time is known, as planned."""
    done = {observation.case for observation in result.observations if not observation.failure}
    return tuple(case for case in result.plan.cases if case in done and case.measure == "time")


def software_of(interpreter: Interpreter | None, err: IO[str]) -> AbstractContextManager[Software]:
    """Return a context manager that yields what the workers run on: our interpreter, or another one."""
    return nullcontext(software.here()) if interpreter is None else software.prepared(interpreter, sayer(err))


def new_name(options: RunOptions, interpreter: Interpreter | None) -> str:
    """Return the name of a new result. Raises UserError where the user's is a path."""
    which = f"-{interpreter.name}" if interpreter else ""
    name = options.name or f"{time.strftime('%Y%m%d-%H%M%S')}-{options.profile}{which}"
    if Path(name).name != name or name.startswith("."):
        raise UserError(f"--name {name!r} must be a plain file name: the folder is chosen by --results")
    return name


def chosen(options: RunOptions) -> tuple[list[Workload], Selection]:
    """Return the workloads that the options ask for, and the selection. Raises UserError for unknown names and files."""
    check_names("scheduler", options.schedulers, list(all_schedulers()))
    check_names("size", options.sizes, SIZES)
    data_environment(options.data)
    selection = Selection(options.workloads, options.schedulers, options.sizes, options.workers)
    return naming.chosen(selection.workloads, options.items), selection


def plan(options: RunOptions, software: Software) -> Plan:
    """Return the plan that the options ask for. Raises UserError for unknown names and for a selection without cases."""
    profile = adjusted(PROFILES[options.profile], options)
    workloads, selection = chosen(options)
    able = {name: scheduler for name, scheduler in all_schedulers().items() if name not in software.schedulers}
    cpus = int(software.machine["usable_cpus"])
    planned = cases_of(workloads, able, profile, selection, cpus)
    cases = tuple(case for case in planned if case.workload not in software.lacking)
    left_out = unable(planned, selection, software)
    if not cases:
        why = "; ".join(left_out) or "no scheduler of this selection has so many workers, see --workers"
        raise UserError(f"nothing to measure: {why}")
    return Plan(
        profile=profile,
        cases=cases,
        seed=random.SystemRandom().randrange(2**32) if options.seed is None else options.seed,
        timeout=options.timeout,
        collections=tuple(workload.name for workload in workloads if workload.collection),
        left_out=left_out,
        environment=data_environment(options.data)
        | ({} if options.items is None else {ITEMS: options.items})
        | ({PYTHON: software.tag} if software.tag else {}),
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


def adjusted(profile: Profile, options: RunOptions) -> Profile:
    """Return the profile with what the user set himself."""
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
    """Return what tells the csv workloads to read the user's own files. Raises UserError where no file matches."""
    if pattern is None:
        return {}
    absolute = str(Path(pattern).expanduser().absolute())
    if not glob.glob(absolute):  # noqa: PTH207 - an absolute pattern is nothing that Path.glob takes
        raise UserError(f"no file matches --data {pattern!r}: quote the pattern, and check the folder")
    return {"GILBENCH_DATA": absolute}


def finished(path: Path) -> bool:
    """Whether a run measured all that it wanted to."""
    return path.exists() and not path.with_suffix(".jsonl").exists()


def begun(options: RunOptions, interpreter: Interpreter | None) -> Result:
    """Return the interrupted run of the name that the options have, or the last one; with --probe also a finished one.

    Raises UserError where there is none to go on with, or where it was measured with another --python.
    """
    folder, name = options.results, options.name
    if options.probe and name and finished(folder / f"{name}.json"):
        path, before = folder / f"{name}.json", load(folder / f"{name}.json")
    else:
        path = unfinished(folder, name)
        before = read_journal(path)
    was, now = before.plan.environment.get(PYTHON), interpreter.tag if interpreter else None
    if was != now:
        mend = "without --python: leave it out"
        if was:
            mend = f"with --python {was}{f', not {now}: give' if now else ': add'} that one, by version or by path"
        raise UserError(f"{path} was begun {mend}")
    return before


def unfinished(folder: Path, name: str | None) -> Path:
    """Return the journal of the interrupted run of that name, or of the last one. Raises UserError where there is none."""
    journals = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    path = folder / f"{name}.jsonl" if name else journals[-1] if journals else None
    if path is None or not path.exists():
        which = f"run {name!r}" if name else "run"
        raise UserError(f"no unfinished {which} in {folder}{os.sep}: nothing to resume")
    return path


def resumed(before: Result, path: Path, options: RunOptions, software: Software) -> Result:
    """Return the interrupted run with what the user set himself. Raises UserError where the software has changed."""
    changed = differences(before.machine, software.machine)
    if changed:
        file = path if finished(path) else path.with_suffix(".jsonl")
        raise UserError(f"{file} was begun with {changed}: go on there, or start a new run")
    for name in {case.workload: None for case in before.plan.cases if naming.is_own(case.workload)}:
        naming.workload_of(name, before.plan.environment.get(ITEMS))  # its file may be gone
    return replace(before, plan=replace(before.plan, profile=adjusted(before.plan.profile, options)))


def differences(before: Mapping[str, Value], now: Mapping[str, Value]) -> str:
    """Return what differs between two fingerprints in a way that changes timings, as text; empty for nothing."""
    return ", ".join(
        f"{key} {before.get(key)} (here {now.get(key)})" for key in SAME_SOFTWARE if before.get(key) != now.get(key)
    )


def introduction(plan: Plan, done: int, *, probed: bool = False) -> str:
    """Return the lines to read before the first observation."""
    profile = plan.profile
    lines = [
        f"{len(plan.cases)} cases, at most {units.duration(profile.max_time)}; each until its 95 % interval is within "
        f"±{profile.precision:.0%} or it was measured {profile.max_observations} times (profile {profile.name}, seed {plan.seed})"
    ]
    if probed:
        workloads = len({case.workload for case in plan.cases})
        lines.append(f"then the probes, about {PROBED} s for each of {workloads} workloads and for the schedulers")
    if done:
        lines.append(f"going on behind {done} observations")
    lines += [f"left out: {reason}" for reason in plan.left_out]
    return "\n".join(lines) + "\n"


def conclusion(result: Result, path: Path, *, probed: bool = False) -> str:
    """Return the lines to read at the end: what was measured, what failed, and what to do next."""
    failed = [observation for observation in result.observations if observation.failure]
    stops: Sequence[str] = list(result.stops.values())
    reasons = ", ".join(f"{stops.count(reason)} {reason}" for reason in dict.fromkeys(stops))
    seconds = sum(o.seconds for o in result.observations)
    busy = sum(float(o.metadata.get("busy_seconds", 0)) for o in result.observations)
    lines = [
        f"{len(result.observations)} observations of {len(result.plan.cases)} cases in {units.duration(seconds)}, "
        f"{busy / seconds:.0%} of it computing; stopped by: {reasons}"
    ]
    measured = {observation.case for observation in result.observations}
    missing = [case.name for case in result.plan.cases if case not in measured]
    if missing:
        lines.append(f"{len(missing)} cases were not measured at all ({TIME_UP}): {', '.join(missing)}")
    reasons_of: dict[str, list[str]] = {}
    for observation in failed:
        reasons_of.setdefault(str(observation.failure), []).append(observation.case.name)
    lines += [f"failed: {', '.join(names)}: {reason}" for reason, names in reasons_of.items()]
    unchecked = {o.case.workload: o.metadata["unchecked"] for o in result.observations if "unchecked" in o.metadata}
    lines += [f"not checked: {workload}: {reason}" for workload, reason in unchecked.items()]
    if probed:
        lines += [*unprobed(result), *unavailable(result.probes)]
    lines.append(f"result: {path}")
    lines.append(f"next: gilbench show {path}, gilbench claims {path}, gilbench plot {path}")
    return "\n".join(lines) + "\n"


def unprobed(result: Result) -> Iterator[str]:
    """Yield a line that names what there was no time to probe."""
    workloads = dict.fromkeys(case.workload for case in timed(result))
    probed = {found.workload for found in result.probes}
    missing = [name or "the schedulers" for name in (*workloads, "") if name not in probed] if workloads else []
    if missing:
        yield f"not probed ({TIME_UP}): {', '.join(missing)}"


def unavailable(probes: Sequence[Probing]) -> Iterator[str]:
    """Yield a line for each reason why something could not be probed: which probes of which workloads."""
    without: dict[str, dict[str, dict[str, None]]] = {}  # reason -> probe -> workloads, in order
    for found in probes:
        for probe, reasons in found.reasons.items():
            for reason in reasons.values():
                without.setdefault(reason, {}).setdefault(probe, {})[found.workload or "the schedulers"] = None
    for reason, by_probe in without.items():
        which = "; ".join(f"{probe} of {', '.join(workloads)}" for probe, workloads in by_probe.items())
        yield f"unavailable: {which}: {reason}"
