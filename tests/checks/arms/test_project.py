"""What project a tree holds: layouts, metadata, and what has to be compiled, from files alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilbench.checks.arms.project import Project, read_project, sources_digest
from tests.checks.arms.repositories import SETUPTOOLS, written

NAMED = '[project]\nname = "my-pkg"\nversion = "1"\n'
SETUP = "from setuptools import setup\nsetup(name='my-pkg', {})\n"


def test_a_tree_without_metadata_is_no_project(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": "", "pyproject.toml": "[tool.ruff]\nline-length = 100\n", "setup.cfg": "[flake8]\n"})
    assert read_project(tmp_path) == Project()


@pytest.mark.parametrize(
    ("files", "sources"),
    [
        ({"pyproject.toml": NAMED, "my_pkg/__init__.py": "", "tests/__init__.py": ""}, ("",)),
        ({"pyproject.toml": NAMED, "my_pkg.py": "", "setup_helper.py": ""}, ("",)),
        ({"pyproject.toml": NAMED, "src/my_pkg/__init__.py": "", "my_pkg.txt": ""}, ("src",)),
        (
            {"pyproject.toml": NAMED + '[tool.setuptools.packages.find]\nwhere = ["lib"]\n', "lib/my_pkg/__init__.py": ""},
            ("lib",),
        ),
        ({"pyproject.toml": NAMED + '[tool.setuptools.package-dir]\n"" = "lib"\n', "lib/my_pkg/__init__.py": ""}, ("lib",)),
        (
            {
                "pyproject.toml": NAMED + '[tool.hatch.build.targets.wheel]\npackages = ["py/my_pkg"]\n',
                "py/my_pkg/__init__.py": "",
            },
            ("py",),
        ),
        (
            {
                "pyproject.toml": '[tool.poetry]\nname = "my-pkg"\npackages = [{include = "my_pkg", from = "lib"}]\n',
                "lib/my_pkg/__init__.py": "",
            },
            ("lib",),
        ),
        ({"setup.py": SETUP.format("package_dir={'': 'lib'}"), "lib/my_pkg/__init__.py": ""}, ("lib",)),
        ({"setup.py": SETUP.format("packages=find_packages('lib')"), "lib/my_pkg/__init__.py": ""}, ("lib",)),
        (
            {
                "setup.py": "",
                "setup.cfg": "[metadata]\nname = my-pkg\n[options]\npackage_dir =\n    = lib\n",
                "lib/my_pkg/__init__.py": "",
            },
            ("lib",),
        ),
        ({"python/pyproject.toml": NAMED, "python/my_pkg/__init__.py": "", "docs/setup.py": ""}, ("python",)),
        ({"python/pyproject.toml": NAMED, "python/src/my_pkg/__init__.py": ""}, ("python/src",)),
    ],
    ids=[
        "flat", "one module", "src", "setuptools find", "setuptools package-dir", "hatch", "poetry", "setup.py", "find_packages",
        "setup.cfg", "project in a subfolder", "src in a subfolder",
    ],
)  # fmt: skip
def test_layouts(tmp_path: Path, files: dict[str, str], sources: tuple[str, ...]) -> None:
    found = read_project(written(tmp_path, files))
    assert (found.name, found.sources, found.packages) == ("my-pkg", sources, ("my_pkg",))
    assert found.buildable and not found.compiled


def test_a_package_that_is_named_otherwise_and_a_namespace(tmp_path: Path) -> None:
    metadata = {"pyproject.toml": NAMED}
    other = written(
        tmp_path / "other", {**metadata, "yaml/__init__.py": "", "tests/__init__.py": "", "benchmarks/__init__.py": ""}
    )
    assert read_project(other).packages == ("yaml",)
    space = written(tmp_path / "space", {**metadata, "src/google/cloud/storage/__init__.py": ""})
    assert read_project(space).sources == ("src",)
    assert read_project(space).packages == ("google.cloud.storage",)


def test_the_project_is_the_one_that_the_user_stands_in(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(
            tmp_path / name,
            {"pyproject.toml": f'[project]\nname = "{name}"\n', f"{name}/__init__.py": "", "tests/a.py": ""},
        )
    assert read_project(tmp_path, "one/tests").name == "one"
    assert read_project(tmp_path, "two").folder == "two"
    assert not read_project(tmp_path).buildable, "which of the two is meant?"


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": SETUP.format("ext_modules=[]")},
        {"setup.py": SETUP.format("cffi_modules=['b.py:f']")},
        {"pyproject.toml": SETUPTOOLS + NAMED + '[tool.setuptools]\next-modules = [{name = "a", sources = ["a.c"]}]\n'},
        {"pyproject.toml": '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n' + NAMED},
        {"pyproject.toml": '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n' + NAMED},
        {
            "pyproject.toml": '[build-system]\nrequires = ["hatchling", "hatch-cython"]\nbuild-backend = "hatchling.build"\n'
            + NAMED
        },
        {"pyproject.toml": NAMED + "[tool.hatch.build.targets.wheel.hooks.mypyc]\n"},
    ],
)
def test_what_has_to_be_compiled(tmp_path: Path, files: dict[str, str]) -> None:
    assert read_project(written(tmp_path, files)).compiled


def test_a_hook_that_only_writes_the_version_compiles_nothing(tmp_path: Path) -> None:
    hook = '[tool.hatch.build.hooks.vcs]\nversion-file = "my_pkg/_version.py"\n'
    assert not read_project(written(tmp_path, {"pyproject.toml": NAMED + hook})).compiled


def test_requirements_are_read_where_they_are_written_down(tmp_path: Path) -> None:
    def required(text: str) -> tuple[str, ...] | None:
        return read_project(written(tmp_path, {"pyproject.toml": text})).requirements

    assert required(NAMED) == ()
    assert required(NAMED + 'dependencies = ["attrs>=23"]\n') == ("attrs>=23",)
    assert required(NAMED + 'dynamic = ["dependencies"]\n') is None
    assert required('[tool.poetry]\nname = "my-pkg"\n[tool.poetry.dependencies]\nattrs = "*"\n') is None


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        (NAMED.replace("1", "2"), True),
        (NAMED + 'description = "better"\n[tool.ruff]\nline-length = 88\n', True),
        (NAMED + 'dependencies = ["attrs"]\n', False),
        (NAMED + "[tool.some-backend]\nx = 1\n", False),
        (SETUPTOOLS + NAMED, False),
    ],
)
def test_metadata_differs_where_a_build_may_differ(tmp_path: Path, changed: str, same: bool) -> None:
    before = read_project(written(tmp_path, {"pyproject.toml": NAMED})).metadata
    after = read_project(written(tmp_path, {"pyproject.toml": changed})).metadata
    assert (before == after) == same


def test_the_digest_of_the_sources_sees_every_file_but_gits(tmp_path: Path) -> None:
    digest = sources_digest(written(tmp_path, {"a.c": "1", ".git": "x", "__pycache__/a.pyc": "x"}))
    assert sources_digest(written(tmp_path, {".git": "y", "__pycache__/a.pyc": "y"})) == digest
    assert sources_digest(written(tmp_path, {"a.c": "2"})) != digest


def test_malformed_metadata_is_left_to_the_build(tmp_path: Path) -> None:
    written(tmp_path, {"pyproject.toml": "[project\n", "setup.cfg": "nonsense", "setup.py": "\0"})
    assert read_project(tmp_path).buildable
