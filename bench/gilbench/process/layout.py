"""Random memory layouts: a hash seed, and a pile of objects on the heap, both drawn from a seed.

Where objects happen to lie changes the time of a pure-Python loop by up to 20 %, and an unrelated import can shift it for
good. Drawing a new layout for every process turns that bias into spread, which an interval can show (Mytkowicz et al.,
ASPLOS 2009; Curtsinger and Berger, ASPLOS 2013).
"""

from __future__ import annotations

import random


def environment(seed: int) -> dict[str, str]:
    """Return environment variables that give a new interpreter the layout's hash seed."""
    return {"PYTHONHASHSEED": str(seed % 2**32)}


def pile(seed: int) -> list[bytes | list[int]]:
    """Allocate objects of random sizes, free two of three, and return the rest, which the caller keeps alive.

    Call it before anything is imported, so that everything lands in and around the holes. Takes a few milliseconds.
    """
    draw = random.Random(seed)
    heap: list[bytes | list[int]] = [bytes(draw.randrange(1, 512)) for _ in range(draw.randrange(1, 20_000))]
    heap += [[0] * draw.randrange(1, 60) for _ in range(draw.randrange(1, 5_000))]
    heap += [bytes(draw.randrange(1 << 12, 1 << 18)) for _ in range(draw.randrange(1, 40))]
    return heap[::3]
