"""Resuming an interrupted run: finding it, making sure that it is the same measurement, and saying how to resume it."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path

from gilbench import machine
from gilbench.cases.plan import TIMEOUT
from gilbench.errors import UserError
from gilbench.measure.planning import FOLDER, RunOptions, adjusted
from gilbench.measure.software import Software
from gilbench.process.interpreters import Interpreter
from gilbench.results.journal import read_journal
from gilbench.results.records import Result
from gilbench.results.result_file import load
from gilbench.targets import naming
from gilbench.variables import ITEMS, PYTHON, WITH


def finished(path: Path) -> bool:
    """Return whether the run of this result file measured everything it was meant to: its journal is gone."""
    return path.exists() and not path.with_suffix(".jsonl").exists()


def interrupted_run(options: RunOptions, interpreter: Interpreter | None) -> Result:
    """Return the interrupted run that the options name, or the last one; with --probe also a finished one.

    Raises UserError where there is none to resume, or where it was started with another --python.
    """
    folder, name = options.results, options.name
    if options.probe and name and finished(folder / f"{name}.json"):
        path, before = folder / f"{name}.json", load(folder / f"{name}.json")
    else:
        path = unfinished(folder, name)
        before = read_journal(path)
    was, now = before.plan.environment.get(PYTHON), interpreter.tag if interpreter else None
    if was != now:
        fix = "without --python: leave it out"
        if was:
            fix = f"with --python {was}{f', not {now}: give' if now else ': add'} that one, by version or by path"
        raise UserError(f"{path} was started {fix}")
    packages = shlex.split(before.plan.environment.get(WITH, ""))
    if packages != list(options.packages):
        given = " ".join(f"--with {shlex.quote(package)}" for package in packages)
        raise UserError(
            f"{path} was started {f'with {given}: give the same' if given else 'without --with: leave it out'}"
        )
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
    """Return the interrupted run with the values that the user set. Raises UserError where the software has changed."""
    changed = machine.obstacles(before.machine, software.machine)
    if changed:
        file = path if finished(path) else path.with_suffix(".jsonl")
        which = ", ".join(f"{key} {was} (here {now})" for key, (was, now) in changed.items())
        raise UserError(f"{file} was started with {which}: resume it there, or start a new run")
    for name in {case.workload: None for case in before.plan.cases if naming.is_own(case.workload)}:
        naming.workload_of(name, before.plan.environment.get(ITEMS))  # its file may be gone
    timeout = before.plan.timeout if options.timeout == TIMEOUT else options.timeout
    return replace(before, plan=replace(before.plan, profile=adjusted(before.plan.profile, options), timeout=timeout))


def resume_options(options: RunOptions, software: Software) -> str:
    """Return the further options that `gilbench run --resume --name NAME` needs to resume this run."""
    given = "".join(f" --with {shlex.quote(package)}" for package in options.packages)
    parts = {
        " --python ": options.python if software.tag else None,
        " -o ": None if options.results == FOLDER else str(options.results),
        " --probe": "" if options.probe else None,
    }
    return given + "".join(
        f"{name}{value and shlex.quote(value)}" for name, value in parts.items() if value is not None
    )
