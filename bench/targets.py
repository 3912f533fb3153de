"""What the user names: workloads of the registry, and work of his own, which is neither copied nor registered.

    package.module:function    calls of a function: one task per item of --items, or some tasks without arguments
    my_file.py:function        the same; processes import the file as a module of its folder
    my_file.py:build()         what a function builds: a dask object, or a list of them; `--graph my_file.py:build` says the same
    my_file.py                 every workload of a module that is written like those in workloads/
    my_file.py:name            one of them

Items travel to every process in an environment variable, as the text that the user wrote.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import inspect
import itertools
import json
import operator
import os
import re
import reprlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar
from uuid import uuid4

from bench.errors import UserError
from bench.plan import OWN_TOO, choose, nearest
from bench.registry import all_workloads, workloads_in
from bench.worker import describe
from workloads import SIZES, Job, Workload

T = TypeVar("T")
ITEMS = "GILBENCH_ITEMS"
TAKE = "GILBENCH_TAKE"  # how many of the items are enough, for a short look
PARTS = "GILBENCH_PARTS"  # how many tasks they go into
OWN = "own"  # the family of all that is the user's own
TASKS = 8  # of a function without items
MOST_ITEMS = 1_000_000  # beyond it is an endless iterator, or a graph that no scheduler can hold
CALL = "()"  # behind a function's name: what it builds is measured, and not the function
LAZY = {  # what values have that are not computed before they are read -> what to do
    "__dask_graph__": "name its function with --graph",
    "__next__": "return a list of what it yields",
    "__await__": "call it by asyncio.run",
}


@dataclass(frozen=True)
class Calls:
    """Builds the Job of a function: one task per call. arguments: of each call."""

    function: Callable[..., Any]
    arguments: tuple[tuple[Any, ...], ...]

    def __call__(self, items: int | None = None, parts: int | None = None) -> Job:
        """Return the Job of so many calls, evenly spread over all of them, in so many tasks.

        items: None, or more than there are, for all. parts: None for a task each, with the function's result; else a
        task's result is a list of them.
        """
        from dask import delayed

        calls = self.calls(items)
        tasks = calls if parts is None else [partial(_call_all, list(batch)) for batch in batches(calls, parts)]
        name = getattr(self.function, "__name__", type(self.function).__name__)  # as timelines show it
        # Items are bound, and not given to dask as arguments: it would look into every list for dask objects.
        runs = [delayed(task, pure=False, traverse=False) for task in tasks]
        return Job([run(dask_key_name=f"{name}-{uuid4().hex}") for run in runs])

    def calls(self, items: int | None = None) -> list[Callable[[], Any]]:
        """Return so many of the calls."""
        return [partial(_call, self.function, *arguments) for arguments in spread(self.arguments, items)]


@dataclass(frozen=True)
class Graph:
    """Builds the Job of what a function returns. target: how the user named it."""

    function: Callable[[], Any]
    target: str

    def __call__(self) -> Job:
        """Return the Job of the dask objects. Raises UserError where the function returns something else."""
        built = self.function()
        collections = list(built) if isinstance(built, list | tuple) else [built]
        strange = [type(one).__name__ for one in collections if not hasattr(one, "__dask_graph__")]
        if strange or not collections:
            what = f"something of type {strange[0]}" if strange else "an empty list"
            raise UserError(f"{self.target!r} must return a dask object or a list of them, and returns {what}")
        return Job(collections)


def is_own(target: str) -> bool:
    """Return whether a target is the user's own, and no name of the registry."""
    return ":" in target or target.endswith(".py")


def graph(target: str) -> str:
    """Return the target that stands for what a function builds."""
    return target if target.endswith(CALL) else target + CALL


def chosen(patterns: Sequence[str], items: str | None = None) -> list[Workload]:
    """Return the workloads that a command line names: those of the registry in its order, then the user's own.

    A single dask object meets the default scheduler of its kind too: so what builds it is called here, once.
    Raises UserError, in one line, for what there is not.
    """
    registered = [pattern for pattern in patterns if not is_own(pattern)]
    own = [workload for target in patterns if is_own(target) for workload in _own(target, items)]
    if items is not None and not any(isinstance(workload.build, Calls) for workload in own):
        raise UserError("--items are for a function of your own: name it as my_file.py:function or module:function")
    found = _registered(registered) if registered or not own else []
    found += [replace(w, collection=_builds_one(w.build)) if isinstance(w.build, Graph) else w for w in own]
    return list({workload.name: workload for workload in found}.values())


def workload_of(target: str, items: str | None = None) -> Workload:
    """Return the one workload that a target names. items: by default those that this process was started with.

    Raises UserError, in one line, where there is none.
    """
    if not is_own(target):
        found = all_workloads().get(target)
        if found is None:
            raise UserError(f"no workload is named {target!r}" + nearest(target, all_workloads(), OWN_TOO))
        return found
    own = _own(target, os.environ.get(ITEMS) if items is None else items)
    if len(own) > 1:
        raise UserError(f"{target!r} has several workloads: name one, {' or '.join(w.name for w in own)}")
    return own[0]


