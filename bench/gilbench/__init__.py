"""gilbench: threads, processes or neither? Measured under dask's schedulers, on this machine, with these versions."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gilbench.targets.workload import Job as Job
    from gilbench.targets.workload import workload as workload

__version__ = "0.1.0"

_FACE = {
    "Job": "gilbench.targets.workload",
    "workload": "gilbench.targets.workload",
}
__all__ = [*_FACE, "__version__"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, and nothing before: processes that run tasks import this module too."""
    if name in _FACE:
        return getattr(importlib.import_module(_FACE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
