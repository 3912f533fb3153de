"""gilbench: threads, processes or neither? Measured under dask's schedulers, on this machine, with these versions.

From Python: `gilbench.run`, `probe`, `advise` and `check` do what the commands do and return data, and `gilbench.load` reads a
result file. `Job` and `workload` are for modules of your own workloads (see `gilbench new`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the table _FACE, for editors and type checkers
    from gilbench.advise.choice import Advice as Advice
    from gilbench.errors import UserError as UserError
    from gilbench.library import advise as advise
    from gilbench.library import check as check
    from gilbench.library import load as load
    from gilbench.library import probe as probe
    from gilbench.library import run as run
    from gilbench.results.observations import Probing as Probing
    from gilbench.results.summary import CaseSummary as CaseSummary
    from gilbench.results.summary import Summary as Summary
    from gilbench.results.verdicts import Verdicts as Verdicts
    from gilbench.stats import Estimate as Estimate
    from gilbench.targets.workload import Job as Job
    from gilbench.targets.workload import Workload as Workload
    from gilbench.targets.workload import workload as workload

__version__ = "0.1.0"

_FACE = {  # public name -> the module that defines it
    "Advice": "gilbench.advise.choice",
    "CaseSummary": "gilbench.results.summary",
    "Estimate": "gilbench.stats",
    "Job": "gilbench.targets.workload",
    "Probing": "gilbench.results.observations",
    "Summary": "gilbench.results.summary",
    "UserError": "gilbench.errors",
    "Verdicts": "gilbench.results.verdicts",
    "Workload": "gilbench.targets.workload",
    "advise": "gilbench.library",
    "check": "gilbench.library",
    "load": "gilbench.library",
    "probe": "gilbench.library",
    "run": "gilbench.library",
    "workload": "gilbench.targets.workload",
}
__all__ = [*_FACE, "__version__"]

# Two functions share their names with the folders that do their work. When Python first imports a folder, it sets the folder's
# name in this module, where it would hide the function. So both folders, whose __init__.py hold nothing but a docstring, are
# imported right away and their names removed again: from then on __getattr__ answers for them.
for _folder in ("advise", "check"):
    importlib.import_module(f"{__name__}.{_folder}")
    globals().pop(_folder, None)


def __getattr__(name: str) -> Any:
    """Import what is asked for, and nothing before: processes that run tasks import this module too."""
    if name in _FACE:
        return getattr(importlib.import_module(_FACE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
