"""Environments of arms, built for real from a project's own metadata; and what is said where that fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gilbench.checks.arms import Arm, building, parse, prepared, preparing
from gilbench.errors import UserError
from gilbench.process.interpreters import Done
from tests.checks.arms.repositories import SETUPTOOLS, committed, state, written

C = """
#include <Python.h>
static PyObject* value(PyObject* module, PyObject* none) { return PyLong_FromLong(1); }
static PyMethodDef methods[] = {{"value", value, METH_NOARGS, ""}, {0}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "fast", 0, -1, methods};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&definition); }
"""
PROJECT = '[project]\nname = "pkg"\nversion = "1"\n'
EXTENSION = '[tool.setuptools]\next-modules = [{name = "pkg.fast", sources = ["pkg/fast.%s"]}]\npackages = ["pkg"]\n'
CYTHON = SETUPTOOLS.replace('"setuptools"]', '"setuptools", "cython"]')


@pytest.fixture(autouse=True)
def without_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pytest and so on in the environments, so that they are made more quickly."""
    monkeypatch.setattr(preparing, "_tools", lambda project, python: ())


def value(arm: Arm, code: str) -> str:
    variables = {**os.environ, **arm.environment}
    command = [arm.python, "-P", "-c", code]
    return subprocess.run(
        command, cwd=arm.folder, env=variables, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.serial
@pytest.mark.parametrize(
    ("metadata", "files"),
    [
        (SETUPTOOLS + PROJECT + EXTENSION % "c", {"pkg/fast.c": C}),
        (CYTHON + PROJECT + EXTENSION % "pyx", {"pkg/fast.pyx": "def value():\n    return 1\n"}),
    ],
    ids=["C", "Cython"],
)
def test_each_arm_runs_what_was_compiled_from_its_own_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metadata: str, files: Mapping[str, str]
) -> None:
    """A flat layout: the sources, which lack the compiled module, must not come first."""
    usual = {"pyproject.toml": metadata, "pkg/__init__.py": "from pkg.fast import value\n"}
    folder = committed(tmp_path / "project", {**usual, **files})
    written(
        folder,
        {name: text.replace("Long(1)", "Long(2)").replace("return 1", "return 2") for name, text in files.items()},
    )
    monkeypatch.chdir(folder)
    before, said = state(folder), list[str]()
    for _ in range(2):
        with prepared(parse("HEAD"), parse("path=."), tmp_path / "cache", say=said.append) as arms:
            assert [value(arm, "import pkg; print(pkg.value())") for arm in arms] == ["1", "2"]
            from_tree = "import sys; sys.path.insert(0, sys.argv[1]); import pkg; print(pkg.__file__, pkg.value())"
            for arm, expected in zip(arms, "12", strict=True):
                line = value(arm, from_tree.replace("sys.argv[1]", repr(str(arm.tree))))
                assert line == f"{arm.tree / 'pkg' / '__init__.py'} {expected}", "a runner may put the tree on the path"
                assert Path(arm.imported["pkg"]).is_relative_to(Path(arm.python).parents[1].resolve())
    made = [line for line in said if line.startswith("making")]
    assert len(made) == 2, "the second check finds both environments"
    assert state(folder) == before


@pytest.mark.serial
def test_requirements_that_differ_are_those_of_each_arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = SETUPTOOLS + PROJECT + 'dependencies = ["six==%s"]\n'
    folder = committed(
        tmp_path / "project", {"pyproject.toml": metadata % "1.16.0", "src/pkg/__init__.py": "import six\n"}
    )
    written(folder, {"pyproject.toml": metadata % "1.17.0"})
    monkeypatch.chdir(folder)
    with prepared(parse("HEAD"), parse("path=."), tmp_path / "cache") as arms:
        assert [value(arm, "import pkg; print(pkg.six.__version__)") for arm in arms] == ["1.16.0", "1.17.0"]
        assert all(Path(arm.imported["pkg"]).is_relative_to(arm.tree) for arm in arms)
        assert [value(arm, "import shutil; print(shutil.which('python'))") for arm in arms] == [
            arm.python for arm in arms
        ]


