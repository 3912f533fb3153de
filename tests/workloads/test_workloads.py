"""Every built-in workload: it returns its own answer under each local scheduler, and keeps the rules."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import dask
import dask.local
import dask.multiprocessing
import dask.threaded
import pytest
from dask.callbacks import Callback

from gilbench import workloads
from gilbench.explain.tutorial import CLAIMS
from gilbench.files import modules_in
from gilbench.targets.answers import same
from gilbench.targets.builtin import all_workloads
from gilbench.targets.workload import NO_ANSWER, SIZES, Job, Workload

every_workload = pytest.mark.parametrize("workload", all_workloads().values(), ids=lambda workload: workload.name)


def compute(job: Job, **options: Any) -> list[Any]:
    if job.together:
        return list(dask.compute(*job.collections, **options))
    return [dask.compute(collection, **options)[0] for collection in job.collections]


class Count(Callback):  # type: ignore[misc]
    """Counts the tasks that run."""

    def __init__(self) -> None:
        super().__init__(pretask=self._count)
        self.tasks = 0

    def _count(self, *_: object) -> None:
        self.tasks += 1


@every_workload
@pytest.mark.parametrize("get", [dask.local.get_sync, dask.threaded.get], ids=["sync", "threads"])
def test_returns_its_answer(workload: Workload, get: Any) -> None:
    job = workload.build(**workload.sizes["tiny"])
    assert job.answer is not NO_ANSWER
    assert len(job.answer) == len(job.collections)
    assert same(compute(job, scheduler=get), job.answer) is None
    # It is timed again and again, so the second result must be as good as the first.
    assert same(compute(job, scheduler=get), job.answer) is None


@pytest.mark.parametrize(
    "workload",
    [workload for workload in all_workloads().values() if workload.sweep or workload.representative],
    ids=lambda workload: workload.name,
)
def test_small_returns_its_answer(workload: Workload) -> None:
    job = workload.build(**workload.sizes["small"])
    assert same(compute(job, scheduler=dask.local.get_sync), job.answer) is None


def test_tasks_can_be_sent_to_another_process() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for workload in all_workloads().values():
            job = workload.build(**workload.sizes["tiny"])
            result = compute(job, scheduler=dask.multiprocessing.get, pool=pool, chunksize=1)
            assert same(result, job.answer) is None, workload.name


@every_workload
def test_building_runs_no_task(workload: Workload) -> None:
    with Count() as count:
        workload.build(**workload.sizes["tiny"])
    assert count.tasks == 0


@every_workload
def test_describes_itself(workload: Workload) -> None:
    assert 0 < len(workload.summary) < 70
    assert len((workload.build.__doc__ or "").split("\n\n")) == 2, "a summary, and one paragraph on what it shows"
    assert tuple(workload.sizes) == SIZES
    assert set(workload.claims) <= set(CLAIMS)
    # No size may equal another (sizes that name a set of files differ by that name).
    assert len({repr(arguments) for arguments in workload.sizes.values()}) == len(SIZES)


@every_workload
def test_is_found_in_its_module_under_its_name(workload: Workload) -> None:
    module = sys.modules[f"gilbench.workloads.{workload.family}"]
    assert getattr(module, workload.name) is workload


@pytest.mark.parametrize("module", modules_in(workloads), ids=lambda module: module.__name__)
def test_each_family_has_one_representative(module: Any) -> None:
    family = module.__name__.rpartition(".")[2]
    assert sum(workload.representative for workload in all_workloads().values() if workload.family == family) == 1


def test_every_claim_is_measured() -> None:
    assert {claim for workload in all_workloads().values() for claim in workload.claims} == set(CLAIMS)


def test_names_are_unique_whatever_the_family() -> None:
    names = Counter(
        value.name for module in modules_in(workloads) for value in vars(module).values() if isinstance(value, Workload)
    )
    assert set(names.values()) == {1}
    assert set(names) == set(all_workloads())


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import sys; from gilbench.targets.builtin import all_workloads; assert all_workloads();"
        "print([name for name in ('dask', 'distributed', 'numpy', 'pandas', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_together_runs_the_shared_tasks_once() -> None:
    tasks = {}
    for name in ("together", "separately"):
        job = all_workloads()[name].build(tasks=8, loops=80, numbers=80)
        with Count() as count:
            compute(job, scheduler=dask.local.get_sync)
        tasks[name] = count.tasks
    assert tasks == {"together": 11, "separately": 20}


@pytest.mark.parametrize("size", SIZES)
def test_moved_bytes_are_the_bytes_that_come_back(size: str) -> None:
    workload = all_workloads()["return_bytes"]
    job = workload.build(**workload.sizes[size])
    assert job.moved_bytes == sum(len(value) for value in job.answer)


def test_half_and_half_keeps_its_proportion_at_every_size() -> None:
    sizes = all_workloads()["half_and_half"].sizes
    ratios = {size: sizes[size]["numbers"] / sizes[size]["loops"] for size in SIZES}
    assert len(set(ratios.values())) == 1
