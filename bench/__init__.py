"""gilbench: threads, processes or neither? Measured under dask's schedulers, on this machine, with these versions."""

__version__ = "0.1.0"
