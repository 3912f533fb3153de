"""Every workload really runs on every scheduler, at size tiny, and its answer is checked. Neither is listed here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gilbench.cases.case import Case
from gilbench.cases.checking import WrongAnswer, check
from gilbench.cases.order import Order
from gilbench.errors import UserError
from gilbench.machine import usable_cpus
from gilbench.schedulers import Scheduler, Setup, Shape, all_schedulers
from gilbench.targets.builtin import all_workloads
from gilbench.targets.workload import Workload

SHAPES = [(scheduler, shape) for scheduler in all_schedulers().values() for shape in scheduler.shapes(2)]


@pytest.fixture(autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    before = dict(os.environ)
    yield
    os.environ.clear()  # LocalCluster and the pins leave variables set
    os.environ.update(before)


def order_for(workload: Workload, scheduler: Scheduler, shape: Shape) -> Order:
    case = Case(workload.name, "tiny", scheduler.name, shape.workers, shape.threads)
    return Order(case, 0, 1, "function", budget=0.01)


@pytest.mark.parametrize(
    ("scheduler", "shape"), SHAPES, ids=lambda value: getattr(value, "name", None) or f"{value.workers}x{value.threads}"
)
def test_every_workload_gives_its_answer(scheduler: Scheduler, shape: Shape) -> None:
    reason = scheduler.unavailable()
    if reason:
        pytest.skip(reason)
    modules = tuple(dict.fromkeys(module for workload in all_workloads().values() for module in workload.modules))
    wrong = []
    with scheduler.open(shape, Setup(modules)) as opened:
        for workload in all_workloads().values():
            if scheduler.name == "default" and not workload.collection:
                continue
            job = workload.build(**workload.sizes["tiny"])
            try:
                first = check(order_for(workload, scheduler, shape), workload, job, opened)
            except WrongAnswer as error:
                wrong.append(f"{workload.name}: {error}")
                continue
            assert first.tasks >= 1, workload.name
    assert not wrong


@pytest.mark.parametrize("name", ["threads", "processes", "distributed"])
def test_a_wrong_answer_is_distinguished_from_the_right_one(name: str) -> None:
    from dask import delayed

    from gilbench.targets.workload import Job

    workload, scheduler = all_workloads()["sum_of_squares"], all_schedulers()[name]
    shape = scheduler.shapes(usable_cpus())[0]
    with scheduler.open(shape, Setup()) as opened, pytest.raises(WrongAnswer, match="differs from the right answer"):
        check(order_for(workload, scheduler, shape), workload, Job([delayed(max)(1, 2)], answer=[3]), opened)


def test_a_job_without_an_answer_is_compared_with_sync() -> None:
    from dask import delayed

    from gilbench.targets.workload import Job

    workload, scheduler = all_workloads()["sum_of_squares"], all_schedulers()["processes"]
    job = Job([delayed(os.getpid, pure=False)()])  # differs from process to process
    shape = Shape(1, 1)
    with scheduler.open(shape, Setup()) as opened, pytest.raises(WrongAnswer):
        check(order_for(workload, scheduler, shape), workload, job, opened)


def test_some_results_of_many_are_compared_with_sync() -> None:
    from dask import delayed

    from gilbench.targets.workload import Job

    calls: list[int] = []
    workload, scheduler = all_workloads()["sum_of_squares"], all_schedulers()["threads"]
    job = Job([delayed(lambda at: calls.append(at) or at, pure=False)(at) for at in range(40)])
    with scheduler.open(Shape(1, 2), Setup()) as opened:
        order = order_for(workload, scheduler, Shape(1, 2))
        check(order, workload, job, opened, most=4)
        assert len(calls) == 40 + 4
    with all_schedulers()["processes"].open(Shape(1, 1), Setup()) as opened, pytest.raises(WrongAnswer):
        job = Job([delayed(os.getpid, pure=False)() if at == 30 else delayed(max)(at, 0) for at in range(40)])
        check(order, workload, job, opened, most=2)  # compares the 11th and the 31st


def test_a_file_that_is_no_csv_is_reported_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    monkeypatch.setenv("GILBENCH_DATA", str(tmp_path / "*.csv"))
    workload = all_workloads()["csv_max_price"]
    with pytest.raises(UserError, match="price"):
        workload.build(**workload.sizes["tiny"])
