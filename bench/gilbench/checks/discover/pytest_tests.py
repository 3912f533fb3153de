"""pytest tests that use pytest-benchmark's fixture `benchmark`, or pytest-codspeed's mark. Neither has to be installed.

Tests run as pytest runs them, with their fixtures, parameters, and conftest files. Only the fixture `benchmark` is ours: it
takes turns where pytest-benchmark would measure, and then returns what the function returned, so that the test may go on and
assert.
"""

from __future__ import annotations

import ast
import configparser
import contextlib
import functools
import shlex
import statistics
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gilbench.cases.benchmark import Benchmark
from gilbench.checks.driven.source_files import Found, files_below, is_broken, parsed, text_of
from gilbench.checks.driven.turn_taking import Calls, Listing, Task, Timed, Turns, failure_of
from gilbench.errors import Failure, UserError

NAME = "pytest"
LOOKS_FOR = "tests with the fixture or the mark `benchmark` in test_*.py, *_test.py, bench*.py and *_bench.py"
ORDERED = False

PATTERNS = ("test_*.py", "*_test.py", "bench*.py", "*_bench.py")
MARKS = ("benchmark", "codspeed_benchmark")
BLOCKED = (
    "benchmark",  # has the fixture that is ours here
    "codspeed",
    "pytest_cov",
    "xdist",  # runs tests in other processes
    "randomly",
    "random_order",
    "timeout",
    "rerunfailures",
    "cacheprovider",  # writes into the project
)
"""Plug-ins of pytest that would time, trace, reorder or repeat what is measured here."""
KEPT = ("--import-mode", "-p", "--confcutdir")
"""Those options of a project's `addopts` without which its tests may not be importable. The others are left out."""


# --- In the parent


def find(tree: Path, named: Sequence[str] = ()) -> list[Found]:
    """Return the files whose tests may use the fixture or a mark; where a conftest file names it, also those beside it."""
    through = [path.parent for path in files_below(tree, "conftest.py") if "benchmark" in text_of(path)]
    found = {}
    for path in (*files_below(tree, *PATTERNS), *(tree / name for name in named)):
        text = text_of(path)
        near = any(path.is_relative_to(folder) for folder in through)
        functions = _functions(path) if "benchmark" in text else ()
        broken = "benchmark" in text and is_broken(path)  # is reported by whoever imports it
        if functions or broken or (near and "def test" in text):
            file = path.relative_to(tree).as_posix()
            found[file] = Found(file, functions, {"options": _options(tree)})
    return list(found.values())


