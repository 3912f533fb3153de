"""The folder is the registry: every module in a package, without a second list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

import workloads
from bench.errors import UserError
from workloads import Workload


def modules_in(package: ModuleType) -> list[ModuleType]:
    """Import every module of `package` whose name has no leading underscore, in alphabetical order."""
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_"))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


@cache
def all_workloads() -> dict[str, Workload]:
    """Return name -> Workload for every family, in the order in which the files and functions stand."""
    found: dict[str, Workload] = {}
    for module in modules_in(workloads):
        for value in workloads_in(module).values():
            if value.name in found:
                raise UserError(
                    f"two workloads are named {value.name!r}: rename the one in workloads/{value.family}.py"
                )
            found[value.name] = value
    return found


def workloads_in(module: ModuleType) -> dict[str, Workload]:
    """Return name in the module -> Workload, for all that were made there and not imported from elsewhere."""
    family = module.__name__.rpartition(".")[2]
    return {
        name: value for name, value in vars(module).items() if isinstance(value, Workload) and value.family == family
    }
