"""Compression: zlib releases the GIL."""

# Measure it:           gilbench run NAME.py
# Find out why:         gilbench probe NAME.py:compress
# A plain function of yours, without any of this: gilbench run NAME.py:function --items '[1, 2, 3]'

from gilbench import Job, workload


# A task: a plain function of this module. It imports what it needs inside, and returns something that can be compared,
# because every scheduler must return what sync returns.
def _compress(size: int) -> int:
    import zlib

    return len(zlib.compress(bytes(size)))


# A workload: a function that builds dask objects and computes nothing. Its arguments depend on --size: tiny takes about
# 5 ms under sync, default about 0.1 s. representative: it runs on every scheduler.
@workload(
    tiny={"size": 10**4}, small={"size": 10**6}, default={"size": 10**7}, large={"size": 10**8}, representative=True
)
def compress(size: int) -> Job:
    """Compress zeros with zlib"""
    from dask import delayed

    # Or dask arrays, dataframes and bags. Job(..., answer=[...]) checks the results against an answer that you know.
    return Job([delayed(_compress)(size) for _ in range(8)])
