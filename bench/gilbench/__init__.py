"""gilbench: threads, processes or neither? Measured under dask's schedulers, on this machine, with these versions.

From Python: `gilbench.run`, `probe`, `advise` and `check` do what the commands do and return data, and `gilbench.load` reads a
result file. `Job` and `workload` are for modules of your own workloads (see `gilbench new`).
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_FACE = {  # public name -> the module that defines it
    "Advice": "gilbench.advice.choice",
    "CaseSummary": "gilbench.results.summary",
    "Estimate": "gilbench.stats",
    "Job": "gilbench.targets.workload",
    "Probing": "gilbench.results.records",
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


def __getattr__(name: str) -> Any:
    """Import what is asked for, and nothing before: processes that run tasks import this module too."""
    if name in _FACE:
        return getattr(importlib.import_module(_FACE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
