"""Dask's collections: each has a default scheduler, which is not always the best one."""

from __future__ import annotations

from gilbench import Job, workload
from gilbench.targets.workload import SIZES
from gilbench.workloads._events import event_facts, event_files
from gilbench.workloads._kernels import parts, roots_below, square_sum, squares_below
from gilbench.workloads._text import text, word_counts


def _add(left: int, right: int) -> int:
    return left + right


@workload(
    tiny={"chunks": 4, "numbers": 400_000},
    small={"chunks": 16, "numbers": 8_000_000},
    default={"chunks": 16, "numbers": 32_000_000},
    large={"chunks": 160, "numbers": 320_000_000},
    claims=("defaults", "override"),
    modules=("numpy", "dask.array"),
    representative=True,
    collection=True,
)
def array_mean(chunks: int, numbers: int) -> Job:
    """Mean of square roots with dask.array (default: threads)

    Each task makes its own chunk without the GIL, and only sums move. Measures the claims that the default suits Array and
    that it can be changed with .compute(scheduler=...) or dask.compute(x, scheduler=...).
    """
    import dask.array as da
    import numpy as np

    values = da.arange(numbers, chunks=numbers // chunks, dtype=np.float64)
    return Job(collections=[da.sqrt(values).mean()], answer=[roots_below(numbers) / numbers])


@workload(
    **{size: {"size": size} for size in SIZES},
    claims=("defaults", "override"),
    modules=("pandas", "pyarrow", "dask.dataframe"),
    collection=True,
)
def dataframe_groupby(size: str) -> Job:
    """Group CSV files with dask.dataframe (default: threads)

    Sums the price for each event_type, with one partition per file. DataFrame's default scheduler is threads; under
    processes the table of each step goes through the main session. Measures the same claims as array_mean.
    """
    import dask
    import dask.dataframe as dd

    files = event_files(size, ("event_type", "price"))
    # Left to dask, both would depend on the machine: blocks on its memory, strings on whether pyarrow is installed.
    with dask.config.set({"dataframe.convert-string": False}):
        frame = dd.read_csv(files, blocksize=None, dtype={"event_type": "str", "price": "float64"})
        sums = frame.groupby("event_type")["price"].sum()
    facts = event_facts(size)
    if facts is None:
        return Job(collections=[sums])

    import pandas as pd

    cents = pd.DataFrame([fact["price_sums"] for fact in facts]).sum().sort_index()
    return Job(collections=[sums], answer=[(cents / 100).rename("price").rename_axis("event_type")])


@workload(
    tiny={"tasks": 4, "pages": 2},
    small={"tasks": 8, "pages": 12},
    default={"tasks": 8, "pages": 50},
    large={"tasks": 8, "pages": 500},
    claims=("defaults", "override"),
    modules=("dask.bag",),
    collection=True,
)
def bag_word_count(tasks: int, pages: int) -> Job:
    """Count words with dask.bag (default: processes)

    Work on Python strings holds the GIL, so Bag's default is processes. But that default also starts a new pool for every
    compute, and hands out tasks six at a time. Measures the same claims as array_mean.
    """
    import dask.bag as db

    texts = db.from_sequence(range(tasks), npartitions=tasks).map(text, pages)
    words = texts.str.lower().str.split().flatten().map(str.strip, ",")
    expected: dict[str, int] = {}
    for seed in range(tasks):
        for word, count in word_counts(seed, pages).items():
            expected[word] = expected.get(word, 0) + count
    return Job(collections=[words.frequencies().map_partitions(sorted)], answer=[sorted(expected.items())])


@workload(
    tiny={"leaves": 4, "numbers": 60_000},
    small={"leaves": 16, "numbers": 500_000},
    default={"leaves": 16, "numbers": 2_000_000},
    large={"leaves": 16, "numbers": 20_000_000},
    claims=("defaults", "override"),
    collection=True,
)
def delayed_tree(leaves: int, numbers: int) -> Job:
    """Python loops, summed in a tree of delayed (default: threads)

    Partial sums of squares, added in pairs. Delayed's default is threads whatever the functions do, and these hold the
    GIL. Measures the claim that the default is not always the best, and otherwise the same claims as array_mean.
    """
    from dask import delayed

    level = [delayed(square_sum)(start, stop) for start, stop in parts(numbers, leaves)]
    while len(level) > 1:
        level = [delayed(_add)(*level[at : at + 2]) for at in range(0, len(level), 2)]
    return Job(collections=level, answer=[squares_below(numbers)])
