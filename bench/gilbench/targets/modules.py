"""Importing the user's module under a name by which every process of a pool can import it too."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import operator
import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from gilbench.errors import UserError, describe, nearest


def is_dotted(name: str) -> bool:
    """Return whether a text is a name of Python, or several with dots in between."""
    return all(part.isidentifier() for part in name.split("."))


def import_target(place: str, target: str) -> ModuleType:
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
        elif isinstance(error, ImportError) and error.name == "workloads":
            why += "; `Job` and `workload` are imported from gilbench now: `from gilbench import Job, workload`"
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


def look_up(module: ModuleType, name: str, target: str) -> Any:
    """Return what a dotted name stands for in the user's module. Raises UserError, in one line, where there is nothing."""
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
