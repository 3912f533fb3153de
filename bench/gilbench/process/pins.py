"""Inner threads: those that a task starts by itself (BLAS, pandas's read_csv, pyarrow). Pinned to one unless a case differs.

Without this the sync baseline is not serial, and a scheduler's gain is measured against a head start.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence

# The libraries read these when they are loaded: they have to be set before a worker starts, and are inherited.
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)


def environment(pinned: bool) -> dict[str, str]:
    """Return environment variables for a process that runs tasks; none where its inner threads are left alone."""
    return dict.fromkeys(VARIABLES, "1") if pinned else {}


def prepare(modules: Sequence[str], pinned: bool) -> None:
    """Import `modules` and pin the thread pools of what is loaded: call it in every process that runs tasks."""
    for module in modules:
        importlib.import_module(module)
    if not pinned:
        return
    os.environ.update(environment(pinned=True))
    if "numpy" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(1)
    if "pyarrow" in sys.modules:
        import pyarrow

        pyarrow.set_cpu_count(1)
        pyarrow.set_io_thread_count(1)
    if "pandas" in sys.modules:
        import pandas

        # pandas before 3.1 lacks the option, and reads CSV files on one thread anyway.
        with contextlib.suppress(pandas.errors.OptionError):
            pandas.set_option("mode.max_threads", 1)
