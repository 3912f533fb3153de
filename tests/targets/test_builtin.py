"""Built-in workloads are found and imported as a user's own file is, from whatever folder they are in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gilbench import variables, workloads
from gilbench.checks.arms import Arm, ask
from gilbench.errors import UserError
from gilbench.files import names_in
from gilbench.process.environments import copy_code
from gilbench.targets.builtin import all_workloads
from gilbench.targets.modules import workloads_in
from gilbench.targets.naming import workload_of

FAMILY = """
from dask import delayed
from gilbench import Job, workload

def _double(n):
    return 2 * n

@workload(tiny={"n": 1}, small={"n": 2}, default={"n": 3}, large={"n": 4})
def NAME(n):
    return Job([delayed(_double)(n)], answer=[2 * n])
"""
COMPUTE = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import dask, loky
from gilbench.targets.builtin import all_workloads

if __name__ == "__main__":
    (collection,) = all_workloads()["mine"].build(n=3).collections
    for pool in (
        *(ProcessPoolExecutor(1, get_context(method)) for method in ("spawn", "forkserver")),
        loky.get_reusable_executor(1),
    ):
        print(dask.compute(collection, scheduler="processes", pool=pool), flush=True)
        pool.shutdown()
    from distributed import Client
    with Client(n_workers=1, dashboard_address=None) as client:
        print(dask.compute(collection))
"""
LIST = "from gilbench.targets.builtin import all_workloads; print([*all_workloads()])"


def python(code: str, folder: Path, cwd: Path, *, sources: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process whose built-in workloads are in another folder."""
    environment = {**os.environ, variables.WORKLOADS: str(folder), "PYTHONPATH": sources}
    (cwd / "script.py").write_text(code)
    return subprocess.run(
        [sys.executable, "-P", "script.py"], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def sources() -> str:
    import gilbench

    return str(Path(gilbench.__file__).parents[1])


@pytest.fixture
def families(tmp_path: Path) -> Path:
    """A folder with one family and a helper."""
    folder = tmp_path / "other" / "workloads"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text(FAMILY.replace("NAME", "mine"))
    (folder / "_helper.py").write_text(FAMILY.replace("NAME", "hidden"))
    return folder


def test_the_file_of_a_family_is_the_same_module_as_the_family() -> None:
    file = Path(workloads.__path__[0], "python_loops.py")
    found = workloads_in(str(file), "python_loops.py")
    assert list(found) == ["sum_of_squares", "word_count"]
    assert all(found[name] is all_workloads()[name] for name in found)
    assert workload_of(f"{file}:sum_of_squares").build is all_workloads()["sum_of_squares"].build


def test_an_imported_workload_is_not_one_of_the_files_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "memory.py").write_text(
        "from gilbench.workloads.memory import shared_array\n" + FAMILY.replace("NAME", "mine")
    )
    try:
        assert list(workloads_in(str(tmp_path / "memory.py"), "memory.py")) == ["mine"]
    finally:
        sys.modules.pop("memory", None)


def test_another_folder_takes_the_place_of_ours(families: Path, tmp_path: Path, sources: str) -> None:
    assert python(LIST, families, tmp_path, sources=sources).stdout == "['mine']\n"


@pytest.mark.serial
def test_every_kind_of_process_finds_another_folder(families: Path, tmp_path: Path, sources: str) -> None:
    done = python(COMPUTE, families, tmp_path, sources=sources)
    assert done.stdout.splitlines() == ["(6,)"] * 4, done.stderr


def test_an_installation_has_the_families_inside_the_package(tmp_path: Path) -> None:
    copy_code(tmp_path)
    done = python(LIST, Path(), tmp_path, sources=str(tmp_path))  # the variable is ".", which is no folder of families
    assert done.stdout == "[]\n", done.stderr
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    environment.pop(variables.WORKLOADS, None)
    code = f"from gilbench import workloads; print(workloads.__path__); {LIST}"
    shown = subprocess.run([sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True)
    assert shown.stdout == f"{[str(tmp_path / 'gilbench' / 'workloads')]}\n{[*all_workloads()]}\n", shown.stderr


def test_two_workloads_of_one_name_are_one_line(families: Path, tmp_path: Path, sources: str) -> None:
    (families / "other.py").write_text(FAMILY.replace("NAME", "mine"))
    said = python(LIST, families, tmp_path, sources=sources).stderr.splitlines()[-1]
    assert said.endswith("UserError: two workloads are named 'mine': rename the one in workloads/other.py")


def test_a_family_that_breaks_at_import_is_one_line_in_an_arm(tmp_path: Path) -> None:
    copy_code(tmp_path / "harness")
    (tmp_path / "tree" / "bench" / "gilbench").mkdir(parents=True)
    (tmp_path / "tree" / "workloads").mkdir()
    (tmp_path / "tree" / "workloads" / "broken.py").write_text("\nimport no_such_library\n")
    with pytest.raises(UserError) as raised:
        ask(Arm("base", tmp_path, sys.executable, "HEAD"))
    assert str(raised.value) == (
        "base (HEAD) cannot be imported: 'workloads/broken.py' cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_library' (broken.py:2)"
    )


def test_families_are_listed_by_file_name() -> None:
    families = list(dict.fromkeys(workload.family for workload in all_workloads().values()))
    assert families == names_in(workloads)
