"""The folder is the registry: every module in a package, without a second list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def names_in(package: ModuleType) -> list[str]:
    """Return the names of the modules of `package` that have no leading underscore, in alphabetical order.

    Packages inside it are not among them, and nothing is imported.
    """
    found = pkgutil.iter_modules(package.__path__)
    return sorted(info.name for info in found if not info.name.startswith("_") and not info.ispkg)


def modules_in(package: ModuleType, only: str = "") -> list[ModuleType]:
    """Import the modules that `names_in` names, in the same order. only: those whose name ends so."""
    names = [name for name in names_in(package) if name.endswith(only)]
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]
