"""Files and folders: written whole or not at all, data fit for JSON, the cache folder, and folders of plug-ins."""

from __future__ import annotations

import errno
import importlib
import math
import os
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from gilbench.variables import CACHE


def write(path: Path, content: bytes) -> None:
    """Write the whole file or nothing: no reader sees half of it, and a failure leaves the old one. Raises OSError."""
    if not path.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Return the folder for what is made once and kept: GILBENCH_CACHE, or .cache/gilbench in the current folder."""
    return Path(os.environ.get(CACHE) or ".cache/gilbench").expanduser().absolute()


def cache_environment() -> dict[str, str]:
    """Return the variables that give a process in another folder the same cache folder."""
    return {CACHE: str(cache_folder())}


def ignored_by_git(folder: Path) -> None:
    """Make a folder that git ignores, whatever repository it is in: there is nothing of it to commit. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / ".gitignore"
    if not mark.exists():
        mark.write_text("*\n")


def finite(data: Any) -> Any:
    """Return the data with None in place of numbers that JSON does not have."""
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


# --- Plug-ins: a folder is its own registry, and there is no second list to edit


def names_in(package: ModuleType) -> list[str]:
    """Return the names of a package's modules in alphabetical order, without those that have a leading underscore.

    Packages inside it are left out. Nothing is imported.
    """
    found = pkgutil.iter_modules(package.__path__)
    return sorted(info.name for info in found if not info.name.startswith("_") and not info.ispkg)


def modules_in(package: ModuleType, only: str = "") -> list[ModuleType]:
    """Import the modules that `names_in` returns, in that order. only: a suffix that their names must have."""
    names = [name for name in names_in(package) if name.endswith(only)]
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]
