"""The questions of a race, asked of a scene without any process."""

from __future__ import annotations

import pytest

from gilbench.advice import questions
from gilbench.cases.case import Case
from gilbench.probes import Scene, reference, resolve
from gilbench.schedulers import Opened, Setup
from gilbench.targets.calls import Calls
from gilbench.targets.workload import SIZES, Workload


def test_a_turn_computes_in_as_many_tasks_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_chunked", {})
    called: list[int] = []
    workload = Workload(
        "mine.py:f", "own", "", Calls(called.append, ((1,),) * 6), {"default": {"items": 4, "parts": 2}}
    )
    scene = Scene(Case("mine.py:f", "default", "sync"), workload, None, Setup(), Opened({}), list, 0.0)  # type: ignore[arg-type]
    assert questions.compute_in(scene, 2) is list, "as it was opened"
    assert questions.compute_in(scene, 1)() == [[None] * 4]
    assert questions.compute_in(scene, None)() == [None] * 4
    assert len(called) == 8


@pytest.mark.parametrize(("sizes", "every"), [({}, {1, 2, 3, 4, 5, 6}), ({"items": 2}, {2, 5})])
def test_items_are_called_in_turn_without_dask(sizes: dict[str, int], every: set[int]) -> None:
    """So the GIL is read as held by the function alone, and not by what dask does around tasks as short as these."""
    called: list[int] = []
    build = Calls(called.append, tuple((item,) for item in range(1, 7)))
    workload = Workload("mine.py:f", "own", "", build, dict.fromkeys(SIZES, sizes))
    case = Case("mine.py:f", "default", "sync")
    scene = Scene(case, workload, None, Setup(), Opened({}), list, 0.0)  # type: ignore[arg-type]
    found = questions.call_items(scene, seconds=0.005)
    assert set(called) == every
    assert found["computes"] == len(called) > len(every)
    assert found["seconds"] >= 0.005


def test_a_turn_is_as_long_as_one_compute_or_as_many_as_fill_it() -> None:
    computes: list[int] = []
    settled: list[int] = []
    workload = Workload("w", "", "", lambda: None, {"tiny": {}})  # type: ignore[arg-type,return-value]
    opened = Opened({}, lambda: settled.append(1))
    scene = Scene(Case("w", "tiny", "sync"), workload, None, Setup(), opened, lambda: computes.append(1) or [], 0.0)  # type: ignore[arg-type,func-returns-value]
    seconds = questions.take_turn(scene, None)["seconds"]
    assert len(computes) == len(settled) > 1
    assert 0 < seconds < questions.TURN


def test_a_probed_process_finds_them_by_their_references() -> None:
    for question in (questions.take_turn, questions.call_items):
        assert resolve(reference(question)) is question
