"""A user's folder with packages and files named like gilbench's own: none is imported by mistake, and none gets in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import dask
import pytest

import gilbench
from gilbench.errors import UserError
from gilbench.files import names_in
from gilbench.machine import usable_cpus
from gilbench.results.result_file import load
from gilbench.targets.builtin import all_workloads
from gilbench.targets.naming import workload_of

OWN = """
def loop(number):
    total = 0
    for i in range(400_000):
        total += i * number
    return total
"""
POISON = "raise RuntimeError('a module of the user was imported: ' + __name__)\n"
SOURCES = str(Path(gilbench.__file__).parents[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as in many repositories. Importing any module of it but own.py fails."""
    for package in ("bench", "workloads", "tests", "checks"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(POISON)
    (tmp_path / "gilbench_x.py").write_text(POISON)
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run gilbench in the folder, which `python -m` puts first on the import path."""
    environment = {**os.environ, "PYTHONPATH": SOURCES, "GILBENCH_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "gilbench", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def measured(folder: Path, *targets: str, schedulers: Sequence[str]) -> dict[tuple[str, str], tuple[str, str] | None]:
    """Run each target once under sync and each scheduler; return (workload, scheduler) -> how it failed, or None."""
    named = [part for scheduler in schedulers for part in ("--scheduler", scheduler)]
    short = ["--size", "tiny", "--workers", "1", "--max-observations", "1", "--name", "r"]
    done = call(folder, "run", *targets, "--items", "range(4)", *named, *short)
    assert done.returncode == 0, done.stderr
    observations = load(folder / "results" / "r.json").observations
    return {(seen.case.workload, seen.case.scheduler): seen.failure for seen in observations}


@pytest.mark.serial
def test_no_scheduler_fails_in_a_folder_with_packages_named_like_ours(folder: Path) -> None:
    schedulers = ("threads", "processes", "loky", "distributed")
    expected = {("own.py:loop", scheduler): None for scheduler in ("sync", *schedulers)}
    assert measured(folder, "own.py:loop", schedulers=schedulers) == expected


@pytest.mark.serial
def test_a_probe_starts_its_processes_there(folder: Path) -> None:
    done = call(folder, "probe", "own.py:loop", "--items", "range(4)", "--probe", "traffic", "--json")
    assert done.returncode == 0, done.stderr
    (probing,) = json.loads(done.stdout)["probes"]
    assert "processes" in probing["found"]["traffic"], probing
    assert "import" not in json.dumps(probing["reasons"])


@pytest.mark.serial
@pytest.mark.skipif(usable_cpus() < 2, reason="a single CPU has nothing to race")
def test_advice_for_a_python_loop_races_processes_there(folder: Path) -> None:
    done = call(folder, "advise", "own.py:loop", "--items", "range(16)", "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert not [contender for contender in answer["contenders"] if "Error" in contender["status"]]
    # A busy machine may hide what processes gain, but not that they took part.
    raced = {contender["scheduler"] for contender in answer["contenders"] if contender["seconds"]}
    assert raced & {"processes", "loky", "distributed"} or answer["advice"]["scheduler"] != "sync", answer


@pytest.mark.serial
def test_a_check_measures_both_arms_there(folder: Path) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    for arguments in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    done = call(
        folder, "check", "--base", "HEAD", "sleep", "--scheduler", "processes", "--size", "tiny", "--max-time", "8"
    )
    (verdicts,) = (folder / "results" / "checks").glob("*/verdicts.json")
    (case,) = json.loads(verdicts.read_text())["cases"]
    assert case["kind"] != "failed" and case["n"] > 0, done.stdout + done.stderr


@pytest.mark.serial
def test_a_file_named_like_a_family_is_measured_alongside_the_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "control.py").write_text(OWN)
    names = ("control.py:loop", "sleep")
    expected = {(name, scheduler): None for name in names for scheduler in ("sync", "processes", "distributed")}
    assert measured(tmp_path, *names, schedulers=("processes", "distributed")) == expected


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of the user's, which is the current one; this process forgets its modules afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def test_a_pool_runs_tasks_of_both_in_the_same_process(here: Path) -> None:
    (here / "memory.py").write_text(OWN)
    built_in = all_workloads()["shared_array"]
    theirs, ours = workload_of("memory.py:loop", "[0]").build(), built_in.build(**built_in.sizes["tiny"])
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        found = dask.compute(*theirs.collections, *ours.collections, scheduler="processes", pool=pool)
    assert list(found) == [0, *ours.answer]


@pytest.mark.parametrize("family", [*names_in(gilbench.workloads), "_kernels"])
def test_every_familys_name_is_free_for_a_file_of_the_users(here: Path, family: str) -> None:
    (here / f"{family}.py").write_text(OWN)
    assert workload_of(f"{family}.py:loop", "[1]").modules == (family,)
    assert Path(sys.modules[family].__file__ or "").parent == here
    assert sys.modules[family] is not sys.modules[f"gilbench.workloads.{family}"]


@pytest.fixture
def installed(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, in a process that finds gilbench after installed packages, as an editable installation does."""
    monkeypatch.setattr(sys, "path", [*(place for place in sys.path if place != SOURCES), SOURCES])
    assert any(place.endswith("site-packages") for place in sys.path)
    (here / "beside.py").write_text(OWN)
    return here


@pytest.mark.parametrize("target", ["beside.py:loop", "beside:loop"])
@pytest.mark.parametrize(
    ("file", "named"), [("gilbench.py", "gilbench.py"), ("gilbench/__init__.py", "the package gilbench")]
)
def test_a_module_called_gilbench_next_to_the_users_file_is_one_line(
    installed: Path, target: str, file: str, named: str
) -> None:
    (installed / file).parent.mkdir(exist_ok=True)
    (installed / file).write_text(POISON)
    with pytest.raises(UserError) as raised:
        workload_of(target, "[1]")
    assert str(raised.value) == f"{target!r}: {named} in that folder hides the installed gilbench: rename it"
    assert str(installed) not in sys.path


def test_a_folder_called_gilbench_that_is_no_package_hides_nothing(installed: Path) -> None:
    (installed / "gilbench" / "bench").mkdir(parents=True)
    assert workload_of("beside.py:loop", "[1]").modules == ("beside",)
