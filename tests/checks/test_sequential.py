"""The decision of the regression check: golden figures, its steps, and simulated false alarms, power and coverage."""

import math
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from gilbench import stats
from gilbench.checks import sequential
from gilbench.checks.sequential import Design, Verdict, decide

SIX = Design(cases=6)
series = st.lists(st.floats(-0.3, 0.3), min_size=0, max_size=30)


@pytest.fixture(scope="module")
def simulation(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("simulate_statistics")


def check(epochs: list[float], design: Design, regressions: int = 0) -> Verdict:
    """Run a case epoch by epoch, exploring from the front of epochs and confirming from behind the design's exploring."""
    explored = confirmed = 0
    while True:
        fresh = epochs[design.exploring :][:confirmed]
        verdict = decide(epochs[:explored], fresh, design=design, regressions=regressions)
        if verdict.next == "stop":
            return verdict
        explored, confirmed = explored + (verdict.next == "explore"), confirmed + (verdict.next == "confirm")


# Golden figures


def test_one_look_is_an_ordinary_normal_test():
    assert sequential.critical(0.025, 7, 7) == pytest.approx(scipy.stats.norm.ppf(0.975), rel=1e-4)
    assert sequential.crossing_probability(2.5, 7, 7) == pytest.approx(scipy.stats.norm.sf(2.5), rel=1e-6)


def test_three_looks_agree_with_the_multivariate_normal_distribution():
    looks = np.arange(2, 5)
    bounds = 1.7 * looks**sequential.SHAPE * 4 ** (0.5 - sequential.SHAPE)
    within = scipy.stats.multivariate_normal(cov=np.minimum.outer(looks, looks).astype(float)).cdf(bounds)
    assert sequential.crossing_probability(1.7, 4, 2) == pytest.approx(1 - within, abs=1e-4)


@pytest.mark.parametrize("score", [0.5, 1.5, 2.5])
def test_many_looks_agree_with_simulation(score):
    sums = np.random.default_rng(1).standard_normal((50_000, 30)).cumsum(axis=1)
    epochs = np.arange(1, 31)
    crossed = (sums >= score * epochs**sequential.SHAPE * 30 ** (0.5 - sequential.SHAPE))[:, 4:].any(axis=1).mean()
    assert sequential.crossing_probability(score, 30, 5) == pytest.approx(crossed, abs=4 * math.sqrt(crossed / 50_000))


def test_crossing_probability_falls_from_certain_to_never():
    chances = [sequential.crossing_probability(score, 30, 5) for score in (-math.inf, -2, 0, 1, 3, 8, math.inf)]
    assert chances == sorted(chances, reverse=True)
    assert (chances[0], chances[-1]) == (1.0, 0.0)


def test_location_and_error_are_yuens():
    values = np.random.default_rng(2).standard_t(3, 40)
    seen = sequential.look(values)
    assert float(seen.center) == pytest.approx(scipy.stats.trim_mean(values, 0.1))
    alternating = np.array([-1.0, 1.0] * 5 + [1.0, -1.0] * 5) * np.linspace(1, 2, 20)
    expected = scipy.stats.mstats.trimmed_stde(alternating, limits=(0.1, 0.1), inclusive=(True, True))
    winsorized = np.asarray(scipy.stats.mstats.winsorize(alternating, (0.1, 0.1)))
    yuen = winsorized.std(ddof=1) / (0.8 * math.sqrt(20))
    assert float(expected) == pytest.approx(yuen, rel=0.1)
    assert float(sequential.look(alternating).error) == pytest.approx(
        yuen * math.sqrt(19 * 16 * 0.8 / (16 * 15)), rel=0.1
    )


def test_error_widens_when_neighbors_are_alike():
    values = np.random.default_rng(3).normal(0, 1, 30)
    assert sequential.look(np.sort(values)).error > 1.5 * sequential.look(values).error


# Steps


@pytest.mark.parametrize(
    ("log_ratio", "kind"), [(0.0, "same"), (0.02, "same"), (0.1, "regression"), (-0.1, "improvement")]
)
def test_what_never_varies_is_decided_at_the_first_looks(log_ratio, kind):
    verdict = check([log_ratio] * 60, SIX)
    assert verdict.kind == kind
    assert (verdict.explored, verdict.confirmed) == (5, 0 if kind == "same" else 5)
    assert verdict.ratio == pytest.approx(math.exp(log_ratio))
    assert verdict.low == verdict.ratio == verdict.high


def test_a_change_that_does_not_come_again_is_not_called():
    slower, equal = np.split(np.random.default_rng(4).normal([[0.1], [0.0]], 0.03, (2, 30)), 2)
    epochs = [*slower[0].tolist(), *equal[0].tolist()]
    verdict = check(epochs, SIX)
    assert verdict.kind in {"inconclusive", "same"}
    assert verdict.confirmed == SIX.confirming
    assert verdict.p_value == 1


def test_nothing_is_said_before_the_first_look():
    assert math.isnan(decide([], design=SIX).ratio)
    early = decide([0.1] * 4, design=SIX)
    assert (early.kind, early.low, early.high, early.next) == ("inconclusive", 0.0, math.inf, "explore")
    assert early.ratio == pytest.approx(math.exp(0.1))


def test_noise_ends_inconclusive_at_the_last_epoch():
    verdict = check([0.3, -0.3] * 30, SIX)
    assert (verdict.kind, verdict.explored, verdict.next) == ("inconclusive", 30, "stop")


def test_a_case_cut_short_says_what_it_could_have_seen_so_far():
    epochs = np.random.default_rng(5).normal(0, 0.05, 30)
    short, whole = decide(epochs[:10].tolist(), design=SIX), decide(epochs.tolist(), design=SIX)
    assert short.next == "explore"
    assert short.detectable > whole.detectable > SIX.threshold


def test_regressions_called_elsewhere_lower_the_bar():
    """Holm: a case that stopped inconclusive in a family of six may be confirmed once five others are called."""
    rng = np.random.default_rng(6)
    cases = [rng.normal(0.045, 0.035, 30).tolist() for _ in range(40)]
    first, last = ([decide(case, design=SIX, regressions=others).next for case in cases] for others in (0, 5))
    assert {"stop", "confirm"} >= set(first)
    assert all(after == "confirm" for before, after in zip(first, last, strict=True) if before == "confirm")
    assert last.count("confirm") > first.count("confirm")


def test_holm_on_the_p_values_calls_what_the_steps_called():
    rng = np.random.default_rng(7)
    design = Design(cases=4)
    for _ in range(8):
        cases = [rng.normal(change, 0.035, 60).tolist() for change in (0.0, 0.045, 0.055, 0.09)]
        verdicts = [check(case, design) for case in cases]
        while True:
            called = [verdict.kind == "regression" for verdict in verdicts]
            again = [
                verdict if done else check(case, design, regressions=sum(called))
                for case, verdict, done in zip(cases, verdicts, called, strict=True)
            ]
            if again == verdicts:
                break
            verdicts = again
        adjusted = stats.holm([verdict.p_value for verdict in verdicts])
        assert [p <= design.alpha for p in adjusted] == called


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0] * 31,), "more epochs than planned"),
        (([0.0] * 5, [0.0] * 31), "more epochs than planned"),
        (([math.nan],), "finite"),
        (([0.1] * 4, [0.1]), "nothing to confirm"),
    ],
)
def test_bad_series_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        decide(*arguments, design=SIX)
    with pytest.raises(ValueError, match="family of 6"):
        decide([], design=SIX, regressions=6)


