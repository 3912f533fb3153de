"""Watching the tasks of a compute: what each records, how a graph is wrapped, and what it all adds up to."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import replace
from operator import add, mul
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gilbench.cases import watching
from gilbench.cases.watching import Nodes, TaskFigures, Timed, Watched
from gilbench.errors import Unavailable
from gilbench.targets.workload import Job

MS = 10**6  # ns


# --- What a task records


@pytest.mark.parametrize("dumps", ["pickle", "cloudpickle"])
def test_a_task_leaves_a_record_with_the_process_that_computes_or_in_its_folder(tmp_path: Path, dumps: str) -> None:
    import cloudpickle

    pickler = {"pickle": pickle, "cloudpickle": cloudpickle}[dumps]
    watching._here.clear()

    def run(home: int) -> None:
        timed = Timed(node, ("b", "a"), 7, str(tmp_path), home)
        assert pickle.loads(pickler.dumps(timed))(2, 1) == {"a": 1, "b": 2}

    run(home=os.getpid())
    assert list(tmp_path.iterdir()) == []
    (here,) = watching._here
    for _ in range(2):
        run(home=-1)
    assert len(watching._here) == 1
    watching._here.clear()
    away = watching._read(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{os.getpid()}.jsonl"]
    assert len(away) == 2
    for number, process, thread, start, end, on_cpu in [here, *away]:
        assert (number, process, thread) == (7, os.getpid(), here[2])
        assert start <= end
        assert on_cpu >= 0
    assert here[4] <= away[0][3] <= away[0][4] <= away[1][3], "one clock, in the order in which they ran"


def node(values: Mapping[Any, Any]) -> dict[Any, Any]:
    return dict(sorted(values.items()))


def test_a_task_that_fails_says_nothing_and_fails_as_before(tmp_path: Path) -> None:
    def fail(values: Mapping[Any, Any]) -> None:
        raise ZeroDivisionError("mine")

    watching._here.clear()
    with pytest.raises(ZeroDivisionError, match="mine"):
        Timed(fail, (), 0, str(tmp_path), os.getpid())()
    assert watching._here == []


# --- Wrapping a graph


def test_whole_tasks_are_wrapped_and_nothing_else() -> None:
    from dask._task_spec import Alias, DataNode, Dict, List, Task, TaskRef
    from dask.local import get_sync

    graph = {
        "data": DataNode("data", 2),
        "alias": Alias("alias", "data"),
        "inner-1": Task("inner-1", add, TaskRef("alias"), 1, _data_producer=True),
        # Arguments with work of their own, containers, and a key that is no text.
        ("nested", 0): Task(("nested", 0), sum, List(TaskRef("inner-1"), Task(None, mul, TaskRef("data"), 5))),
        "list": List(TaskRef("inner-1"), Dict(a=TaskRef("data"))),
        "legacy": (add, ("nested", 0), 1),
        "unused": Task("unused", mul, 1, 1),
    }
    handed: dict[Any, Any] = {}

    def get(nodes: Mapping[Any, Any], keys: Any, **keywords: Any) -> Any:
        handed.update(nodes)
        assert keywords == {"more": 1}
        return get_sync(nodes, keys)

    watching._here.clear()
    nodes = Nodes()
    results = watching.timing(get, "nowhere", nodes)(graph, [["legacy", "list"], "data"], more=1)
    assert results == ((14, [3, {"a": 2}]), 2)
    assert sorted(nodes.names[number] for number in nodes.tasks) == ["inner", "legacy", "list", "nested"]
    assert {record[0] for record in watching._here} == nodes.tasks
    assert all(need < number for number, needs in enumerate(nodes.needs) for need in needs)
    assert nodes.wrapping > 0
    watching._here.clear()
    assert handed["alias"] is graph["alias"]
    assert handed["data"] is graph["data"]
    assert "unused" not in handed, "what nobody needs is not run, and not planned"
    assert handed["inner-1"].data_producer
    assert not handed["legacy"].data_producer
    assert {key: set(handed[key].dependencies) for key in ("list", ("nested", 0))} == {
        "list": {"inner-1", "data"},
        ("nested", 0): {"inner-1", "data"},
    }


def test_names_are_what_people_wrote() -> None:
    task = SimpleNamespace(func=mul)
    names = {
        "square_sum-7a0c2d39-aaaa-4c4c-8888-000000000000": "square_sum",
        ("read-csv-0123456789abcdef0123456789abcdef", 3): "read-csv",
        "_private-1": "private",
        "0123456789abcdef0123456789abcdef": "mul",
        "x" * 500: "x" * watching.LONGEST_NAME,
    }
    assert {key: watching.name_of(key, task) for key in names} == names


def test_too_many_tasks_are_refused_before_they_run() -> None:
    def get(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing may run")

    graph = {f"x-{i}": (add, i, 1) for i in range(2001)}
    with pytest.raises(Unavailable, match="2,001 tasks are too many"):
        watching.timing(get, "nowhere", Nodes(), 2000)(graph, list(graph))


# --- What it adds up to


def a_job(**more: Any) -> Job:
    from dask import delayed

    parts = [delayed(mul)(number, number) for number in range(4)]
    return Job(collections=[delayed(sum)(parts)], **more)


def test_figures_are_sums_of_what_the_tasks_recorded() -> None:
    """Two workers; task 2 needs 0, task 3 needs 1 and 2; node 4 is data, which takes no time."""
    records = [
        (0, 1, 1, 100 * MS, 104 * MS, 4 * MS),
        (1, 1, 2, 100 * MS, 106 * MS, 3 * MS),
        (2, 1, 2, 106 * MS, 107 * MS, 1 * MS),
        (3, 1, 1, 108 * MS, 110 * MS, 2 * MS),
    ]
    nodes = Nodes(["t"] * 5, [(), (), (0,), (1, 2), ()], {0, 1, 2, 3}, wrapping=2 * MS)
    found = watching.figures(Watched([], records, nodes, 98 * MS, 112 * MS))
    assert found == TaskFigures(wall=0.013, cpu=0.010, busiest=0.007, longest=0.006, critical=0.008, elapsed=0.012)
    assert TaskFigures.from_metadata({**found.as_metadata(), "other": "x"}) == found
    late = Watched([], records, nodes, 98 * MS, 109 * MS)
    with pytest.raises(Unavailable, match="clocks"):
        watching.figures(late)
    with pytest.raises(Unavailable, match="no task ran"):
        watching.figures(replace(late, records=[]))


def test_figures_that_are_missing_or_malformed_are_none() -> None:
    whole = TaskFigures(1.0, 1.0, 1.0, 1.0, 1.0, 1.0).as_metadata()
    assert tuple(whole) == watching.FIGURES
    for wrong in (0.0, -1.0, "1", None):
        assert TaskFigures.from_metadata({**whole, "tasks_cpu": wrong}) is None
    assert TaskFigures.from_metadata({}) is None


@pytest.mark.parametrize(
    ("needs", "expected"),
    [([(), (0,), (1,)], 6), ([(), (), ()], 3), ([(), (), (0, 1)], 5), ([], 0)],
)
def test_the_critical_path_is_the_longest_chain(needs: list[tuple[int, ...]], expected: int) -> None:
    assert watching.critical_path(needs, {0: 1, 1: 2, 2: 3}) == expected


def test_watching_gives_the_median_of_a_few_computes_and_stops_when_the_time_is_up() -> None:
    from dask.local import get_sync

    found = watching.watch(a_job(), {"scheduler": get_sync}, None, 10.0)
    assert tuple(found) == watching.FIGURES
    assert float(found["tasks_busiest"]) == pytest.approx(float(found["tasks_wall"])), "sync has one worker"
    assert float(found["tasks_wall"]) <= float(found["tasks_elapsed"])


def test_the_computes_that_are_watched_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [0.3, 0.1, 0.2, 0.9]

    def scripted(found: object) -> TaskFigures:
        return TaskFigures(1.0, 1.0, 1.0, 1.0, 1.0, seconds.pop(0))

    monkeypatch.setattr(watching, "watched", lambda *_: None)
    monkeypatch.setattr(watching, "figures", scripted)
    assert watching.watch(a_job(), {}, None, 10.0)["tasks_elapsed"] == 0.2
    assert seconds == [0.9]
    assert watching.watch(a_job(), {}, None, 0.5)["tasks_elapsed"] == 0.9, "one compute takes longer than the budget"


def test_what_goes_wrong_is_said_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("mine\nmore")

    monkeypatch.setattr(watching, "watched", fail)
    assert watching.watch(a_job(), {}, None, 1.0) == {watching.UNWATCHED: "ZeroDivisionError: mine"}
