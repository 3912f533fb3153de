"""Importing what a target names: built-in workloads and the user's own files take the same path.

Tasks travel to other processes as names. So each file is imported under a name by which every process of a pool can import
it too: the user's file as a module of its folder, a file of built-in workloads as gilbench.workloads.NAME.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import operator
import re
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from gilbench import workloads
from gilbench.errors import UserError, describe, nearest
from gilbench.targets.workload import Workload

GILBENCH: Final = Path(__file__).parents[1]
MAIN_GUARD: Final = '`if __name__ == "__main__":`'


def is_dotted(name: str) -> bool:
    """Return whether a text is a Python name, or several of them joined by dots."""
    return all(part.isidentifier() for part in name.split("."))


def workloads_in(file: str, target: str) -> dict[str, Workload]:
    """Import a file and return variable name -> Workload for all that it defines itself, in their order in the file.

    target: what the user typed, for messages. Raises UserError, in one line, where the file cannot be imported.
    """
    module = import_target(file, target)
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, Workload) and value.build.__module__ == module.__name__
    }


def import_target(place: str, target: str) -> ModuleType:
    """Import a module under a name by which every process of a pool can import it too.

    place: a path that ends in .py, or a dotted name. target: what the user typed, for messages. What the module prints goes
    to standard error. Raises UserError, in one line, where it cannot be imported.
    """
    if place == "__main__":
        raise UserError(f"{target!r}: __main__ is gilbench itself here; name the file, my_file.py:function")
    if place.endswith(".py"):
        name = _name_of_file(place, target)
    else:
        name = place
        _reach(Path.cwd(), target)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for gilbench's own answer
            return importlib.import_module(name)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        why = describe(error)
        if isinstance(error, SystemExit):
            why += f"; what it runs as a script belongs under {MAIN_GUARD}"
        elif isinstance(error, ImportError) and error.name == "workloads":
            why += "; `Job` and `workload` are imported from gilbench now: `from gilbench import Job, workload`"
        raise UserError(f"{target!r} cannot be imported: {why}") from error


def look_up(module: ModuleType, name: str, target: str) -> Any:
    """Return what a dotted name refers to in a module. Raises UserError, in one line, where there is no such name."""
    try:
        return operator.attrgetter(name)(module)
    except AttributeError:
        source = Path(module.__file__ or "")
        text = source.read_text(errors="replace") if source.suffix == ".py" and source.is_file() else ""
        if "__name__" in text and re.search(rf"^[ \t]+(async )?(def |class )?{re.escape(name)}\b", text, re.MULTILINE):
            hint = f": code under {MAIN_GUARD} does not run on import: move it out"
        else:
            hint = nearest(name, [key for key, value in vars(module).items() if callable(value)], "")
        raise UserError(f"{target!r}: no function {name!r} there{hint}") from None


def _name_of_file(place: str, target: str) -> str:
    """Return the name to import a file by, and let imports find it. A file of a package has a dotted name."""
    path = Path(place).absolute()
    if not path.is_file():
        raise UserError(f"{target!r}: there is no file {place}")
    if "." in path.stem:
        raise UserError(f"{target!r}: a module's name has no dot: rename the file")
    if any(path.parent.resolve() == Path(folder).resolve() for folder in workloads.__path__):
        return f"{workloads.__name__}.{path.stem}"
    folder, parts = path.parent, [path.stem]
    while (folder / "__init__.py").is_file():
        folder, parts = folder.parent, [folder.name, *parts]
    top = folder / parts[0]
    others = _spec(parts[0])  # also a module that this file would hide: gilbench or its libraries may need it
    _reach(folder, target)
    if not (others is None or _is(others, top)) or not _is(_spec(parts[0]), top):
        raise UserError(
            f"{target!r}: another module is named {parts[0]!r} too: rename {top.name if len(parts) > 1 else place}"
        )
    return ".".join(parts)


def _reach(folder: Path, target: str) -> None:
    """Let imports find a folder's modules: before installed packages, as Python does, but after the standard library.

    So a file there that has the name of a standard module breaks nothing. Processes that are spawned inherit the path.
    Raises UserError where the folder has a module of its own called gilbench: those processes would import it.
    """
    if str(folder) in sys.path:
        return
    installed = (at for at, place in enumerate(sys.path) if place.endswith(("site-packages", "dist-packages")))
    at = next(installed, len(sys.path))
    path = [*sys.path[:at], str(folder), *sys.path[at:]]
    importlib.invalidate_caches()
    found = PathFinder.find_spec("gilbench", path)
    if _is(found, folder / "gilbench") and not _is(found, GILBENCH):
        module = "gilbench.py" if (folder / "gilbench.py").is_file() else "the package gilbench"
        raise UserError(f"{target!r}: {module} in that folder hides the installed gilbench: rename it")
    sys.path[:] = path


def _spec(name: str) -> ModuleSpec | None:
    importlib.invalidate_caches()
    try:
        return importlib.util.find_spec(name)
    except ValueError:  # it is loaded already, and does not say from where
        return ModuleSpec(name, None, origin="unknown")


def _is(spec: ModuleSpec | None, top: Path) -> bool:
    """Return whether a module is the file `top`.py, or the package in the folder `top`."""
    origin = Path(spec.origin or "") if spec else Path()
    places = (top.with_name(f"{top.name}.py"), top / "__init__.py")
    return origin.is_file() and any(place.is_file() and origin.samefile(place) for place in places)
