"""The inside of a prepared process: it imports what its observations need, then forks a worker for each of them.

    python -m gilbench.measure.forked_worker SEED MODULE...

Imports at the top are light: pools that spawn import this module again in each of their processes.
"""

from __future__ import annotations

import importlib
import sys

from gilbench.process import layout, prepared

# What every worker imports, in the order in which a fresh one does. None of it is part of what is measured.
USUAL = ("gilbench.cases.opening", "dask.delayed", "gilbench.schedulers", "gilbench.targets.naming", "pyperf", "psutil")


def main(seed: str, modules: list[str]) -> None:
    """Import the modules and serve. seed: of the memory layout that all forks share and add to."""
    kept = layout.pile(int(seed))
    prepared.serve(lambda: [importlib.import_module(module) for module in (*USUAL, *modules)], run)
    del kept


def run(job: list[str]) -> None:
    """In a forked process: measure. job: the paths of the order and of the outcome."""
    import warnings

    from gilbench.measure import worker

    # The one thread beside the main one is the lifeline, which holds no lock: pools may fork here.
    warnings.filterwarnings("ignore", message=".*use of fork", category=DeprecationWarning)

    worker.main(*job)


if __name__ == "__main__":
    # Through the real module, so that what is pickled here names gilbench.measure.forked_worker and not __main__.
    from gilbench.measure import forked_worker

    forked_worker.main(sys.argv[1], sys.argv[2:])
