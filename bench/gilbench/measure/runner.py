"""One call of `gilbench run`, from options to exit code: plan a run or find the interrupted one, measure, say what came of it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO

from gilbench.cases.case import Case
from gilbench.console import Say, progress, sayer
from gilbench.errors import INTERRUPTED, UserError
from gilbench.measure import narration, planning, prober, resuming, software
from gilbench.measure.live import LiveProbed, Start
from gilbench.measure.planning import RunOptions
from gilbench.measure.rounds import Interrupted, measure_into
from gilbench.measure.software import Software
from gilbench.measure.workers import OVERTIME, Workers
from gilbench.process import interpreters
from gilbench.process.interpreters import Interpreter
from gilbench.results.records import Result
from gilbench.results.result_file import save


def run(options: RunOptions, err: IO[str], out: IO[str]) -> int:
    """Measure, show progress on `err`, print on `out` where the result is; return the exit code.

    The exit code is 1 where a case failed or nothing was measured, and 130 after Ctrl-C. Raises UserError for a mistake in
    the options.
    """
    try:
        return _run(options, err, out)
    except Interrupted as interrupted:
        err.write(f"{interrupted}\n")
    except KeyboardInterrupt:
        err.write("interrupted\n")
    return INTERRUPTED


def _run(options: RunOptions, err: IO[str], out: IO[str]) -> int:
    """Find the mistakes first: making an environment takes a minute."""
    interpreter = None if options.python is None else interpreters.find(options.python)
    if options.packages:
        planning.check_packages(options)
    planning.chosen(options)
    if options.dry_run:
        with software_of(interpreter, err, options.packages) as installed:
            out.writelines(f"{case.name}\n" for case in planning.plan(options, installed).cases)
        return 0
    before = resuming.interrupted_run(options, interpreter) if options.resume else None
    path = options.results / f"{before.name if before else new_name(options, interpreter)}.json"
    if not before and (path.exists() or path.with_suffix(".jsonl").exists()):
        raise UserError(f"{path} already exists: choose another --name, or resume it with --resume")
    with software_of(interpreter, err, options.packages) as installed:
        if before:
            result = resuming.resumed(before, path, options, installed)
        else:
            result = Result(path.stem, planning.plan(options, installed), installed.machine)
        return _measure(result, path, options, installed, err, out)


def _measure(before: Result, path: Path, options: RunOptions, installed: Software, err: IO[str], out: IO[str]) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to --results {path.parent}: {error.strerror}") from error
    began, result = time.monotonic(), before
    if not resuming.finished(path):
        result = _timed(before, path, options, installed, err)
    if options.probe:
        result = _probed(result, path, options, installed, err, began + (options.max_time or math.inf))
    out.write(narration.conclusion(result, path, probed=options.probe))
    return 1 if not result.observations or any(observation.failure for observation in result.observations) else 0


def _timed(before: Result, path: Path, options: RunOptions, installed: Software, err: IO[str]) -> Result:
    """Time with real workers."""
    plan, environment = before.plan, {**before.plan.environment, **installed.environment}
    err.write(narration.introduction(plan, len(before.observations), probed=options.probe))
    with Workers(plan.timeout, environment, installed.python) as workers, progress(err) as shown:
        again = resuming.resume_options(options, installed)
        listener = narration.RunProgress(shown)
        return measure_into(before, path, workers, [listener], resume=options.resume, again=again)


def _probed(result: Result, path: Path, options: RunOptions, installed: Software, err: IO[str], until: float) -> Result:
    """Probe with real processes."""
    environment = {**result.plan.environment, **installed.environment}

    def start(case: Case) -> LiveProbed:
        timeout = min(result.plan.timeout, max(0.0, until - time.monotonic()) + OVERTIME)
        return LiveProbed(case, timeout, environment, installed.python)

    return explained(result, path, start, sayer(err), until, resuming.resume_options(options, installed))


def explained(result: Result, path: Path, start: Start, say: Say, until: float = math.inf, again: str = "") -> Result:
    """Probe what was timed, and save the result after each workload; return it.

    until: when to begin no further workload, on the monotonic clock. again: options that --resume needs. Raises Interrupted
    on Ctrl-C, and keeps what was found.
    """
    cases = planning.cases_to_probe(result)
    if not cases:
        return result
    probings = prober.of_plan(replace(result.plan, cases=cases), start, say, result.probes)
    try:
        while time.monotonic() < until and (probing := next(probings, None)):
            result = replace(result, probes=(*result.probes, probing))
            save(result, path)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted: the timings and what was probed are kept in {path}; "
            f"continue with `gilbench run --resume --name {path.stem}{again}`"
        ) from None
    return result


def software_of(
    interpreter: Interpreter | None, err: IO[str], packages: Sequence[str] = ()
) -> AbstractContextManager[Software]:
    """Return a context manager that yields what the workers run on: our interpreter, or another one with these packages."""
    if interpreter is None:
        return nullcontext(software.here())
    return software.prepared(interpreter, sayer(err), packages=packages)


def new_name(options: RunOptions, interpreter: Interpreter | None) -> str:
    """Return the name of a new result. Raises UserError where the user gives a path."""
    which = f"-{interpreter.name}" if interpreter else ""
    name = options.name or f"{time.strftime('%Y%m%d-%H%M%S')}-{options.profile}{which}"
    if Path(name).name != name or name.startswith("."):
        raise UserError(f"--name {name!r} must be a plain file name: --results chooses the folder")
    return name
