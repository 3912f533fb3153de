"""Two kernels that several families share: one holds the GIL throughout, the other releases it.

A formula gives the answer of each, so that a wrong result is noticed without computing it a second time.
"""

from __future__ import annotations

import itertools
import math
from typing import Final

# Elements at a time: 2 MB, which is long enough (about 0.2 ms a step) that the GIL is rarely requested, and fits a cache.
_BLOCK: Final = 2**18
# zeta(-1/2), the constant in the sum of square roots.
_ZETA: Final = -0.2078862249773545


def parts(total: int, count: int) -> list[tuple[int, int]]:
    """Divide range(total) into `count` consecutive (start, stop) of nearly equal length."""
    edges = [total * number // count for number in range(count + 1)]
    return list(itertools.pairwise(edges))


def square_sum(start: int, stop: int) -> int:
    """Sum the squares of range(start, stop) in a Python loop, which never releases the GIL."""
    total = 0
    for number in range(start, stop):
        total += number * number
    return total


def squares_below(stop: int) -> int:
    """Return square_sum(0, stop) by formula."""
    return (stop - 1) * stop * (2 * stop - 1) // 6


def sqrt_sum(start: int, stop: int) -> float:
    """Sum the square roots of range(start, stop) in numpy, which works without the GIL."""
    import numpy as np

    # Both arrays are reused: new ones for every block would measure the allocator and page faults, which differ between
    # schedulers (distributed sets MALLOC_TRIM_THRESHOLD_ for its workers).
    numbers = np.arange(start, min(start + _BLOCK, stop), dtype=np.float64)
    roots = np.empty_like(numbers)
    total = 0.0
    for low in range(start, stop, _BLOCK):
        count = min(_BLOCK, stop - low)
        np.sqrt(numbers[:count], out=roots[:count])
        total += float(roots[:count].sum())
        numbers += _BLOCK
    return total


def roots_below(stop: int) -> float:
    """Return sqrt_sum(0, stop): term by term for few numbers, else by the Euler-Maclaurin formula, good to the last digits."""
    if stop <= 1000:
        return math.fsum(math.sqrt(number) for number in range(stop))
    root = math.sqrt(stop - 1)
    return 2 / 3 * root**3 + root / 2 + _ZETA + 1 / (24 * root) - 1 / (1920 * root**5)
