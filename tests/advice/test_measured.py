"""What docs/measure_advice.py makes of its measurements: the table and the picture."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

RULES = {"always processes": 0.5, "no parallelism (sync)": None}


def line(target: str, items: str | None, regret: float, **more: Any) -> dict[str, Any]:
    return {
        "target": target, "items": items, "size": "default", "regret": regret, "rules": RULES, "task_seconds": 0.01,
        "advise_seconds": 10.0, "exhaustive_seconds": 50.0, "promised": {"low": 1.0, "high": 2.0}, "speedup": 1.5,
        "cpus": 2, "python": "3.11.7", **more,
    }  # fmt: skip


LINES = [
    line("sort", None, 0.0),
    line("sleep", None, 0.2, rules={**RULES, "no parallelism (sync)": 3.0}, speedup=2.5),
    line("advice_functions.py:solve", "range(60)", 0.04, advise_seconds=40.0, task_seconds=0.5),
    line("advice_functions.py:pivot", "range(60)", 0.06, advise_seconds=4.0),
    line("advice_functions.py:mixed", "drawn(2)", 0.0),
    line("advice_functions.py:mixed", "drawn(20)", 0.0),
]


def test_functions_that_nothing_was_tuned_on_are_apart(script: Callable[[str], ModuleType]) -> None:
    found = script("measure_advice").groups(LINES)
    assert [len(members) for members in found.values()] == [2, 2, 2]
    assert [line["items"] for line in found["fresh functions"]] == ["range(60)", "drawn(20)"]


@pytest.mark.parametrize(
    "row",
    [
        "| workloads | gilbench advise | 2 | 50% | 50% | 20% | 10.0% |",
        "| workloads | always processes | 2 | 0% | 0% | 50% | 50.0% |",
        "| workloads | no parallelism (sync) | 1 | 0% | 0% | 300% | 300.0% |",
        "| fresh functions | gilbench advise | 2 | 50% | 100% | 6% | 3.0% |",
        "- Over 5 %: sleep default, 20%.",
        "- Asking takes 25 s at the median, and at most 40 s (10 s for tasks under 100 ms): 50% of the exhaustive measurement, "
        "at most 80%; within 10 % for 0%.",
        "- The speed-up lay within the promised interval in 50%.",
    ],
)
def test_the_table_counts_what_was_measured(row: str, script: Callable[[str], ModuleType]) -> None:
    assert row in script("measure_advice").table(LINES).splitlines()


def test_the_picture_has_every_target_and_says_how_many_are_close(script: Callable[[str], ModuleType]) -> None:
    drawing = script("draw_advice")
    figure = drawing.draw(LINES)
    title = " ".join(text.get_text() for text in figure.texts)
    assert "within 5 % of the best on 67% of 6 kinds of work" in title
    advised = [dots for axes in figure.axes for dots in axes.lines if dots.get_color() != drawing.style.GRAY]
    assert sorted(x for dots in advised for x in dots.get_xdata()) == pytest.approx([1.0, 1.0, 1.0, 1.04, 1.06, 1.2])
    assert figure.axes[0].texts[0].get_text() == "50% (9% to 91%)"
