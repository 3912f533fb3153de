"""What workers run on: our own interpreter, or another one in an environment of its own with a copy of our code."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gilbench.console import Say
from gilbench.errors import UserError
from gilbench.files import cache_folder
from gilbench.machine import Value, fingerprint
from gilbench.process.environments import binary_of, copy_code, measuring
from gilbench.process.interpreters import APART, Interpreter, Run, complaint, execute

TELL = "from gilbench.measure.software import tell; tell()"


@dataclass(frozen=True)
class Software:
    """What workers run on.

    python: its path. environment: variables that they need. machine: fingerprint, as in bench/gilbench/machine.py.
    schedulers: those that cannot run there -> why. lacking: workloads that cannot -> the module that they need.
    tag: of an interpreter that the user named; empty for ours.
    """

    python: str
    environment: Mapping[str, str]
    machine: Mapping[str, Value]
    schedulers: Mapping[str, str]
    lacking: Mapping[str, str]
    tag: str = ""


def here() -> Software:
    """Return what workers run on when nothing else is asked for: our own interpreter."""
    return Software(sys.executable, {}, fingerprint(), _unavailable(), {})


@contextlib.contextmanager
def prepared(interpreter: Interpreter, say: Say, run: Run = execute) -> Iterator[Software]:
    """Yield another interpreter as workers run on it: its environment, and our code compiled for it in a temporary folder.

    say: is told in a line each what takes long, and which packages cannot be had. Raises UserError with one line.
    """
    folder, refused = measuring(interpreter, cache_folder(), say, run)
    for package, reason in refused.items():
        say(f"left out: {package} cannot be had for {interpreter.label}: {reason}")
    if refused:
        say(f"to try again with these, remove {folder}")
    python = str(binary_of(folder))
    with tempfile.TemporaryDirectory(prefix="gilbench-code-", ignore_cleanup_errors=True) as code:
        variables = {**APART, "PYTHONPATH": code}
        copy_code(Path(code))
        # By hand: with PYTHONDONTWRITEBYTECODE every worker would compile it all again.
        run([python, "-P", "-m", "compileall", "-q", code], variables)
        yield _look(interpreter, python, variables, run)


def _look(interpreter: Interpreter, python: str, variables: Mapping[str, str], run: Run) -> Software:
    done = run([python, "-P", "-c", TELL], variables)
    try:
        told = json.loads(done.stdout.splitlines()[-1])
        return Software(python, variables, told["machine"], told["schedulers"], told["lacking"], interpreter.tag)
    except (ValueError, IndexError, KeyError, TypeError):
        raise UserError(f"{interpreter.label} cannot run gilbench's workers: {complaint(done)}") from None


def tell() -> None:
    """In the measured interpreter: print, as the last line, what `_look` wants to know. Raises what a hard import raises."""
    machine = fingerprint()  # first: an import may switch the GIL on
    for module in ("dask.delayed", "pyperf"):
        importlib.import_module(module)
    print(json.dumps({"machine": machine, "schedulers": _unavailable(), "lacking": _lacking()}))


def _unavailable() -> dict[str, str]:
    from gilbench.schedulers import all_schedulers

    reasons = {name: scheduler.unavailable() for name, scheduler in all_schedulers().items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _lacking() -> dict[str, str]:
    """Return workload -> the first module it needs that cannot be imported here."""
    from gilbench.targets.builtin import all_workloads

    found = {}
    for workload in all_workloads().values():
        for module in workload.modules:
            try:
                importlib.import_module(module)
            except ImportError:
                found[workload.name] = module
                break
    return found
