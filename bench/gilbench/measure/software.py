"""What workers run on: our own interpreter, or another one with its own environment and a copy of our code."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gilbench.console import Say
from gilbench.errors import UserError
from gilbench.files import cache_folder
from gilbench.machine import Value, fingerprint
from gilbench.process.environments import binary_of, copy_code, measuring
from gilbench.process.interpreters import APART, Interpreter, Run, complaint, execute

STATE = "from gilbench.measure.software import state; state()"


@dataclass(frozen=True)
class Software:
    """What workers run on.

    python: the interpreter's path. environment: variables that workers need. machine: fingerprint, as in gilbench.machine.
    schedulers: those that cannot run there -> why. lacking: workloads that cannot run there -> the module that they need. tag:
    of an interpreter that the user named; empty for ours.
    """

    python: str
    environment: Mapping[str, str]
    machine: Mapping[str, Value]
    schedulers: Mapping[str, str]
    lacking: Mapping[str, str]
    tag: str = ""


def here() -> Software:
    """Return what workers run on by default: our own interpreter."""
    return Software(sys.executable, {}, fingerprint(), _unavailable(), {})


@contextlib.contextmanager
def prepared(
    interpreter: Interpreter, say: Say, run: Run = execute, packages: Sequence[str] = ()
) -> Iterator[Software]:
    """Yield another interpreter, ready for workers: with its environment, and our code compiled for it in a temporary folder.

    say: gets a line for what takes long, and for each package that cannot be installed. packages: requirements that go
    before ours. Raises UserError with one line.
    """
    folder, refused = measuring(interpreter, cache_folder(), say, run, packages)
    for package, reason in refused.items():
        say(f"left out: {package} cannot be installed for {interpreter.label}: {reason}")
    if refused:
        say(f"to try again with these packages, remove {folder}")
    python = str(binary_of(folder))
    with tempfile.TemporaryDirectory(prefix="gilbench-code-", ignore_cleanup_errors=True) as code:
        variables = {**APART, "PYTHONPATH": code}
        copy_code(Path(code))
        # Explicitly: with PYTHONDONTWRITEBYTECODE set, every worker would compile everything again.
        run([python, "-P", "-m", "compileall", "-q", code], variables)
        yield _ask(interpreter, python, variables, run)


def _ask(interpreter: Interpreter, python: str, variables: Mapping[str, str], run: Run) -> Software:
    done = run([python, "-P", "-c", STATE], variables)
    try:
        stated = json.loads(done.stdout.splitlines()[-1])
        return Software(python, variables, stated["machine"], stated["schedulers"], stated["lacking"], interpreter.tag)
    except (ValueError, IndexError, KeyError, TypeError):
        raise UserError(f"{interpreter.label} cannot run gilbench's workers: {complaint(done)}") from None


def state() -> None:
    """In the measured interpreter: print, as the last line, what `_ask` reads. Raises ImportError where no worker can run."""
    machine = fingerprint()  # before the imports, which may switch the GIL on
    for module in ("dask.delayed", "pyperf"):
        importlib.import_module(module)
    print(json.dumps({"machine": machine, "schedulers": _unavailable(), "lacking": _lacking()}))


def _unavailable() -> dict[str, str]:
    from gilbench.schedulers import all_schedulers

    reasons = {name: scheduler.unavailable() for name, scheduler in all_schedulers().items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _lacking() -> dict[str, str]:
    """Return workload -> the first module that it needs and that cannot be imported here."""
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
