"""The load of the machine: counters between two moments, from scripted files, and once for real."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from gilbench.process import load
from gilbench.process.load import Load, Reading, fill, watched


def reading(moment: float, busy: float, tree: float, stolen: float = 0.0, waited: float | None = 0.0) -> Reading:
    return Reading(moment, busy, stolen, tree, waited)


def test_what_the_measured_tree_used_is_not_others() -> None:
    found = Load()
    fill(found, reading(10.0, 100.0, 5.0, 1.0, 2.0), reading(12.0, 103.0, 7.0, 1.5, 3.0))
    assert found.others == pytest.approx(0.5)
    assert found.stolen == pytest.approx(0.25)
    assert found.pressure == pytest.approx(0.5)
    assert found.seconds == 2.0
    assert found.as_metadata() == {"others_cpus": 0.5, "stolen_cpus": 0.25, "cpu_pressure": 0.5}


def test_counters_that_lag_behind_give_nothing_below_zero_and_no_time_gives_nothing() -> None:
    found = Load()
    fill(found, reading(0.0, 10.0, 1.0), reading(1.0, 10.2, 1.5))
    assert found.others == 0.0
    still = Load()
    fill(still, reading(1.0, 1.0, 1.0), reading(1.0, 1.0, 1.0))
    assert still.as_metadata() == {}


def test_the_kernels_files_are_read_as_documented(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "stat").write_text("cpu  100 10 50 1000 20 5 15 30 0 0\ncpu0 1 1\n")
    (tmp_path / "pressure" / "cpu").write_text(
        "some avg10=0.1 avg60=0.2 avg300=0.3 total=2500000\nfull avg10=0 total=0\n"
    )
    monkeypatch.setattr(load, "PROC", tmp_path)
    monkeypatch.setattr(load, "tree_seconds", lambda pid: 7.0)
    monkeypatch.setattr(load.os, "sysconf", lambda name: 100)
    found = load.read(1)
    assert found
    assert (found.busy, found.stolen, found.tree, found.waited) == (1.8, 0.3, 7.0, 2.5)


def test_where_there_are_no_such_files_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(load, "PROC", tmp_path)
    with watched() as found:
        pass
    assert found.as_metadata() == {}
    (tmp_path / "stat").write_text("cpu  1 1 1 1 1 1 1 1\n")
    with watched() as found:
        time.sleep(0.01)
    assert found.pressure is None and found.others is not None


@pytest.mark.serial
@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="Linux only")
def test_a_busy_neighbor_is_seen_and_a_child_of_ours_is_none() -> None:
    busy = "import time; end = time.monotonic() + 1.2\nwhile time.monotonic() < end: pass"
    child = subprocess.Popen([sys.executable, "-c", busy])
    with watched() as ours:
        time.sleep(0.8)
    child.wait()
    child = subprocess.Popen([sys.executable, "-c", busy])
    with watched(pid=child.pid) as found:  # now the child is measured, and this process is a neighbor
        end = time.monotonic() + 0.8
        while time.monotonic() < end:
            pass
    child.wait()
    assert ours.others is not None and found.others is not None
    assert found.others > ours.others
