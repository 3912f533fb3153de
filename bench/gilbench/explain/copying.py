"""What copying between processes costs: a fixed time and a rate, by slope over sizes and not by one division."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gilbench import stats
from gilbench.results.summary import CaseSummary, Summary
from gilbench.stats import Estimate

SIZES: Final = 4  # sizes at least; two would fit any line
MOST_LOG: Final = 60.0  # natural logs beyond which no cost lies: e-26 s, and e26 bytes a second


@dataclass(frozen=True)
class CopyCost:
    """time = fixed + bytes / rate. fixed: seconds per compute. rate: bytes per second. sizes: number of sizes behind it."""

    fixed: Estimate
    rate: Estimate
    sizes: int


def cost(summary: Summary, workload: str, scheduler: str, without: str = "threads") -> CopyCost | None:
    """Return what copying costs under a scheduler; None where fewer than SIZES sizes were measured in a common round.

    It is the time beyond that of the same work under `without`, which copies nothing. Each round gives one fit over all
    sizes; the estimate is the median over rounds, which are independent of each other.
    """
    points = _points(summary, workload, scheduler, without)
    fits = [fit([size for size, _ in mine], [extra for _, extra in mine]) for mine in points if len(mine) >= SIZES]
    if not fits:
        return None
    fixed, rate = zip(*fits, strict=True)
    return CopyCost(stats.estimate(fixed), stats.estimate(rate), max(map(len, points)))


def _points(summary: Summary, workload: str, scheduler: str, without: str) -> list[list[tuple[float, float]]]:
    """Return (bytes, seconds beyond those without copying) of each size, for each round."""
    copied, kept = _widest(summary, workload, scheduler), _widest(summary, workload, without)
    by_round: dict[int, list[tuple[float, float]]] = {}
    for size, case in copied.items():
        if size not in kept or case.moved_bytes <= 0:
            continue
        base = dict(zip(kept[size].rounds, kept[size].observations, strict=False))
        for round_, seconds in zip(case.rounds, case.observations, strict=False):
            if round_ in base and seconds > base[round_]:
                by_round.setdefault(round_, []).append((float(case.moved_bytes), seconds - base[round_]))
    return list(by_round.values())


def _widest(summary: Summary, workload: str, scheduler: str) -> dict[str, CaseSummary]:
    """Return size -> the case with the most workers."""
    cases = [case for case in summary.timed if (case.case.workload, case.case.scheduler) == (workload, scheduler)]
    return {case.case.size: case for case in sorted(cases, key=lambda case: case.case.parallelism)}


def fit(sizes: Sequence[float], seconds: Sequence[float]) -> tuple[float, float]:
    """Return (fixed, rate) of seconds = fixed + sizes / rate, in seconds and bytes per second.

    sizes, seconds: positive, one for each size, at least two different sizes. The residuals are relative (of logs), because
    the times span orders of magnitude; a soft L1 loss keeps one bad size from bending the line. Raises ValueError.
    """
    if len(set(sizes)) < 2 or not all(math.isfinite(x) and x > 0 for x in (*sizes, *seconds)):
        raise ValueError(f"a slope needs two sizes, and positive figures: {list(zip(sizes, seconds, strict=True))}")
    import numpy as np
    from scipy.optimize import least_squares

    across, logs = np.asarray(sizes, dtype=float), np.log(np.asarray(seconds, dtype=float))

    def residuals(parameters: stats.FloatArray) -> stats.FloatArray:
        return np.asarray(np.log(np.exp(parameters[0]) + across * np.exp(parameters[1])) - logs)

    largest = int(np.argmax(across))
    start = [float(logs.min()), float(logs[largest] - np.log(across[largest]))]
    found = least_squares(residuals, start, loss="soft_l1", f_scale=0.1, bounds=(-MOST_LOG, MOST_LOG))
    return math.exp(found.x[0]), math.exp(-found.x[1])
