"""asv suites: the folder that asv.conf.json names. asv itself does not have to be installed.

Names, parameters, setup, teardown, setup_cache and number mean what asv's documentation says. Benchmarks that take no time
(peakmem_, mem_, track_) are named, and not compared.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gilbench.cases.benchmark import Benchmark
from gilbench.checks.driven.source_files import Found, files_below, is_broken, parsed, text_of
from gilbench.checks.driven.turn_taking import Calls, Listing, Task, Timed, Turns, failure_of
from gilbench.errors import Failure, UserError

NAME = "asv"
LOOKS_FOR = "time_* and timeraw_* in the folder that asv.conf.json names"
ORDERED = False

TIME, RAW = re.compile(r"(Time[A-Z_].+)|(time_.+)"), re.compile(r"(Timeraw[A-Z_].+)|(timeraw_.+)")
OTHER = re.compile(r"((Mem|PeakMem|Track)[A-Z_].+)|((mem|peakmem|track)_.+)")
RAW_CODE = """
import sys, timeit
print(timeit.timeit({stmt!r}, {setup!r}, number={number}), file=sys.__stdout__)
"""


# --- In the parent


def find(tree: Path, named: Sequence[str] = ()) -> list[Found]:
    """Return the files of the suite. Raises UserError where its configuration cannot be read."""
    found = []
    for configuration in [*files_below(tree, "asv.conf.json")][:1]:
        folder = configuration.parent / benchmark_folder(text_of(configuration), configuration.relative_to(tree))
        settings = {"folder": folder.resolve().relative_to(tree.resolve()).as_posix()} if folder.is_dir() else {}
        for path in sorted(folder.rglob("*.py")) if settings else []:
            functions = tuple(_functions(path))
            if functions or is_broken(path):
                found.append(Found(path.relative_to(tree).as_posix(), functions, settings))
    return found


def benchmark_folder(text: str, where: Path) -> str:
    """Return `benchmark_dir` of a configuration, which is JSON with comments. Raises UserError for anything else."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("//"))
    try:
        found = json.loads(re.sub(r",(\s*[}\]])", r"\1", "\n".join(lines)))
        return str(found.get("benchmark_dir") or "benchmarks")
    except (ValueError, AttributeError) as error:
        raise UserError(f"{where} cannot be read: {error}") from None


def _functions(path: Path) -> Iterator[str]:
    for node in parsed(path).body:
        if isinstance(node, ast.FunctionDef) and _is_timed(node.name):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and _is_timed(item.name):
                    yield f"{node.name}.{item.name}"


def _is_timed(name: str) -> bool:
    return bool(TIME.fullmatch(name) or RAW.fullmatch(name))


# --- In the child


@dataclass(frozen=True)
class Method:
    """A function of a suite with one choice of parameters. owner: its class, if it has one."""

    name: str
    module: ModuleType
    attribute: str
    owner: type | None
    parameters: tuple[Any, ...] = ()

    def sources(self) -> list[Any]:
        """Return where its attributes are looked up, the nearest first: itself, its instance, its module."""
        if self.owner is None:
            return [getattr(self.module, self.attribute), self.module]
        instance = self.owner()
        return [getattr(instance, self.attribute), instance, self.module]


def listed(task: Task) -> Listing:
    """Import the files and list what they define, once for each choice of parameters."""
    benchmarks, failures, others = [], {}, []
    for file in task.files:
        try:
            module = _module(task, file)
            methods = list(_methods(module))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever somebody's module raises is reported with its name
            failures[file] = failure_of(error)
            continue
        others += _others(module)
        benchmarks += [
            Benchmark("asv_suite", file, method.name, _qualified(method.owner, method.attribute)) for method in methods
        ]
    shown = f"{', '.join(others[:5])}{' ...' if len(others) > 5 else ''}"
    lines = [f"not compared, as they measure no time: {len(others)} of asv: {shown}"] if others else []
    return Listing(benchmarks, failures, lines)


def drive(task: Task, turns: Turns) -> None:
    """Open each benchmark with its setup, in a temporary working folder, and take turns on it."""
    methods: dict[str, Method] = {}
    failures: dict[str, Failure] = {}
    for file in task.files:
        try:
            module = _module(task, file)
            methods |= {method.name: method for method in _methods(module)}
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            failures[_short(_dotted(task, file))] = failure_of(error)
    os.chdir(tempfile.mkdtemp(prefix="work-", dir=Path(task.tree).parent))
    turns.started()
    caches: dict[Any, bytes] = {}
    for name in task.order or ():
        if name not in methods:
            why = next((failure for module_, failure in failures.items() if name.startswith(f"{module_}.")), None)
            turns.end(why or Failure("not found", "the suite has no such benchmark"), name)
            continue
        turns.begin(name)
        failure = None
        try:
            _take(methods[name], turns, caches)
        except _Skipped as skipped:
            failure = Failure("skipped", str(skipped))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            failure = failure_of(error)
        turns.end(failure)


class _Skipped(Exception):
    """A setup raised NotImplementedError, which skips its benchmark."""


