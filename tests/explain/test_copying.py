"""What copying costs: a fixed time and a rate that were planted are found again, whatever one bad size says."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from gilbench.cases.case import Case
from gilbench.explain import copying
from gilbench.explain.tutorial import decide
from gilbench.results.records import Observation
from gilbench.results.summary import Summary, summarize
from tests.results.test_summary import observed, result

BYTES = {"tiny": 4 * 2**12, "small": 4 * 2**16, "default": 4 * 2**22, "large": 2 * 2**26}
FIXED, RATE = 0.002, 400e6


def scripted(seconds: Callable[[str], float], sizes: tuple[str, ...] = tuple(BYTES), sd: float = 0.0) -> Summary:
    """Six rounds in which threads take 1 ms at every size, and processes as long as `seconds` says on top of it."""
    draw, runs = random.Random(3), list[Observation]()
    for size in sizes:
        for scheduler, workers, threads in (("sync", 1, 1), ("threads", 1, 2), ("processes", 2, 1)):
            extra = seconds(size) if scheduler == "processes" else 0.0
            values = [(0.001 + extra) * draw.lognormvariate(0.0, sd) for _ in range(6)]
            runs += observed(Case("return_bytes", size, scheduler, workers, threads), *values, moved_bytes=BYTES[size])
    return summarize(result(*runs))


def planted(size: str) -> float:
    return FIXED + BYTES[size] / RATE


def test_what_was_planted_is_found() -> None:
    found = copying.cost(scripted(planted), "return_bytes", "processes")
    assert found is not None
    assert found.sizes == 4
    assert found.fixed.value == pytest.approx(FIXED, rel=1e-3)
    assert found.rate.value == pytest.approx(RATE, rel=1e-3)


def test_noise_widens_the_interval_which_holds_the_truth() -> None:
    found = copying.cost(scripted(planted, sd=0.05), "return_bytes", "processes")
    assert found is not None
    assert found.fixed.low < FIXED < found.fixed.high
    assert found.rate.low < RATE < found.rate.high
    assert found.rate.n == 6


def test_one_bad_size_does_not_bend_the_line() -> None:
    sizes = [2.0**power for power in range(12, 28, 3)]
    times = [FIXED + size / RATE for size in sizes]
    times[2] *= 5
    fixed, rate = copying.fit(sizes, times)
    assert fixed == pytest.approx(FIXED, rel=0.15)
    assert rate == pytest.approx(RATE, rel=0.15)


def test_three_sizes_are_too_few_and_the_claim_says_so() -> None:
    few = scripted(planted, ("small", "default", "large"))
    assert copying.cost(few, "return_bytes", "processes") is None
    (claim,) = [claim for claim in decide(few) if claim.id == "copy-back"]
    assert "fewer than 4 sizes: gilbench run return_bytes --profile default" in claim.evidence
    (claim,) = [claim for claim in decide(scripted(planted, sd=0.02)) if claim.id == "copy-back"]
    assert "per compute, and move at" in claim.evidence
    assert claim.evidence.endswith("from 4 sizes")


def test_what_costs_nothing_has_no_line() -> None:
    assert copying.cost(scripted(lambda size: -0.0005), "return_bytes", "processes") is None
    assert copying.cost(scripted(planted), "other", "processes") is None


@pytest.mark.parametrize(("sizes", "times"), [([1.0, 1.0], [1.0, 2.0]), ([1.0, 2.0], [0.0, 1.0]), ([], [])])
def test_a_slope_needs_two_sizes(sizes: list[float], times: list[float]) -> None:
    with pytest.raises(ValueError, match="a slope needs two sizes"):
        copying.fit(sizes, times)