def _functions(path: Path) -> tuple[str, ...]:
    """Return the names of the tests that a file defines with the fixture or a mark."""
    module = parsed(path)
    marked = any(
        isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
        and _has_mark(node.value)
        for node in module.body
    )
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = {argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
            if "benchmark" in names or any(map(_has_mark, node.decorator_list)) or marked:
                found.append(node.name)
        elif isinstance(node, ast.ClassDef) and any(map(_has_mark, node.decorator_list)):
            found += [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
    return tuple(dict.fromkeys(found))


def _has_mark(node: ast.expr) -> bool:
    return any(isinstance(inner, ast.Attribute) and inner.attr in MARKS for inner in ast.walk(node))


def _options(tree: Path) -> list[str]:
    """Return what of the project's `addopts` has to hold here too."""
    said: Any = ""
    for name in ("tox.ini", "setup.cfg", "pytest.ini"):
        with contextlib.suppress(configparser.Error, OSError):
            ini = configparser.ConfigParser(interpolation=None)
            ini.read(tree / name, encoding="utf-8")
            section = "tool:pytest" if name == "setup.cfg" else "pytest"
            said = ini.get(section, "addopts", fallback=said)
    with contextlib.suppress(tomllib.TOMLDecodeError, AttributeError):
        tool = tomllib.loads(text_of(tree / "pyproject.toml")).get("tool", {}).get("pytest", {})
        said = tool.get("ini_options", {}).get("addopts", said) or said
    try:
        words = shlex.split(said) if isinstance(said, str) else [str(word) for word in said]
    except ValueError:
        return []
    found = []
    for at, word in enumerate(words):
        name, _, _ = word.partition("=")
        if name in KEPT or (word.startswith("-p") and not word.startswith("--")):
            value = words[at + 1 : at + 2] if word in KEPT else []
            if word.startswith("-p") and (value or [word[2:]])[0].removeprefix("no:") in BLOCKED:
                continue
            found += [word, *value]
    return found


# --- In the child


def listed(task: Task) -> Listing:
    """Collect the tests of the files; run none of them."""
    plugin = _Plugin(task, None)
    _pytest(task, plugin)
    return Listing(plugin.benchmarks, plugin.broken)


def drive(task: Task, turns: Turns) -> None:
    """Run the tests in the order of the task."""
    _pytest(task, _Plugin(task, turns))


def _pytest(task: Task, plugin: _Plugin) -> None:
    try:
        import pytest
    except ModuleNotFoundError:
        raise UserError("pytest is not installed in this environment") from None
    # pytest looks for fixtures and marks of hooks in the class, and is imported only here.
    _Plugin.benchmark = pytest.fixture(name="benchmark")(_Plugin.fixture)  # type: ignore[attr-defined]
    pytest.hookimpl(trylast=True)(_Plugin.pytest_collection_modifyitems)
    pytest.hookimpl(tryfirst=True)(_Plugin.pytest_pyfunc_call)
    options = [word for name in BLOCKED for word in ("-p", f"no:{name}")]
    options += ["-o", "addopts=", "--rootdir", task.tree, "-s", "-q", "--continue-on-collection-errors"]
    files = dict.fromkeys(task.files)
    code = pytest.ExitCode(pytest.main([*options, *task.settings.get("options", ()), *files], plugins=[plugin]))
    if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR) or not plugin.collected:
        raise UserError(plugin.complaint or f"pytest cannot run these files: {code.name.lower().replace('_', ' ')}")


class _Plugin:
    """Collects the benchmarks and, with `turns`, takes turns on them."""

    def __init__(self, task: Task, turns: Turns | None) -> None:
        self.task, self.turns = task, turns
        self.collected = False
        self.complaint = ""
        self.benchmarks: list[Benchmark] = []
        self.broken: dict[str, Failure] = {}
        self._failure: Failure | None = None
        self._took = False

    def fixture(self, request: Any) -> Fixture:
        """Take turns where pytest-benchmark would measure."""
        return Fixture(request, self._take)

    def pytest_addhooks(self, pluginmanager: Any) -> None:
        """Let conftest files have hooks of pytest-benchmark."""
        with contextlib.suppress(ImportError):
            from pytest_benchmark import hookspec

            pluginmanager.add_hookspecs(hookspec)

    def pytest_configure(self, config: Any) -> None:
        """Register the marks that the blocked plug-ins have."""
        for mark in (*MARKS, "benchmark_skip", "timeout", "flaky"):
            config.addinivalue_line("markers", f"{mark}: see the plug-in that it belongs to")

    def pytest_internalerror(self, excinfo: Any) -> None:
        """Keep what broke pytest."""
        self.complaint = failure_of(excinfo.value).reason

    def pytest_exception_interact(self, call: Any, report: Any) -> None:
        """Keep why a file could not be collected."""
        if report.when == "collect":
            self.broken[str(report.nodeid).partition("::")[0]] = _failure_of(call.excinfo)

    def pytest_collectreport(self, report: Any) -> None:
        """Keep that a file was skipped as a whole."""
        if report.skipped and isinstance(report.longrepr, tuple):
            self.broken[str(report.nodeid).partition("::")[0]] = Failure("skipped", str(report.longrepr[2]))

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep the benchmarks of the task, in its order; where it names none, list all and run nothing."""
        self.collected = True
        found = {item.nodeid: item for item in items if _is_benchmark(item)}
        self.benchmarks = [
            Benchmark(
                "pytest_tests", nodeid.partition("::")[0], nodeid, getattr(item, "originalname", None) or item.name, at
            )
            for at, (nodeid, item) in enumerate(found.items())
        ]
        order = self.task.order or ()
        items[:] = [found[name] for name in order if name in found]
        if self.turns is None:
            return
        self.turns.started()
        for name in order:
            if name not in found:
                broken = self.broken.get(name.partition("::")[0])
                self.turns.end(broken or Failure("not found", "there is no such test"), name)

    def pytest_pyfunc_call(self, pyfuncitem: Any) -> bool | None:
        """Time a whole test, where it has the mark and not the fixture."""
        if self.turns is None or "benchmark" in pyfuncitem.fixturenames:
            return None
        names = pyfuncitem._fixtureinfo.argnames
        arguments = {name: pyfuncitem.funcargs[name] for name in names}
        self._take(Calls(functools.partial(pyfuncitem.obj, **arguments)))
        return True

    def _take(self, timed: Timed, watched: object = None) -> None:
        assert self.turns is not None
        if self._took:
            raise UserError("the fixture `benchmark` measures only once in a test")
        self._took = True
        self.turns.take(timed, watched)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin a benchmark."""
        assert self.turns is not None
        self._failure, self._took = None, False
        self.turns.begin(nodeid)

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        """Keep the first thing that a test raised, in its setup, call, or teardown."""
        if call.excinfo is not None and self._failure is None:
            self._failure = _failure_of(call.excinfo)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """End it."""
        assert self.turns is not None
        if self._failure is None and not self._took:
            self._failure = Failure("not measured", "the test never calls its fixture `benchmark`")
        self.turns.end(self._failure)


def _is_benchmark(item: Any) -> bool:
    return "benchmark" in getattr(item, "fixturenames", ()) or any(item.get_closest_marker(mark) for mark in MARKS)


def _failure_of(excinfo: Any) -> Failure:
    import pytest

    error = excinfo.value
    if isinstance(error, pytest.skip.Exception):
        return Failure("skipped", str(error))
    if isinstance(error, pytest.xfail.Exception):
        return Failure("skipped", f"expected to fail: {error}")
    if type(error).__name__ == "CollectError":
        last = str(error).strip().splitlines()
        return Failure("raised", last[-1].removeprefix("E ").strip() if last else "it cannot be collected")
    return failure_of(error)


class Fixture:
    """Stands in for pytest-benchmark's fixture: the same calls and attributes, of which the usual ones do something."""

    enabled, disabled, has_error = True, False, False

    def __init__(self, request: Any, take: Callable[..., None]) -> None:
        self._take = take
        mark = request.node.get_closest_marker("benchmark")
        self.name = request.node.name
        self.fullname = request.node.nodeid
        self.group = mark.kwargs.get("group") if mark else None
        self.param = request.node.callspec.id if hasattr(request.node, "callspec") else None
        self.params = dict(request.node.callspec.params) if hasattr(request.node, "callspec") else None
        self.extra_info: dict[str, Any] = {}
        self.stats: Stats | None = None

    def __call__(self, function_to_benchmark: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Take turns on a function; return what its last call returned."""
        calls = Calls(functools.partial(function_to_benchmark, *args, **kwargs))
        return self._measure(calls, (args, kwargs) if args or kwargs else None)

    def pedantic(
        self,
        target: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
        iterations: int = 1,
    ) -> Any:
        """Take turns on a function; `setup` and `teardown` run before and after every call and are not timed."""
        if setup is None and teardown is None:
            return self(target, *args, **(kwargs or {}))
        return self._measure(_Pedantic(target, args, kwargs or {}, setup, teardown), None)

    def weave(self, target: Any, **kwargs: Any) -> None:
        """Take turns on calls of a function that something else makes: not possible here. Raises UserError."""
        raise UserError("benchmark.weave is not supported: call benchmark(function) instead")

    patch = weave

    def _measure(self, timed: Calls | _Pedantic, watched: object) -> Any:
        values: list[float] = []

        def kept(loops: int) -> float:
            seconds = timed(loops)
            values.append(seconds / loops)
            kept.result = timed.result  # type: ignore[attr-defined]
            return seconds

        self._take(kept, watched)
        self.stats = Stats(values or [0.0])
        return timed.result


class _Pedantic:
    """Times single calls, each with its own setup and teardown."""

    def __init__(
        self,
        target: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        setup: Callable[[], Any] | None,
        teardown: Callable[..., Any] | None,
    ) -> None:
        self.target, self.args, self.kwargs, self.setup, self.teardown = target, args, kwargs, setup, teardown
        self.result: Any = None

    def __call__(self, loops: int) -> float:
        """Return the seconds of the calls alone."""
        return sum(self._once() for _ in range(loops))

    def _once(self) -> float:
        args, kwargs = self.args, self.kwargs
        made = self.setup() if self.setup else None
        if made is not None:
            args, kwargs = made
        calls = Calls(functools.partial(self.target, *args, **kwargs))
        seconds = calls(1)
        if self.teardown:
            self.teardown(*args, **kwargs)
        self.result = calls.result
        return seconds


class Stats:
    """What tests ask of `benchmark.stats`: seconds of one call, one for each turn."""

    def __init__(self, data: list[float]) -> None:
        self.data = data
        self.stats = self

    @property
    def rounds(self) -> int:
        """The number of turns."""
        return len(self.data)

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __iter__(self) -> Iterator[float]:
        return iter(self.data)

    def __getattr__(self, name: str) -> float:
        figures: dict[str, Callable[[list[float]], float]] = {
            "min": min,
            "max": max,
            "mean": statistics.fmean,
            "median": statistics.median,
            "stddev": lambda data: statistics.stdev(data) if len(data) > 1 else 0.0,
            "total": sum,
        }
        if name not in figures:
            raise AttributeError(f"benchmark.stats has no {name!r} in a check: it has {', '.join(figures)}")
        return float(figures[name](self.data))