def _take(method: Method, turns: Turns, caches: dict[Any, bytes]) -> None:
    sources = method.sources()
    arguments = (*_cached(sources, caches), *method.parameters)
    function = sources[0]
    prepared = _Prepared(
        [getattr(source, "setup") for source in reversed(sources) if hasattr(source, "setup")],  # noqa: B009
        [getattr(source, "teardown") for source in sources if hasattr(source, "teardown")],  # noqa: B009
        arguments,
    )
    number = int(_first(sources, "number", 0))
    timed: Timed
    if RAW.fullmatch(method.attribute):
        timed = _Raw(function, arguments)
    elif number:
        timed = _Numbered(lambda: function(*arguments), prepared, number)
    else:
        timed = Calls((lambda: function(*arguments)) if arguments else function)
    prepared.set_up()
    try:
        turns.take(timed, (getattr(sources[1], "__dict__", None), arguments) if method.owner and not number else None)
    finally:
        prepared.tear_down()


@dataclass
class _Prepared:
    """Runs setups and teardowns, those of the module first and last."""

    setups: Sequence[Callable[..., Any]]
    teardowns: Sequence[Callable[..., Any]]
    arguments: tuple[Any, ...]

    def set_up(self) -> None:
        """Run all setups. Raises _Skipped where one says that it is not implemented."""
        for setup in self.setups:
            try:
                setup(*self.arguments)
            except NotImplementedError as error:
                raise _Skipped(str(error) or "setup raises NotImplementedError") from None

    def tear_down(self) -> None:
        """Run all teardowns."""
        for teardown in self.teardowns:
            teardown(*self.arguments)


class _Numbered:
    """Times as many calls after each setup as the benchmark's `number` says."""

    def __init__(self, call: Callable[[], Any], prepared: _Prepared, number: int) -> None:
        self.calls, self.prepared, self.number = Calls(call), prepared, number
        self._fresh = True

    def __call__(self, loops: int) -> float:
        """Return the seconds of `loops` calls, from `loops` times `number` of them."""
        seconds = 0.0
        for _ in range(loops):
            if not self._fresh:
                self.prepared.tear_down()
                self.prepared.set_up()
            self._fresh = False
            seconds += self.calls(self.number)
        return seconds / self.number


class _Raw:
    """Times code in processes of its own, without their start."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        made = function(*arguments)
        self.statement, self.setup = made if isinstance(made, tuple) else (made, "pass")

    def __call__(self, loops: int) -> float:
        """Start a process; return the seconds that the code took in it. Raises RuntimeError with its last line."""
        code = RAW_CODE.format(stmt=_dedented(self.statement), setup=_dedented(self.setup), number=loops)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])
        return float(done.stdout.splitlines()[-1])


def _dedented(code: str) -> str:
    return inspect.cleandoc(f"\n{code}")


def _cached(sources: Sequence[Any], caches: dict[Any, bytes]) -> tuple[Any, ...]:
    """Return what setup_cache returns, a fresh copy each time; nothing where there is none. It runs once in a process."""
    setup_cache = _first(sources, "setup_cache", None)
    if setup_cache is None:
        return ()
    key = getattr(setup_cache, "__func__", setup_cache)
    if key not in caches:
        caches[key] = pickle.dumps(setup_cache())
    made = pickle.loads(caches[key])  # noqa: S301 - made by this process
    return () if made is None else (made,)


def _first(sources: Sequence[Any], name: str, otherwise: Any) -> Any:
    return next((getattr(source, name) for source in sources if hasattr(source, name)), otherwise)


def _dotted(task: Task, file: str) -> str:
    folder = Path(task.settings["folder"])
    parts = [folder.name, *Path(file).relative_to(folder).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _short(dotted: str) -> str:
    return dotted.partition(".")[2] or dotted


def _module(task: Task, file: str) -> ModuleType:
    root = str((Path(task.tree) / task.settings["folder"]).parent)
    if root not in sys.path:
        sys.path.insert(0, root)
    return importlib.import_module(_dotted(task, file))


def _methods(module: ModuleType) -> Iterator[Method]:
    for owner, attribute in _attributes(module):
        if not _is_timed(attribute):
            continue
        name = ".".join([_short(module.__name__), _qualified(owner, attribute)])
        looked_up = [getattr(owner, attribute), owner] if owner else [getattr(module, attribute)]
        choices = _choices(_first([*looked_up, module], "params", ()))
        for parameters in choices:
            shown = f"({', '.join(map(_shown, parameters))})" if parameters else ""
            yield Method(f"{name}{shown}", module, attribute, owner, parameters)


def _choices(params: Any) -> list[tuple[Any, ...]]:
    """Return every choice of parameters: those of one parameter as they are, those of several as their product."""
    params = list(params)
    if params and not isinstance(params[0], list | tuple):
        params = [params]
    return list(itertools.product(*params))


def _shown(value: Any) -> str:
    """Return a parameter for a name: as asv, by its name where it is a function or class."""
    return str(getattr(value, "__name__", None) or re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value)))


def _others(module: ModuleType) -> list[str]:
    return [
        ".".join([_short(module.__name__), _qualified(owner, attribute)])
        for owner, attribute in _attributes(module)
        if OTHER.fullmatch(attribute)
    ]


def _attributes(module: ModuleType) -> Iterator[tuple[type | None, str]]:
    """Yield (class or None, name) of every function and method of a module that asv looks at."""
    for name, value in vars(module).items():
        if name.startswith("_"):
            continue
        if inspect.isclass(value) and not inspect.isabstract(value):
            yield from ((value, inner) for inner, found in inspect.getmembers(value) if inspect.isroutine(found))
        elif inspect.isfunction(value):
            yield None, name


def _qualified(owner: type | None, attribute: str) -> str:
    return f"{owner.__name__}.{attribute}" if owner else attribute
