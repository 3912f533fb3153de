"""Questions travel by name, and only those of the package are found again."""

from __future__ import annotations

import pytest

from gilbench.probes import Found, Scene, gil_probe, reference, resolve


def elsewhere(scene: Scene) -> Found:
    return {}


def test_a_question_is_found_again_by_its_reference() -> None:
    assert reference(gil_probe.compute_for) == "gilbench.probes.gil_probe:compute_for"
    assert resolve("gilbench.probes.gil_probe:compute_for") is gil_probe.compute_for


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (reference(elsewhere), "not in gilbench"),
        ("os:system", "not in gilbench"),
        ("gilbenchmark.probes:f", "not in gilbench"),
        ("gilbench.probes.gil_probe:time.sleep", "not a function of gilbench.probes.gil_probe"),
        ("gilbench.probes.gil_probe:SECONDS", "not a function of gilbench.probes.gil_probe"),
        ("gilbench.probes.gil_probe:no_such", "no attribute 'no_such'"),
        ("gilbench.probes.gil_probe:", "no attribute ''"),
        ("gilbench.probes.no_such_probe:f", "No module named"),
        ("no such question", "not in gilbench"),
        ("", "not in gilbench"),
    ],
)
def test_anything_else_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match="is not a question: ") as refusal:
        resolve(text)
    assert reason in str(refusal.value)


def test_a_function_inside_another_is_refused() -> None:
    def inner(scene: Scene) -> Found:
        return {}

    inner.__module__ = "gilbench.probes.gil_probe"
    with pytest.raises(ValueError, match="is not a question"):
        resolve(reference(inner))
