"""The inside of a worker process, run for real at size tiny. The pyperf contract: a new pyperf must not change it unnoticed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyperf
import pytest

from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.cases.watching import FIGURES, UNWATCHED, TaskFigures
from gilbench.errors import Failure, UserError, describe
from gilbench.measure.worker import Meter, calibrate
from gilbench.measure.workers import Workers
from gilbench.process.prepared import POSSIBLE, Prepared


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path / "cache"))


def order(scheduler: str = "threads", workload: str = "sum_of_squares", **changes: Any) -> Order:
    threads = 2 if scheduler == "threads" else 1
    return Order(Case(workload, "tiny", scheduler, 1, threads), 0, 7, "function", 0.05, **changes)


def test_pyperf_worker_mode_still_gives_the_values_warmups_and_metadata_that_we_count_on() -> None:
    """If this fails, pyperf changed its internal --worker: measure/worker.py:pyperf_run is the one place to adapt."""
    with Workers(60) as workers:
        observed = workers(order(loops=4, values=3))
    assert observed.failure is None
    assert len(observed.values) == 3
    assert all(value > 0 for value in observed.values)
    assert [loops for loops, _ in observed.warmups] == [4]
    assert observed.metadata["loops"] == 4
    assert observed.metadata["unit"] == "second"
    assert observed.metadata["name"] == "sum_of_squares:tiny:threads:1x2"
    assert str(observed.metadata["perf_version"]) == pyperf.__version__


def test_the_facts_of_an_observation() -> None:
    with Workers(60) as workers:
        found = workers(order("sync")).metadata
    assert found["family"] == "python_loops"
    assert found["build_tasks"] == 0
    assert found["tasks"] > 1
    assert 0.2 < float(found["cpu_over_wall"]) < 1.2
    assert float(found["open_seconds"]) >= 0 and float(found["first_seconds"]) > 0
    assert found["gil_before"] == found["gil_after"]


def test_threads_and_processes_run_where_they_should() -> None:
    with Workers(60) as workers:
        places = {name: workers(order(name)).metadata["ran_on"] for name in ("threads", "processes", "distributed")}
    assert places == {"threads": "threads", "processes": "processes", "distributed": "cluster 1x1"}


def test_memory_is_measured_in_bytes_beyond_the_idle_scheduler() -> None:
    case = Case("shared_array", "small", "threads", 1, 2, True, "memory")
    with Workers(60) as workers:
        observed = workers(Order(case, 0, 7, "function", 0.05))
    assert observed.failure is None, observed.failure
    assert observed.metadata["unit"] == "byte"
    assert min(observed.values) > 8 << 20, "the array of 16 MB must be seen"


def test_inner_threads_are_pinned_in_processes_too() -> None:
    from gilbench.schedulers import Setup, Shape, all_schedulers

    for name in ("processes", "loky", "distributed"):
        with all_schedulers()[name].open(Shape(1, 1), Setup(("pandas", "pyarrow"))) as opened:
            from dask import compute, delayed

            (found,) = compute(delayed(inner_threads)(), **opened.keywords)
        assert found == {"blas": [1], "pyarrow": 1, "pandas": 1, "OMP_NUM_THREADS": "1"}, name


def inner_threads() -> dict[str, Any]:
    import os

    import pandas as pd
    import pyarrow as pa
    from threadpoolctl import threadpool_info

    options = [pd.get_option("mode.max_threads")] if "mode.max_threads" in dir_of_options(pd) else [1]
    return {
        "blas": sorted({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}),
        "pyarrow": pa.cpu_count(),
        "pandas": options[0],
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
    }


def dir_of_options(pd: Any) -> str:
    return str(pd.describe_option("mode", _print_desc=False))


def test_a_workload_that_raises_is_reported_in_one_line() -> None:
    with Workers(60) as workers:
        observed = workers(Order(Case("no_such_workload", "tiny", "sync"), 0, 7, "function", 0.05))
    assert observed.failure is not None
    assert observed.failure.kind == "raised"
    assert observed.failure.reason.startswith("no workload is named 'no_such_workload': ")


def test_a_hanging_worker_is_ended_at_the_timeout(tmp_path: Path) -> None:
    hanging = tmp_path / "python"
    hanging.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    hanging.chmod(0o755)
    if sys.platform == "win32":
        pytest.skip("needs a script as an executable")
    with Workers(0.5, python=str(hanging)) as workers:
        assert workers(order()).failure == Failure("timeout", "no answer within 0.5 s: see --timeout")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a script as an executable")
def test_the_end_of_the_whole_run_ends_an_observation_without_calling_it_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gilbench.measure import workers as module
    from gilbench.measure.workers import OutOfTimeError

    monkeypatch.setattr(module, "OVERTIME", 0.3)
    hanging = tmp_path / "python"
    hanging.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    hanging.chmod(0o755)
    with Workers(60, python=str(hanging)) as workers, pytest.raises(OutOfTimeError):
        workers(order(seconds_left=0.1))


@pytest.mark.skipif(sys.platform == "win32", reason="signals have no names there")
def test_a_killed_worker_is_reported_with_the_signal(tmp_path: Path) -> None:
    dying = tmp_path / "python"
    dying.write_text(f"#!{sys.executable}\nimport os\nprint('out of memory', flush=True)\nos.kill(os.getpid(), 9)\n")
    dying.chmod(0o755)
    with Workers(60, python=str(dying)) as workers:
        assert workers(order()).failure == Failure("killed", "killed by SIGKILL: out of memory")


def test_calibration_doubles_loops_until_a_value_lasts() -> None:
    assert calibrate(1e-5, 0.6)[0] == 2048
    assert calibrate(0.02, 0.6) == (1, 10)
    assert calibrate(10.0, 0.6) == (1, 1)


def test_the_meter_counts_every_loop_and_lets_the_scheduler_settle_after_each() -> None:
    calls: list[str] = []
    meter = Meter()
    assert meter.timer(lambda: calls.append("compute") or [], lambda: calls.append("settle"))(2) > 0  # type: ignore[func-returns-value]
    assert calls == ["compute", "settle"] * 2
    calls.clear()
    meter.timer(lambda: calls.append("compute") or [], None)(3)  # type: ignore[func-returns-value]
    assert calls == ["compute"] * 3


@pytest.mark.serial
@pytest.mark.parametrize("scheduler", ["threads", "processes", "loky", "distributed"])
def test_tasks_are_watched_after_the_timed_computes_and_only_when_asked(scheduler: str) -> None:
    with Workers(60) as workers:
        watched = workers(order(scheduler, watch=True, loops=2, values=3))
        plain = workers(order(scheduler, loops=2, values=3))
    seen = TaskFigures.from_metadata(watched.metadata)
    assert seen is not None, watched.metadata.get(UNWATCHED)
    assert 0 < seen.longest <= seen.busiest <= seen.wall
    assert seen.longest <= seen.critical <= seen.wall
    assert seen.busiest <= seen.elapsed
    assert len(watched.values) == len(plain.values) == 3
    assert not {UNWATCHED, *FIGURES} & set(plain.metadata)


def test_an_exception_is_described_in_one_line() -> None:
    assert describe(ValueError("two\nlines")) == "ValueError: two lines"
    assert describe(KeyError()) == "KeyError: no message"
    assert describe(UserError("do this")) == "do this"


def test_an_exception_is_described_with_its_cause_its_notes_and_the_users_line_but_no_traceback() -> None:
    error = TypeError("cannot send\nTraceback (most recent call last):\n  File ...")
    error.__cause__ = ValueError("a lock")
    error.add_note("item 3")
    assert describe(error) == "TypeError: cannot send (from ValueError: a lock, item 3)"
    try:
        raise KeyError("x")
    except KeyError as raised:
        assert re.fullmatch(r"KeyError: 'x' \(test_worker\.py:\d+\)", describe(raised))
    try:
        json.loads("[")
    except ValueError as raised:
        raised.__traceback__ = raised.__traceback__ and raised.__traceback__.tb_next  # from the standard library on
        assert describe(raised).endswith("(char 1)")


def test_importing_the_worker_is_light_because_every_spawned_process_does_it() -> None:
    code = "import json, sys, gilbench.measure.worker; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert not {"dask", "numpy", "pandas", "pyperf", "click", "rich", "psutil"} & set(loaded)


@pytest.mark.skipif(not POSSIBLE, reason="needs Linux")
def test_workers_of_a_round_are_forked_from_processes_that_import_what_they_need_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gilbench.measure import workers as module

    prepared: list[tuple[str, ...]] = []

    class Counted(Prepared):
        def __init__(self, command: Any, environment: Any, errors: int, timeout: float) -> None:
            prepared.append(tuple(command[5:]))
            super().__init__(command, environment, errors, timeout)

    monkeypatch.setattr(module, "Prepared", Counted)
    with Workers(60, forks=True) as workers:
        first = [workers(order("sync")), workers(order("processes")), workers(order("sync", "half_and_half"))]
        assert prepared == [(), ("numpy",)]
        second = workers(replace(order("sync"), round=1))
        assert prepared == [(), ("numpy",), ()]
    assert [seen.failure for seen in (*first, second)] == [None] * 4
    assert {seen.metadata["started"] for seen in (*first, second)} == {"forked"}
    assert first[1].metadata["pools"] == "spawn" and "pools" not in first[0].metadata


@pytest.mark.skipif(not POSSIBLE, reason="needs Linux")
def test_pools_are_forked_where_their_start_is_known_but_never_for_a_users_own_file(tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text("def work():\n    pass\n")
    with Workers(60, forks=True) as workers:
        assert workers(order("processes", spawns=False)).metadata["pools"] == "fork"
        case = Case(f"{own}:work", "default", "processes", 1, 1)
        assert workers(Order(case, 0, 7, "function", 0.05, spawns=False)).metadata["pools"] == "spawn"


@pytest.mark.skipif(not POSSIBLE, reason="needs Linux")
def test_a_worker_is_a_fresh_process_for_memory_and_where_forking_is_not_possible() -> None:
    case = Case("shared_array", "tiny", "threads", 1, 2, True, "memory")
    with Workers(60, forks=True) as workers:
        assert workers(Order(case, 0, 7, "function", 0.05)).metadata["started"] == "fresh"
    with Workers(60, forks=False) as workers:
        assert workers(order("processes")).metadata["started"] == "fresh"


@pytest.mark.skipif(not POSSIBLE, reason="needs Linux")
def test_a_users_own_file_is_imported_in_the_worker_only(tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        f"import os\nopen({str(tmp_path / 'imports')!r}, 'a').write(f'{{os.getpid()}} ')\ndef work():\n    pass\n"
    )
    case = Case(f"{own}:work", "default", "sync")
    with Workers(60, forks=True) as workers:
        for round_ in (0, 0, 1):
            observed = workers(Order(case, round_, 7, "function", 0.05))
            assert observed.failure is None, observed.failure
    assert len(set((tmp_path / "imports").read_text().split())) == 3