def items_of(text: str, names: Mapping[str, Any]) -> list[Any]:
    """Return the items that a text names: a file (.json, or one item per line), or a Python expression.

    The expression is the user's own, as code on a command line is; it sees the names of his module, glob and Path.
    """
    try:
        if os.path.isfile(text):  # noqa: PTH113 - Path.is_file raises for an expression that is too long for a name
            content = Path(text).read_text(encoding="utf-8-sig")
            found = json.loads(content) if text.endswith(".json") else filter(str.strip, content.splitlines())
        else:
            from glob import glob

            found = eval(text, {"glob": glob, "Path": Path, **names})  # noqa: S307
        values = list(itertools.islice(found, MOST_ITEMS + 1))
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        if isinstance(error, NameError | SyntaxError):
            why = f"no such file, and as Python {why}"
        elif isinstance(error, TypeError):
            why += "; write a list, such as '[1, 2, 3]'"
        raise UserError(f"--items {_short(text)} gives no items: {why}") from error
    if not values or len(values) > MOST_ITEMS:
        raise UserError(f"--items {_short(text)} gives {f'over {MOST_ITEMS:,}' if values else 'no'} items")
    return values


def spread(values: Sequence[T], count: int | None) -> Sequence[T]:
    """Return so many of the values, evenly spread over all and in their order; all for None, or where there are fewer."""
    total = len(values)
    if count is None or count >= total:
        return values
    return [values[(2 * at + 1) * total // (2 * count)] for at in range(count)]


def batches(values: Sequence[T], count: int) -> list[Sequence[T]]:
    """Return the values in order, in so many batches, which differ by one in size at most."""
    count, total = min(count, len(values)), len(values)
    return [values[i * total // count : (i + 1) * total // count] for i in range(count)]


def refuse_lazy(results: Sequence[Any]) -> None:
    """Raise UserError where a result is not computed yet: its time would be that of computing nothing."""
    for result in results:
        for attribute, mend in LAZY.items():
            if hasattr(type(result), attribute):
                raise UserError(f"its result is of type {type(result).__name__} and not computed yet: {mend}")


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function, and name the item where it raises."""
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        if arguments:
            error.add_note(f"item {_short(arguments[0])}")
        raise


def _call_all(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    return [call() for call in calls]


def _registered(patterns: Sequence[str]) -> list[Workload]:
    try:
        return choose(all_workloads(), patterns)
    except UserError:
        for pattern in patterns:
            if Path(f"{pattern}.py").is_file():
                raise UserError(f"no workload or family matches {pattern!r}: did you mean {pattern}.py?") from None
        raise


def _own(target: str, items: str | None) -> list[Workload]:
    if target.endswith(".py"):
        return _workloads_of_file(target)
    place, _, name = target.removesuffix(CALL).rpartition(":")
    if not (place.endswith(".py") or _is_dotted(place)) or not _is_dotted(name):
        raise UserError(f"{target!r} names nothing: write my_file.py:function or package.module:function")
    module = _module(place, target)
    found = _look_up(module, name, target)
    if isinstance(found, Workload):
        return [replace(found, name=target, family=OWN)]
    function = _function(found, target)
    build: Calls | Graph
    if target.endswith(CALL):
        _check_call(function, (), target, "without arguments, as it builds what to measure")
        build = Graph(function, target)
    elif items is None:
        _check_call(function, (), target, "without arguments; give it some with --items")
        build = Calls(function, ((),) * TASKS)
    else:
        values = items_of(items, vars(module))
        _check_call(function, values[:1], target, "with one item each")
        build = Calls(function, tuple((value,) for value in values))
    told = {"items": TAKE, "parts": PARTS} if isinstance(build, Calls) else {}
    arguments = {name: int(os.environ[variable]) for name, variable in told.items() if variable in os.environ}
    documented = inspect.isroutine(function) or inspect.isclass(function)  # others tell of their type
    return [
        Workload(
            name=target,
            family=OWN,
            summary=(inspect.getdoc(function) or "").partition("\n")[0] if documented else "",
            build=build,
            sizes=dict.fromkeys(SIZES, arguments),
            modules=(module.__name__,),
            representative=True,
        )
    ]


def _workloads_of_file(target: str) -> list[Workload]:
    found = workloads_in(_module(target, target))
    if not found:
        raise UserError(f"{target} has no workload: name a function of it, {target}:function, or see `gilbench new`")
    return [replace(workload, name=f"{target}:{name}", family=OWN) for name, workload in found.items()]


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _module(place: str, target: str) -> ModuleType:
    """Import the user's module under a name by which every process of a pool can import it too."""
    if place == "__main__":
        raise UserError(f"{target!r}: __main__ is gilbench itself here; name the file, my_file.py:function")
    name = _name_of_file(place, target) if place.endswith(".py") else place
    if not place.endswith(".py"):
        _reach(Path.cwd())
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what it prints is no part of our answer
            return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        why = describe(error)
        if isinstance(error, SystemExit):
            why += '; what it runs as a script belongs under `if __name__ == "__main__":`'
        raise UserError(f"{target!r} cannot be imported: {why}") from error


def _name_of_file(place: str, target: str) -> str:
    """Return the name that a file is imported by, and let imports find it. A file of a package has a dotted one."""
    path = Path(place).absolute()
    if not path.is_file():
        raise UserError(f"{target!r}: there is no file {place}")
    folder, parts = path.parent, [path.stem]
    while (folder / "__init__.py").is_file():
        folder, parts = folder.parent, [folder.name, *parts]
    if "." in path.stem:
        raise UserError(f"{target!r}: a module's name has no dot: rename the file")
    top = folder / parts[0]
    others = _spec(parts[0])  # also those that ours would hide: gilbench or its libraries may need them
    _reach(folder)
    if not (others is None or _is(others, top)) or not _is(_spec(parts[0]), top):
        raise UserError(
            f"{target!r}: another module is named {parts[0]!r} too: rename {top.name if len(parts) > 1 else place}"
        )
    return ".".join(parts)


def _spec(name: str) -> ModuleSpec | None:
    importlib.invalidate_caches()
    try:
        return importlib.util.find_spec(name)
    except ValueError:  # it is loaded already, and does not tell from where
        return ModuleSpec(name, None, origin="unknown")


def _is(spec: ModuleSpec | None, top: Path) -> bool:
    """Return whether a module is the file `top`.py, or the package in the folder `top`."""
    origin = Path(spec.origin or "") if spec else Path()
    places = (top.with_name(f"{top.name}.py"), top / "__init__.py")
    return origin.is_file() and any(place.is_file() and origin.samefile(place) for place in places)


def _reach(folder: Path) -> None:
    """Let imports find a folder's modules: before installed packages, as Python does, but behind the standard library.

    So a file there that is named like one of its modules breaks nothing. Processes that spawn get the path too.
    """
    if str(folder) not in sys.path:
        installed = (at for at, place in enumerate(sys.path) if place.endswith(("site-packages", "dist-packages")))
        sys.path.insert(next(installed, len(sys.path)), str(folder))


def _look_up(module: ModuleType, name: str, target: str) -> Any:
    try:
        return operator.attrgetter(name)(module)
    except AttributeError:
        source = Path(module.__file__ or "")
        text = source.read_text(errors="replace") if source.suffix == ".py" and source.is_file() else ""
        if "__name__" in text and re.search(rf"^[ \t]+(async )?(def |class )?{re.escape(name)}\b", text, re.MULTILINE):
            hint = ': what stands under `if __name__ == "__main__":` is not there on import: move it out'
        else:
            hint = nearest(name, [key for key, value in vars(module).items() if callable(value)], "")
        raise UserError(f"{target!r}: no function {name!r} there{hint}") from None


def _function(found: Any, target: str) -> Callable[..., Any]:
    """Return the function to call. Raises UserError where calling it would not do the work."""
    if hasattr(type(found), "__dask_graph__"):
        found = getattr(found, "__wrapped__", found)  # decorated with dask.delayed: that is what we do ourselves
    if hasattr(type(found), "__dask_graph__"):
        raise UserError(f"{target!r} is a dask object: give a function that builds it, with --graph")
    if not callable(found):
        raise UserError(f"{target!r} is of type {type(found).__name__}: it cannot be called")
    if inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
        raise UserError(f"{target!r} is a generator: nothing runs before it is read; return a list of what it yields")
    if inspect.iscoroutinefunction(found):
        raise UserError(f"{target!r} is a coroutine: dask runs plain functions; wrap it with asyncio.run")
    if isinstance(found, functools._lru_cache_wrapper):
        raise UserError(
            f"{target!r} keeps its results in a cache: no call but the first does the work; name {target}.__wrapped__"
        )
    return found  # type: ignore[no-any-return]


def _check_call(function: Callable[..., Any], arguments: Sequence[Any], target: str, how: str) -> None:
    """Raise UserError where the function cannot be called so, as far as its signature tells."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # written in C, and does not tell
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise UserError(f"{target!r} is called {how}: {error}") from error


@functools.cache
def _builds_one(graph: Graph) -> bool:
    """Return whether a graph is one dask object, which can be computed by its own `.compute()`. Raises UserError."""
    try:
        return len(graph().collections) == 1
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{graph.target!r} raised {describe(error)}") from error


def _short(value: Any) -> str:
    shorter = reprlib.Repr()
    shorter.maxstring = shorter.maxother = 60
    return re.sub(r" at 0x[0-9a-fA-F]+", "", shorter.repr(value))  # another one in every process
