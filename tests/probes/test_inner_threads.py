"""The probe of threads that tasks start by themselves: its parts with fakes, and once for real."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gilbench.cases.case import Case
from gilbench.measure import prober
from gilbench.probes import Found, Question, Unavailable, inner_threads_probe
from gilbench.probes.inner_threads_probe import POOLS, culprits, runnable, sampling


class Scripted:
    """A probed process that the parent cannot read, which reports these CPU seconds in a second."""

    pid = -1
    case = Case("w", "default", "sync", pinned=False)

    def __init__(self, free: float, pools: Mapping[str, float], two_busy: float = 2.0) -> None:
        self.free, self.pools, self.two_busy = free, pools, two_busy
        self.asked: list[tuple[Question, str]] = []

    def ask(self, question: Question, **what: Any) -> Found:
        self.asked.append((question, what.get("pool", "")))
        if question is inner_threads_probe.loaded_pools:
            return {"pools": list(self.pools)}
        if question is inner_threads_probe.keep_two_threads_busy:
            return {"start": 0.0, "end": 1.0, "cpu": self.two_busy}
        return {"start": 0.0, "end": 1.0, "cpu": self.pools.get(what.get("pool", ""), self.free)}


def measured(probed: Scripted) -> Found:
    return inner_threads_probe.examine(probed)  # type: ignore[arg-type]


# --- In the parent


def test_the_pool_whose_pinning_brings_the_ratio_down_did_it() -> None:
    found = measured(Scripted(1.9, {"blas": 1.88, "pyarrow": 1.91, "pandas": 1.0}))
    assert found == {
        "cpu_over_wall": 1.9,
        "cpu_got_over_wall": 1.9,
        "pools": {"blas": 1.88, "pyarrow": 1.91, "pandas": 1.0},
        "culprits": ["pandas"],
    }


def test_without_inner_threads_nothing_is_pinned() -> None:
    probed = Scripted(1.02, {"blas": 1.0})
    assert measured(probed)["pools"] == {}
    assert probed.asked == [(inner_threads_probe.keep_two_threads_busy, ""), (inner_threads_probe.compute_pinned, "")]


@pytest.mark.parametrize("two_busy", [1.2, 3.0])
def test_no_answer_where_two_busy_threads_do_not_read_as_two(two_busy: float) -> None:
    with pytest.raises(Unavailable, match="calibration failed: two busy threads read"):
        measured(Scripted(1.0, {}, two_busy))


def test_culprits() -> None:
    assert culprits(2.0, {"blas": 1.5, "openmp": 1.4, "pyarrow": 1.9}) == ["openmp", "blas"]
    assert culprits(1.9, {"blas": 1.85}) == []
    assert culprits(1.1, {"blas": 0.5}) == []


def test_samples_are_taken_only_where_the_system_shows_the_threads() -> None:
    with sampling(-1) as samples:
        pass
    assert samples == []


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux shows the threads")
def test_sampling_a_real_process() -> None:
    with sampling(os.getpid()) as samples:
        while len(samples) < 3:
            time.sleep(0.001)
    moments = [moment for moment, _ in samples]
    assert moments == sorted(moments) and moments[-1] <= time.perf_counter()
    assert all(threads >= 1 for _, threads in samples)  # the sampling thread itself runs


def test_threads_that_run_or_wait_for_a_cpu_are_counted(tmp_path: Path) -> None:
    for number, stat in enumerate(("1 (a) R 0", "2 (b (R) c) S 0", "3 (pool R 1) R 0", "4 (d) D 0")):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "stat").write_text(stat)
    (tmp_path / "gone").mkdir()  # a thread that ended before it was read
    assert runnable(tmp_path) == 2
    assert runnable(tmp_path / "no process") == 0


# --- In the probed process


@pytest.mark.parametrize("name", POOLS)
def test_a_pool_is_pinned_while_it_computes_and_left_as_it_was(name: str) -> None:
    pytest.importorskip("numpy")
    pytest.importorskip("pyarrow")
    pytest.importorskip("pandas")
    if not POOLS[name].loaded():
        pytest.skip("not loaded here")

    before, seen = threads(name), []
    scene = SimpleNamespace(compute=lambda: seen.append(threads(name)))
    inner_threads_probe.compute_pinned(scene, 1e-4, pool=name)  # type: ignore[arg-type]
    assert set(seen) == {1}
    assert threads(name) == before


def threads(name: str) -> int | None:
    """How many threads a pool is set to."""
    import pandas
    import pyarrow
    import threadpoolctl

    if name == "pyarrow":
        return max(pyarrow.cpu_count(), pyarrow.io_thread_count())
    if name == "pandas":
        number: int | None = pandas.get_option("mode.max_threads")
        return number
    return max(lib["num_threads"] for lib in threadpoolctl.threadpool_info() if lib["user_api"] == name)


# --- What a person reads


def test_sentences() -> None:
    found = {"cpu_over_wall": 1.9, "cpu_got_over_wall": 1.9, "pools": {"blas": 1.9, "pandas": 1.0}}
    (line,) = inner_threads_probe.format({"sync": {**found, "culprits": ["pandas"]}})
    assert line == (
        "CPU time is 1.9x wall time under sync: pandas' own (mode.max_threads); "
        'pin to one thread (pandas.set_option("mode.max_threads", 1)), or give dask fewer workers'
    )
    (line,) = inner_threads_probe.format({"sync": {**found, "culprits": []}})
    assert "pinning one pool alone (tried: blas, pandas) does not stop it" in line
    (line,) = inner_threads_probe.format({"sync": {**found, "cpu_over_wall": 1.01, "pools": {}, "culprits": []}})
    assert line == "none: CPU time is 1.0x wall time under sync"


# --- For real


@pytest.mark.serial
def test_a_real_matmul(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path / "cache"))
    done = prober.probe(
        "matmul", "tiny", ("sync",), ("inner_threads",), lambda case: prober.LiveProbed(case, 60.0), cpus=1
    )
    if reasons := done.reasons["inner_threads"]:
        assert "calibration failed" in reasons["sync"]  # another one would be an error
        pytest.skip(reasons["sync"])
    found = done.found["inner_threads"]["sync"]
    assert found["cpu_over_wall"] > 0 and found["cpu_got_over_wall"] > 0
    assert set(found["pools"]) <= set(POOLS)
    assert set(found["culprits"]) <= set(found["pools"])
    assert len(list(inner_threads_probe.format({"sync": found}))) == 1
