"""The fingerprint, the memory layout, figures as people read them, and the examples in docstrings."""

from __future__ import annotations

import doctest
import getpass
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from gilbench import machine, units
from gilbench.advice import entry, racing
from gilbench.checks.arms import spec
from gilbench.measure import worker
from gilbench.process import layout, pins
from gilbench.stats import Estimate
from gilbench.targets import calls, naming


def test_the_fingerprint_contains_what_changes_timings_and_nothing_private() -> None:
    found = machine.fingerprint()
    for key in (
        "cpu_model_name", "usable_cpus", "memory_bytes", "cgroup_cpus", "cgroup_memory_bytes", "cpu_governor", "virtualised",
        "python_version", "python_build", "gil", "dask_version", "distributed_version", "pandas_version", "numpy_version",
        "pyarrow_version", "graph_drawing",
    ):  # fmt: skip
        assert found[key] not in ("", None), key
    text = json.dumps(found)
    assert str(Path.home()) not in text
    for private in {platform.node(), getpass.getuser()} - {"", "root", "runner"}:
        assert private not in text


def test_the_fingerprint_imports_nothing_that_is_measured() -> None:
    code = "import json, sys; from gilbench.machine import fingerprint; fingerprint(); print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert not {"dask", "pandas", "numpy", "pyarrow", "distributed"} & set(loaded)


@pytest.mark.parametrize(
    ("content", "cpus"), [("150000 100000", 1.5), ("max 100000", None), ("", None), ("junk", None)]
)
def test_a_cgroup_quota_bounds_the_cpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, cpus: float
) -> None:
    (tmp_path / "cpu.max").write_text(content)
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    assert machine.cgroup_cpu_quota() == cpus
    assert 1 <= machine.usable_cpus() <= (2 if cpus else os.cpu_count() or 1)


def test_a_cgroup_memory_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    assert machine.cgroup_memory_limit() is None
    (tmp_path / "memory.max").write_text("1048576\n")
    assert machine.cgroup_memory_limit() == 1 << 20


def test_a_layout_is_the_same_for_the_same_seed_and_differs_for_another() -> None:
    sizes = [[len(thing) for thing in layout.pile(seed)] for seed in (1, 1, 2)]
    assert sizes[0] == sizes[1] != sizes[2]
    assert layout.environment(2**40 + 3) == {"PYTHONHASHSEED": "3"}


def test_pins_reach_every_library_that_reads_them_and_can_be_left_out() -> None:
    assert pins.environment(True)["OPENBLAS_NUM_THREADS"] == "1"
    assert pins.environment(False) == {}


def test_figures() -> None:
    assert units.estimate(Estimate(0.1, 0.09, 0.11, 3), "second") == "100 ms (90.0 ms to 110 ms)"
    assert units.estimate(Estimate(2.0, 0.0, float("inf"), 1), "ratio") == "2.00x (interval unknown)"
    assert [units.seconds(value) for value in (0, 3e-9, 5e-5, 90.0)] == ["0 ns", "3.00 ns", "50.0 µs", "90.0 s"]
    assert [units.size(value) for value in (0, 512, 3 << 30)] == ["0 B", "512 B", "3.00 GiB"]
    assert units.times(float("inf")) == "inf"


@pytest.mark.parametrize("module", [units, calls, naming, worker, spec, entry, racing])
def test_the_examples_in_docstrings_hold(module: object) -> None:
    done = doctest.testmod(module)  # type: ignore[arg-type]
    assert done.attempted > 0
    assert done.failed == 0
