"""The wheel and the sdist: complete, nothing else in them, and the wheel runs from any folder without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def build(source: Path, target: str, folder: Path) -> Path:
    """Build a wheel or an sdist from a source folder; return its path."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked sdist."""
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    return unpacked


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the sdist, as a release is."""
    return build(source, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def content(wheel: Path) -> set[str]:
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_sdist_holds_the_project_and_nothing_else(source: Path) -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout
    project = {name for name in listed.split("\0") if name and (ROOT / name).exists()}
    packed = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    assert packed - {"PKG-INFO"} == project


def test_the_wheel_holds_all_of_gilbench_and_its_workloads(content: set[str]) -> None:
    ours = {path.relative_to(ROOT / "bench").as_posix() for path in (ROOT / "bench" / "gilbench").rglob("*.*")}
    families = {f"gilbench/workloads/{path.name}" for path in (ROOT / "workloads").glob("*.py")}
    assert {name for name in ours if "__pycache__" not in name} | families <= content


def test_the_wheel_has_the_license(content: set[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in content)


def test_nothing_else_can_be_imported_from_an_installation(content: set[str]) -> None:
    tops = {name.partition("/")[0] for name in content}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"gilbench"}


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment that has the wheel, and the packages of this one without its gilbench.

    Nothing is downloaded: the wheel, of plain files only, is unpacked, and a .pth names the folders of this environment.
    The .pth files in these folders are not read, so that an editable install there does not count.
    """
    folder = tmp_path_factory.mktemp("fresh")
    command = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    packages = Path(run(interpreter, folder, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "dependencies.pth").write_text("\n".join(here), encoding="utf-8")
    return interpreter


def run(python: Path, folder: Path, *arguments: str) -> str:
    """Run an interpreter in a folder, with nothing of this process's environment that leads to the checkout."""
    ours = ("PYTHON", "GILBENCH", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [str(python), *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.serial
def test_the_installed_gilbench_is_the_one_in_the_wheel(python: Path, tmp_path: Path) -> None:
    printed = run(python, tmp_path, "-c", "import gilbench; print(gilbench.__file__)")
    assert Path(printed.strip()).is_relative_to(python.parents[1])


@pytest.mark.serial
@pytest.mark.parametrize("name", ["bench", "workloads", "tests"])
def test_an_installation_has_no_other_package_of_ours(python: Path, tmp_path: Path, name: str) -> None:
    search = f"import importlib.util; print(importlib.util.find_spec({name!r}))"
    assert run(python, tmp_path, "-c", search) == "None\n"


@pytest.mark.serial
def test_an_installation_lists_its_workloads(python: Path, tmp_path: Path) -> None:
    listed = run(python, tmp_path, "-m", "gilbench", "list")
    for family in (ROOT / "workloads").glob("[!_]*.py"):
        assert family.stem in listed


@pytest.mark.serial
@pytest.mark.parametrize("scheduler", ["processes", "distributed"])
def test_spawned_processes_find_the_workloads_of_an_installation(python: Path, tmp_path: Path, scheduler: str) -> None:
    options = ("--size", "tiny", "--max-observations", "1", "--scheduler", scheduler, "--workers", "2")
    run(python, tmp_path, "-m", "gilbench", "run", "sum_of_squares", *options)
    shown = run(python, tmp_path, "-m", "gilbench", "show", "--format", "csv")
    assert "sum_of_squares" in shown
    assert scheduler in shown