@pytest.mark.parametrize(
    "fields",
    [{"threshold": 0.0}, {"cases": 0}, {"alpha": 1.0}, {"confidence": 0.0}, {"first_look": 2}, {"exploring": 4}],
)
def test_bad_designs_are_refused(fields):
    with pytest.raises(ValueError):
        Design(**fields)


# Properties


@given(series, series, st.integers(1, 20), st.sampled_from([0.01, 0.03, 0.2]))
@settings(deadline=None, max_examples=60)
def test_the_verdict_agrees_with_its_interval(exploring, confirming, cases, threshold):
    design = Design(cases=cases, threshold=threshold)
    verdict = decide(exploring, confirming if len(exploring) >= design.first_look else [], design=design)
    if verdict.n:
        assert verdict.low <= verdict.ratio <= verdict.high
    if verdict.kind == "regression":
        assert verdict.low > 1 + threshold
        assert verdict.p_value <= design.alpha / cases
    if verdict.kind == "improvement":
        assert verdict.high < 1 / (1 + threshold)
    if verdict.kind == "same":
        assert 1 / (1 + threshold) <= verdict.low * (1 + 1e-9)
        assert verdict.high <= (1 + threshold) * (1 + 1e-9)
    assert verdict.kind == "inconclusive" or verdict.next == "stop"
    assert verdict.detectable >= threshold * (1 - 1e-9)