@pytest.mark.serial
def test_a_release_is_compared_with_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with prepared(parse("six==1.16.0"), parse("six==1.17.0"), tmp_path / "cache") as arms:
        assert [value(arm, "import six; print(six.__version__)") for arm in arms] == ["1.16.0", "1.17.0"]
        assert [arm.packages for arm in arms] == [("six",)] * 2
    with (
        pytest.raises(UserError, match=r"no environment with six==0\.0\.99: No matching distribution"),
        prepared(parse("six==0.0.99"), parse("six==1.17.0"), tmp_path / "cache"),
    ):
        pass
    assert len(list((tmp_path / "cache" / "environments").iterdir())) == 2


@pytest.mark.serial
@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_a_command_replaces_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in the arm's tree, in its environment: here it installs for editing, so the environment is not kept."""
    broken = SETUPTOOLS.replace('"setuptools"', '"no-such-backend-x"') + PROJECT
    folder = committed(
        tmp_path / "project", {"pyproject.toml": broken, "pkg/__init__.py": "from pkg.made import X\n", "x": "1"}
    )
    written(folder, {"x": "2"})
    monkeypatch.chdir(folder)
    setup = 'echo "X = $(cat x); import sys; P = sys.prefix" > pkg/made.py; python -c "import sys; print(sys.prefix)" > prefix'
    before = state(folder)
    with prepared(parse("HEAD"), parse("path=."), tmp_path / "cache", setup=setup) as arms:
        assert [value(arm, "import pkg; print(pkg.X)") for arm in arms] == ["1", "2"]
        assert (arms[0].tree / "prefix").read_text() != (arms[1].tree / "prefix").read_text()
    assert list((tmp_path / "cache" / "environments").iterdir()) == []
    said: list[str] = []
    with (
        pytest.raises(UserError, match=r"base \(HEAD .*\): --setup 'echo one; echo two; exit 3' failed: one"),
        prepared(
            parse("HEAD"), parse("path=."), tmp_path / "cache", setup="echo one; echo two; exit 3", say=said.append
        ),
    ):
        pass
    assert said[-2:] == ["    one", "    two"]
    assert list((tmp_path / "cache" / "environments").iterdir()) == []
    assert state(folder) == before


@pytest.mark.serial
def test_a_base_that_does_not_build_shows_its_last_lines_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = "import sys\nsys.stderr.write('looking for a compiler\\n')\nraise SystemExit('RuntimeError: no compiler today')\n"
    folder = committed(tmp_path / "project", {"setup.py": setup, "pkg/__init__.py": ""})
    written(folder, {"setup.py": "from setuptools import setup\nsetup(name='pkg', packages=['pkg'])\n"})
    monkeypatch.chdir(folder)
    before, said = state(folder), list[str]()
    with (
        pytest.raises(UserError, match=r"^base \(HEAD \(.*\)\) does not build: RuntimeError: no compiler today$"),
        prepared(parse("HEAD"), parse("path=."), tmp_path / "cache", say=said.append),
    ):
        pass
    assert any("looking for a compiler" in line for line in said)
    assert list((tmp_path / "cache" / "environments").iterdir()) == []
    assert state(folder) == before


LACKS = "ModuleNotFoundError: No module named 'Cython'"


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        (
            ["x.c:2:7: error: no", "error: Command '['gcc']' failed", "ERROR: Failed building wheel for x"],
            "x.c:2:7: error: no",
        ),
        ([LACKS, "error: subprocess-exited-with-error"], LACKS),
        (["ERROR: No matching distribution found for x==9"], "No matching distribution found for x==9"),
        (["nothing of the kind"], "nothing of the kind"),
    ],
)
def test_the_line_that_says_why_a_build_failed(lines: list[str], line: str) -> None:
    assert building.reason(lines, Done([], 1, "", "\n".join(lines))) == line
