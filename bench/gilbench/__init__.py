"""gilbench: threads, processes or neither? Measured under dask's schedulers, on this machine, with these versions.

From Python: `gilbench.run`, `probe`, `advise` and `check` do what the commands do and return data, and `gilbench.load` reads a
result file. `Job` and `workload` are for modules of your own workloads (see `gilbench new`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers; _FACE is the same table for Python
    from gilbench.advise.advice import Advice as Advice
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

_FACE = {
    "Advice": "gilbench.advise.advice",
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

# Two functions are named like the folders that do their work. Python sets a folder's name here when it first imports the
# folder: do that now and remove the names again, and they stand for the functions from then on. Both folders are empty.
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
