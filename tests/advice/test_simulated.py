"""The whole race against targets, noise and a clock that are all invented (docs/simulate_advice.py)."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.mark.parametrize(("noise", "within"), [(0.01, 0.88), (0.05, 0.82), (0.1, 0.8)])
def test_the_advice_is_rarely_worse_than_the_best_by_much(
    noise: float, within: float, script: Callable[[str], ModuleType]
) -> None:
    found = script("simulate_advice").simulated(noise, targets=300, cpus=2, seed=1)
    regrets = [regret for regret, _, _ in found]
    assert sum(regret <= 0.05 for regret in regrets) >= within * len(regrets)
    assert sum(regret <= 0.25 for regret in regrets) >= 0.98 * len(regrets)
    assert statistics.fmean(regrets) < 0.03
    assert max(seconds for _, _, seconds in found) < 33


def test_more_noise_is_admitted(script: Callable[[str], ModuleType]) -> None:
    simulated = script("simulate_advice").simulated
    quiet, loud = ([verdict for _, verdict, _ in simulated(noise, 60, 2, 5)] for noise in (0.01, 0.6))
    assert loud.count("cannot tell") > 2 * quiet.count("cannot tell")
