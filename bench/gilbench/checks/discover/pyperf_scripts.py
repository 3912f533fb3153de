"""pyperf scripts: bench_func, bench_time_func, bench_async_func, bench_command and timeit of a Runner.

The script runs as it is, and up to its end. Only `pyperf.Runner` is ours, in this process: it takes turns where pyperf would
start workers. pyperf does not have to be installed.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import functools
import importlib
import re
import runpy
import sys
import time
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from gilbench.cases.benchmark import Benchmark
from gilbench.checks.driven.source_files import Found, files_below, parsed, text_of
from gilbench.checks.driven.turn_taking import Calls, Listing, Task, Timed, Turns, failure_of, timed_command
from gilbench.errors import Failure

NAME = "pyperf"
LOOKS_FOR = "scripts that call pyperf.Runner().bench_func and the like"
ORDERED = True  # a script calls them one after the other

METHODS = ("bench_func", "bench_time_func", "bench_async_func", "bench_command", "timeit")


# --- In the parent


def find(tree: Path, named: Sequence[str] = ()) -> list[Found]:
    """Return the scripts that make a Runner and call one of its methods."""
    found = {}
    for path in (*files_below(tree, "*.py"), *(tree / name for name in named if name.endswith(".py"))):
        text = text_of(path)
        if "pyperf" in text and re.search(r"\bRunner\(", text) and any(f".{method}(" in text for method in METHODS):
            file = path.relative_to(tree).as_posix()
            found[file] = Found(file, _functions(path))
    return list(found.values())


def _functions(path: Path) -> tuple[str, ...]:
    """Return the names that a script gives its benchmarks, as far as they stand there as text."""
    found = []
    for node in ast.walk(parsed(path)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in METHODS
            and node.args
        ):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.append(first.value)
    return tuple(dict.fromkeys(found))


# --- In the child


def listed(task: Task) -> Listing:
    """Run the scripts, measuring nothing; list what they would measure."""
    benchmarks, failures = [], {}
    for file in task.files:
        names: list[str] = []
        failure = _run(task, file, _into(names))
        if failure:
            failures[file] = failure
        benchmarks += [
            Benchmark("pyperf_scripts", file, f"{file}::{name}", name, place) for place, name in enumerate(names)
        ]
    return Listing(benchmarks, failures)


def _into(names: list[str]) -> Take:
    """Return what keeps the names of the benchmarks and measures nothing."""

    def keep(name: str, timed: Timed) -> None:
        names.append(name)

    return keep


def drive(task: Task, turns: Turns) -> None:
    """Run the scripts; take turns on those of their benchmarks that the task names."""
    wanted = list(task.order or ())
    turns.started()
    for file in dict.fromkeys(name.partition("::")[0] for name in wanted):
        missing = [name for name in wanted if name.partition("::")[0] == file]

        def take(name: str, timed: Timed, file: str = file, missing: list[str] = missing) -> None:
            if f"{file}::{name}" not in missing:
                return
            missing.remove(f"{file}::{name}")
            turns.begin(f"{file}::{name}")
            failure = None
            try:
                turns.take(timed)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a benchmark raises is reported with its name
                failure = failure_of(error)
            turns.end(failure)

        failure = _run(task, file, take)
        for name in missing:
            turns.end(failure or Failure("not found", "the script measures no such thing"), name)


Take = Callable[[str, Timed], None]


def _run(task: Task, file: str, take: Take) -> Failure | None:
    """Run a script as the main program, with our Runner; return how it failed, if it did."""
    path = Path(task.tree) / file
    pyperf: Any
    try:
        pyperf = importlib.import_module("pyperf")
    except ModuleNotFoundError:
        pyperf = ModuleType("pyperf")
        pyperf.perf_counter = time.perf_counter
        sys.modules["pyperf"] = pyperf
    before, arguments, places = getattr(pyperf, "Runner", None), sys.argv, [*sys.path]
    pyperf.Runner = functools.partial(_Runner, take)
    sys.argv, sys.path[:0] = [str(path)], [str(path.parent)]
    try:
        runpy.run_path(str(path), run_name="__main__")
    except SystemExit as error:
        return failure_of(error) if error.code else None
    except Exception as error:  # noqa: BLE001 - as above
        return failure_of(error)
    finally:
        pyperf.Runner, sys.argv, sys.path[:] = before, arguments, places
    return None


class _Runner:
    """Stands in for pyperf.Runner."""

    def __init__(self, take: Take, **options: Any) -> None:
        self._take = take
        self.metadata: dict[str, Any] = dict(options.get("metadata") or {})
        parser = options.get("_argparser")
        self.argparser = parser or argparse.ArgumentParser()
        self.args: argparse.Namespace | None = None

    def parse_args(self, args: Sequence[str] | None = None) -> argparse.Namespace:
        """Parse the script's own options: all have their defaults here. What pyperf adds is there too."""
        if self.args is None:
            known, _ = self.argparser.parse_known_args([] if args is None else args)
            self.args = known
            for name, value in {"worker": True, "quiet": True, "verbose": False, "inherit_environ": None}.items():
                if not hasattr(known, name):
                    setattr(known, name, value)
        return self.args

    def bench_func(self, name: str, func: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Take turns on a function."""
        self.parse_args()
        self._take(name, Calls(functools.partial(func, *args)))

    def bench_time_func(self, name: str, time_func: Callable[..., float], *args: Any, **options: Any) -> None:
        """Take turns on a function that times itself: it gets the number of loops, and returns their seconds."""
        self.parse_args()
        self._take(name, lambda loops: float(time_func(loops, *args)))

    def bench_async_func(self, name: str, func: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Take turns on a coroutine function, in one event loop for each turn."""
        self.parse_args()

        async def timed(loops: int) -> float:
            start = time.perf_counter()
            for _ in range(loops):
                await func(*args)
            return time.perf_counter() - start

        self._take(name, lambda loops: asyncio.run(timed(loops)))

    def bench_command(self, name: str, command: Sequence[str]) -> None:
        """Take turns on a program."""
        self.parse_args()
        self._take(name, timed_command(list(command)))

    def timeit(
        self,
        name: str,
        stmt: str | None = None,
        setup: str = "pass",
        teardown: str = "pass",
        inner_loops: int | None = None,
        duplicate: int | None = None,
        metadata: Any = None,
        globals: dict[str, Any] | None = None,
    ) -> None:
        """Take turns on a statement."""
        self.parse_args()
        self._take(name, timeit.Timer(name if stmt is None else stmt, setup, globals=globals).timeit)
