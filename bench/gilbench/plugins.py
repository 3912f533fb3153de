"""A package as a registry: each module in it is one entry, and there is no second list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


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