@given(st.integers(0, 2**32 - 1), st.floats(-0.1, 0.1))
@settings(deadline=None, max_examples=30)
def test_swapping_the_arms_turns_the_verdict_over(seed, change):
    epochs = np.random.default_rng(seed).normal(change, 0.03, 60)
    verdict, swapped = check(epochs.tolist(), SIX), check((-epochs).tolist(), SIX)
    mirror = {"regression": "improvement", "improvement": "regression"}
    assert swapped.kind == mirror.get(verdict.kind, verdict.kind)
    assert swapped.ratio == pytest.approx(1 / verdict.ratio)
    assert swapped.low == pytest.approx(1 / verdict.high)


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.2))
@settings(deadline=None, max_examples=30)
def test_slower_still_is_more_evidence(seed, more):
    epochs = np.random.default_rng(seed).normal(0.03, 0.03, 30)
    seen = [sequential.looks(values, 5) for values in (epochs, epochs + more)]
    before, after = (sequential.scores(series, SIX.margin, 1, 30) for series in seen)
    assert (after >= before - 1e-9).all()


# Simulated false alarms, power and coverage; the full tables come from docs/simulate_statistics.py


def test_the_simulation_ends_every_series_as_decide_does(simulation):
    rng = np.random.default_rng(8)
    changes = rng.choice([-0.08, 0.0, 0.03, 0.05, 0.1], (50, 1))
    epochs = np.log1p(changes) + 0.035 * simulation.heavy(rng, 50, 60)
    outcome = simulation.replay(epochs, 0.0, SIX)
    for index, case in enumerate(epochs.tolist()):
        verdict = check(case, SIX)
        flags = {"regression": outcome.regression, "improvement": outcome.improvement, "same": outcome.same}
        assert {kind for kind, flag in flags.items() if flag[index]} == {verdict.kind} - {"inconclusive"}
        assert outcome.epochs[index] == verdict.n
        assert outcome.covered[index] == (verdict.low <= 1 <= verdict.high)


@pytest.mark.parametrize(
    "noise", ["normal", "heavy-tailed (t3)", "1 outlier in 20", "autocorrelated (0.3)", "drifting (0.5 sd)"]
)
def test_equal_arms_raise_no_alarm_and_are_covered(simulation, noise):
    equal = simulation.checked(simulation.CHECK_NOISE[noise], 0.0, 3000, 1, SIX)
    assert simulation.any_in_family(equal.regression, SIX.cases).mean() <= 0.01
    assert simulation.any_in_family(equal.improvement, SIX.cases).mean() <= 0.01
    assert equal.covered.mean() >= 0.94
    assert equal.same.mean() >= 0.6
    assert np.median(equal.epochs) <= 26


@pytest.mark.parametrize("noise", ["normal", "heavy-tailed (t3)", "1 outlier in 20", "drifting (0.5 sd)"])
def test_slowdowns_are_found(simulation, noise):
    for change, wanted, within in ((0.06, 0.85, 33), (0.10, 0.99, 18)):
        found = simulation.checked(simulation.CHECK_NOISE[noise], change, 600, 2, SIX)
        assert found.regression.mean() >= wanted
        assert np.median(found.epochs) <= within
        assert found.covered.mean() >= 0.94


def test_changes_as_large_as_the_threshold_are_rarely_called(simulation):
    at_threshold = simulation.checked(simulation.normal, SIX.threshold, 9000, 3, SIX)
    assert at_threshold.regression.mean() <= 0.01 / 6 + 3 * math.sqrt(0.01 / 6 / 9000)
    assert at_threshold.covered.mean() >= 0.94


def test_what_is_called_detectable_is_found_in_four_tries_of_five(simulation):
    noise = 0.05 * simulation.normal(np.random.default_rng(9), 600, 60)
    said = [decide(series[:30].tolist(), design=SIX).detectable for series in noise[:100]]
    truth = math.log1p(float(np.median(said)))
    assert 0.72 <= simulation.replay(noise + truth, truth, SIX).regression.mean() <= 0.9
