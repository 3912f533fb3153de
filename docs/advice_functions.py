"""Functions that docs/measure_advice.py asks advice on, besides the workloads.

Half of them are random mixes of Python, native work without the GIL and sleep, drawn with a fixed seed: tasks of 50 µs to
half a second, which return from a few bytes to a few megabytes. The others are everyday work.
FUNCTIONS names each, with its items as `--items` takes them and the kind that dask's documentation goes by: `gilbench advise`
was tuned on those. FRESH names functions that were written later, for a trial: nothing was tuned on them before they were
measured (docs/advice.md says what was fixed then).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

NUMBERS, TEXT = "numbers", "text"
WORK = 0.6  # seconds of work in one compute, about


@dataclass(frozen=True)
class Function:
    """name: in this module. items: as of --items. kind: what dask's documentation would call it, numbers or text."""

    name: str
    items: str
    kind: str


@dataclass(frozen=True)
class Mix:
    """One item of a mix. loops: of Python. numbers: that numpy takes roots of. sleep: seconds. size: bytes returned."""

    loops: int
    numbers: int
    sleep: float
    size: int


def mixed(mix: Mix) -> bytes:
    """Do this much of each, alternating about every millisecond, and return bytes of this size."""
    import time

    turns = max(1, (mix.loops // 10_000 + mix.numbers // 200_000) // 2)
    for _ in range(turns):
        total = 0
        for i in range(mix.loops // turns):
            total += i * i
        if mix.numbers:
            np.sqrt(np.ones(mix.numbers // turns)).sum()
    if mix.sleep:
        time.sleep(mix.sleep)
    return bytes(mix.size)


def drawn(seed: int) -> list[Mix]:
    """Return the items of one mix: how long, what of, how much comes back."""
    chance = random.Random(seed)
    seconds = 10 ** chance.uniform(-4.3, -0.3)
    python, native, idle = (chance.choice((0.0, 0.05, 0.5, 1.0)) * chance.random() for _ in range(3))
    total = python + native + idle or 1.0
    mix = Mix(
        loops=round(seconds * python / total * 1.6e7),
        numbers=round(seconds * native / total * 1.5e8),
        sleep=seconds * idle / total,
        size=round(10 ** chance.choice((1, 1, 1, 3, 5, 6.5))),
    )
    return [mix] * max(4, min(4000, round(WORK / seconds)))


def find_words(seed: int) -> int:
    """A regular expression over text."""
    import re

    return len(re.findall(r"\b\w+ing\b", _text(seed, 400)))


def parse_json(seed: int) -> int:
    """json.loads of a list of records."""
    import json

    return len(json.loads(_records(seed, 300)))


def write_json(seed: int) -> str:
    """json.dumps of a list of records."""
    import json

    return json.dumps([{"id": i, "name": f"name {i * seed}", "tags": ["a", "b"]} for i in range(2000)])


def compress(seed: int) -> int:
    """zlib over a quarter of a megabyte."""
    import zlib

    return len(zlib.compress(_text(seed, 2000).encode()))


def digest(seed: int) -> str:
    """sha256 over eight megabytes."""
    import hashlib

    return hashlib.sha256(bytes(8_000_000) + bytes([seed % 256])).hexdigest()


def short_digests(seed: int) -> str:
    """sha256 over a chain of short strings: every call keeps the GIL."""
    import hashlib

    value = str(seed).encode()
    for _ in range(20_000):
        value = hashlib.sha256(value).digest()
    return value.hex()


def convolve(seed: int) -> float:
    """scipy's fft of an array."""
    import scipy.fft

    return float(abs(scipy.fft.fft(np.random.default_rng(seed).random(200_000))).sum())


def solve(seed: int) -> float:
    """A linear system, by LAPACK."""
    matrix = np.random.default_rng(seed).random((300, 300)) + np.eye(300) * 300
    return float(np.linalg.solve(matrix, np.ones(300)).sum())


def group(seed: int) -> pd.DataFrame:
    """A pandas groupby over numbers."""
    frame = pd.DataFrame({"key": np.arange(200_000) % 97, "value": np.random.default_rng(seed).random(200_000)})
    return frame.groupby("key").agg(["mean", "std", "max"])


def group_text(seed: int) -> pd.Series[Any]:
    """A pandas groupby over text."""
    frame = pd.DataFrame({"key": _text(seed, 400).split()})
    return frame.groupby("key").size()


def upper(seed: int) -> int:
    """pandas' str methods."""
    return int(pd.Series(_text(seed, 500).split()).str.upper().str.len().sum())


def upper_objects(seed: int) -> int:
    """The same on Python objects."""
    return int(pd.Series(_text(seed, 500).split(), dtype=object).str.upper().str.len().sum())


def apply_rows(seed: int) -> float:
    """DataFrame.apply with a Python function for each row."""
    frame = pd.DataFrame({"a": np.arange(1500), "b": seed})
    return float(frame.apply(lambda row: row["a"] * 2 + row["b"], axis=1).sum())


def merge(seed: int) -> int:
    """A pandas merge."""
    chance = np.random.default_rng(seed)
    left = pd.DataFrame({"key": chance.integers(0, 50_000, 100_000), "a": 1})
    right = pd.DataFrame({"key": chance.integers(0, 50_000, 100_000), "b": 2})
    return len(left.merge(right, on="key"))


def parse_dates(seed: int) -> int:
    """pd.to_datetime of text."""
    days = pd.Series([f"20{i % 20 + 10}-{i % 12 + 1:02d}-{i % 28 + 1:02d}" for i in range(20_000)])
    return int(pd.to_datetime(days, format="%Y-%m-%d").dt.year.sum()) + seed


def fibonacci(seed: int) -> int:
    """Recursion in Python."""

    def at(n: int) -> int:
        return n if n < 2 else at(n - 1) + at(n - 2)

    return at(21 + seed % 2)


def image_blur(seed: int) -> float:
    """A filter over an image, by scipy.ndimage."""
    import scipy.ndimage

    return float(scipy.ndimage.gaussian_filter(np.random.default_rng(seed).random((300, 300)), 3).sum())


def large_frame(seed: int) -> pd.DataFrame:
    """A task that returns 16 MB."""
    return pd.DataFrame(np.random.default_rng(seed).random((200_000, 10)))


def count_words(seed: int) -> int:
    """collections.Counter over text."""
    from collections import Counter

    return Counter(_text(seed, 500).split()).most_common(1)[0][1]


def edit_distance(seed: int) -> int:
    """Dynamic programming in Python."""
    one, other = _text(seed, 2), _text(seed + 1, 2)
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def parse_csv(seed: int) -> int:
    """The csv module."""
    import csv
    import io

    text = "\n".join(f"{i},{i * seed},name {i},{i / 7:.3f}" for i in range(4000))
    return sum(int(row[0]) for row in csv.reader(io.StringIO(text)))


def query_database(seed: int) -> float:
    """sqlite3 in memory."""
    import sqlite3

    database = sqlite3.connect(":memory:")
    database.execute("create table t (a integer, b real)")
    database.executemany("insert into t values (?, ?)", ((i % 50, i * 0.5 + seed) for i in range(8000)))
    found = database.execute("select a, sum(b) from t group by a order by 2 desc").fetchone()[1]
    database.close()
    return float(found)


def singular_values(seed: int) -> float:
    """numpy.linalg.svd."""
    return float(np.linalg.svd(np.random.default_rng(seed).random((150, 150)), compute_uv=False)[0])


def stretch_key(seed: int) -> str:
    """hashlib.pbkdf2_hmac, as for a password."""
    import hashlib

    return hashlib.pbkdf2_hmac("sha256", b"password", str(seed).encode(), 20_000).hex()


def squeeze(seed: int) -> int:
    """lzma over text."""
    import lzma

    return len(lzma.compress(_text(seed, 500).encode(), preset=1))


def rolling_mean(seed: int) -> float:
    """pandas' rolling windows."""
    return float(pd.Series(np.random.default_rng(seed).random(200_000)).rolling(50).mean().sum())


def pivot(seed: int) -> pd.DataFrame:
    """pandas' pivot_table."""
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": chance.integers(0, 30, 50_000), "b": chance.integers(0, 12, 50_000), "c": 1.0})
    return frame.pivot_table(index="a", columns="b", values="c", aggfunc="sum")


def copy_records(seed: int) -> int:
    """copy.deepcopy of nested dictionaries."""
    import copy

    return len(copy.deepcopy([{"id": i, "tags": ["a", "b"], "more": {"seed": seed}} for i in range(1000)]))


def fetch(seed: int) -> int:
    """An answer that is waited for, and then parsed."""
    import json
    import time

    time.sleep(0.03)
    return len(json.loads(_records(seed, 2000)))


def minimise(seed: int) -> float:
    """scipy.optimize, which calls Python."""
    from scipy.optimize import minimize

    start = np.random.default_rng(seed).random(4)
    return float(minimize(lambda x: float(((x - 1) ** 2).sum() + (x[0] * x[1]) ** 2), start, method="Nelder-Mead").fun)


def wait(seconds: float) -> float:
    """What a download is: nothing but waiting."""
    import time

    time.sleep(seconds)
    return seconds


def uneven(n: int) -> int:
    """Python loops, one much longer than the others."""
    return sum(i * i for i in range(n))


def _text(seed: int, lines: int) -> str:
    chance = random.Random(seed)
    words = (
        "measuring",
        "threads",
        "and",
        "processes",
        "again",
        "running",
        "the",
        "lock",
        "is",
        "waiting",
        "for",
        "data",
    )
    return "\n".join(" ".join(chance.choices(words, k=12)) for _ in range(lines))


def _records(seed: int, count: int) -> str:
    return (
        "[" + ",".join(f'{{"id": {i}, "name": "n{i * seed}", "values": [1.5, 2.5, {i}]}}' for i in range(count)) + "]"
    )


def _everyday(function: Callable[..., Any], count: int, kind: str) -> Function:
    return Function(function.__name__, f"range({count})", kind)


FUNCTIONS = (
    *(Function("mixed", f"drawn({seed})", NUMBERS) for seed in range(16)),
    _everyday(find_words, 60, TEXT),
    _everyday(parse_json, 100, TEXT),
    _everyday(write_json, 60, TEXT),
    _everyday(compress, 40, TEXT),
    _everyday(digest, 40, NUMBERS),
    _everyday(short_digests, 40, TEXT),
    _everyday(convolve, 40, NUMBERS),
    _everyday(solve, 60, NUMBERS),
    _everyday(group, 40, NUMBERS),
    _everyday(group_text, 60, TEXT),
    _everyday(upper, 60, TEXT),
    _everyday(upper_objects, 60, TEXT),
    _everyday(apply_rows, 40, NUMBERS),
    _everyday(merge, 40, NUMBERS),
    _everyday(parse_dates, 40, TEXT),
    _everyday(fibonacci, 60, NUMBERS),
    _everyday(image_blur, 40, NUMBERS),
    _everyday(large_frame, 16, NUMBERS),
    Function("wait", "[0.02] * 32", TEXT),
    Function("uneven", "[100_000] * 20 + [3_000_000]", NUMBERS),
)

FRESH = (
    *(Function("mixed", f"drawn({seed})", NUMBERS) for seed in range(16, 24)),
    _everyday(count_words, 60, TEXT),
    _everyday(edit_distance, 60, TEXT),
    _everyday(parse_csv, 60, TEXT),
    _everyday(query_database, 60, NUMBERS),
    _everyday(singular_values, 100, NUMBERS),
    _everyday(stretch_key, 60, TEXT),
    _everyday(squeeze, 60, TEXT),
    _everyday(rolling_mean, 60, NUMBERS),
    _everyday(pivot, 60, NUMBERS),
    _everyday(copy_records, 60, TEXT),
    _everyday(fetch, 40, TEXT),
    _everyday(minimise, 40, NUMBERS),
)
