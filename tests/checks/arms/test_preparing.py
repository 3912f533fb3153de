"""Both arms, ready: checkouts that leave the user's own alone, the way that is taken, and mistakes in one line."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from gilbench.checks.arms import Arm, asking, parse, prepared, preparing
from gilbench.checks.arms.asking import Facts
from gilbench.errors import UserError
from gilbench.process.environments import binary_of, environment
from gilbench.process.interpreters import find
from tests.checks.arms.repositories import SETUPTOOLS, committed, git, state, written


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "workloads").mkdir(parents=True)
    (folder / "workloads" / "a.py").write_text("A = 1\n")
    (folder / ".gitignore").write_text("ignored.py\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / "workloads" / "a.py").write_text("A = 2\n")
    (folder / "new.py").write_text("")
    (folder / "ignored.py").write_text("")
    monkeypatch.chdir(folder)
    return folder


def test_a_revision_and_the_working_tree_as_it_is(checkout: Path, tmp_path: Path) -> None:
    before = git(checkout, "status", "--porcelain", "--ignored")
    with prepared(parse("HEAD"), parse("path=."), tmp_path) as (base, head):
        assert (base.tree / "workloads" / "a.py").read_text() == "A = 1\n"
        assert (head.tree / "workloads" / "a.py").read_text() == "A = 2\n"
        assert (head.tree / "new.py").exists() and not (head.tree / "ignored.py").exists()
        assert len(str(base.tree)) == len(str(head.tree)), "a longer path must not matter"
        assert (base.folder / "harness" / "gilbench" / "measure" / "worker.py").exists()
        places = [base.folder, head.folder]
    assert not any(place.exists() for place in places)
    assert git(checkout, "worktree", "list").count("\n") == 1
    assert git(checkout, "stash", "list") == ""
    assert git(checkout, "status", "--porcelain", "--ignored") == before


def test_nothing_is_left_behind_after_ctrl_c(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), prepared(parse("HEAD"), parse("path=."), tmp_path) as (base, _):
        raise KeyboardInterrupt
    assert not base.folder.exists()
    assert git(checkout, "worktree", "list").count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_what_a_kill_leaves_is_removed_by_the_next_check(checkout: Path, tmp_path: Path) -> None:
    code = (
        "import os\nfrom pathlib import Path\nfrom gilbench.checks.arms import parse, prepared\n"
        f"with prepared(parse('HEAD'), parse('path=.'), Path({str(tmp_path)!r})) as (base, head):\n"
        "    print(base.folder, flush=True)\n    os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    left = Path(done.stdout.strip())
    assert left.exists()
    with prepared(parse("HEAD"), parse("path=."), tmp_path):
        assert not left.exists()
    assert git(checkout, "worktree", "list").count("\n") == 1


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("no-such-branch", "no revision 'no-such-branch' here"),
        ("path=/no/such/folder", "no folder '/no/such/folder'"),
        ("python=/no/python", "no interpreter '/no/python'"),
        ("python=9.99", "no interpreter '9.99'"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(checkout: Path, tmp_path: Path, spec: str, line: str) -> None:
    with pytest.raises(UserError, match=line) as caught, prepared(parse(spec), parse("path=."), tmp_path):
        pass
    assert "\n" not in str(caught.value)
    assert git(checkout, "worktree", "list").count("\n") == 1


def test_without_git_folders_can_still_be_compared(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="git is not installed"), prepared(parse("HEAD"), parse("path=."), tmp_path):
        pass


def test_packages_that_are_not_available_are_one_line_and_leave_no_environment(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no environment with no-such-package-x==1"):
        environment(sys.executable, ("no-such-package-x==1",), tmp_path)
    assert not any((tmp_path / "environments").iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
@pytest.mark.parametrize(
    ("printed", "line"),
    [
        (
            '{"path": "/p", "version": [3, 10, 1], "implementation": "CPython", "free_threaded": false}',
            "needs 3.11 or newer",
        ),
        ("nothing of the kind", "is not a working Python"),
    ],
    ids=["old", "broken"],
)
def test_an_interpreter_that_is_too_old_or_broken_is_one_line(tmp_path: Path, printed: str, line: str) -> None:
    fake = tmp_path / "python9"
    fake.write_text(f"#!/bin/sh\necho '{printed}'\n")
    fake.chmod(0o755)
    with pytest.raises(UserError, match=line) as caught:
        find(str(fake), option="python=")
    assert str(caught.value).startswith(f"python={fake} is ") and "\n" not in str(caught.value)


# --- The active environment serves both arms

PURE = SETUPTOOLS + '[project]\nname = "pkg"\nversion = "1"\n'


@pytest.fixture
def pure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose working tree differs in pure Python only."""
    folder = committed(tmp_path / "pure", {"pyproject.toml": PURE, "src/pkg/__init__.py": "X = 1\n"})
    written(folder, {"src/pkg/__init__.py": "X = 2\n", "src/pkg/new.py": ""})
    monkeypatch.chdir(folder)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setattr(preparing, "_tools", lambda project, python: ())
    return folder


def value(arm: Arm, code: str) -> str:
    """What an expression is in an arm, as its workers see it."""
    variables = {**os.environ, **arm.environment}
    command = [arm.python, "-P", "-c", f"import pkg; print({code})"]
    return subprocess.run(
        command, cwd=arm.folder, env=variables, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_pure_python_runs_in_the_active_environment_with_each_arms_tree_first(pure: Path, tmp_path: Path) -> None:
    before, said = state(pure), list[str]()
    with prepared(parse("HEAD"), parse("path=."), tmp_path, say=said.append) as arms:
        assert [arm.python for arm in arms] == [sys.executable] * 2
        assert [value(arm, "pkg.X") for arm in arms] == ["1", "2"]
        assert [arm.imported for arm in arms] == [
            {"pkg": str(arm.tree / "src" / "pkg" / "__init__.py")} for arm in arms
        ]
    assert said == []
    assert state(pure) == before


def test_from_a_subfolder_of_the_project(pure: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(pure, {"benchmarks/a.py": ""})
    monkeypatch.chdir(pure / "benchmarks")
    with prepared(parse("HEAD"), parse("path=."), tmp_path) as arms:
        assert [value(arm, "pkg.X") for arm in arms] == ["1", "2"]
        assert arms[1].inside == "benchmarks"


def test_an_arm_against_itself(pure: Path, tmp_path: Path) -> None:
    with prepared(parse("path=."), parse("path=."), tmp_path) as arms:
        assert [value(arm, "pkg.X") for arm in arms] == ["2", "2"]


ATTRS = {"version": "25.1.0", "requires": [], "released": True, "plugin": False}
FACTS = Facts({"attrs": ATTRS}, asking.facts_of(sys.executable).markers)


@pytest.mark.parametrize(
    ("requirements", "unmet"),
    [
        (["attrs"], ""),
        (["Attrs >=24,<26"], ""),
        (["attrs>=26"], "attrs>=26"),
        (["attrs", "no-such-package"], "no-such-package"),
        (["no-such-package; python_version < '3'"], ""),
        (["no-such-package; extra == 'test'"], ""),
        (["not a requirement !"], "not a requirement !"),
    ],
)
def test_what_an_environment_lacks(requirements: Sequence[str], unmet: str) -> None:
    assert FACTS.unmet(requirements) == unmet
    assert FACTS.unmet(requirements, ">=3.99") == "Python >=3.99"


def test_tools_are_taken_in_the_versions_that_are_there() -> None:
    def about(version: str, *, released: bool = True, plugin: bool = False) -> dict[str, object]:
        return {"version": version, "requires": [], "released": released, "plugin": plugin}

    installed = {
        "pytest": about("9.0"),
        "pytest-benchmark": about("5.1", plugin=True),
        "asv": about("0.6"),
        "attrs": about("25"),
    }
    facts = Facts({**installed, "pytest-mine": about("1", released=False, plugin=True)}, {})
    assert facts.tools() == ("asv==0.6", "pytest==9.0", "pytest-benchmark==5.1")
    assert facts.tools(without=["pytest_benchmark"]) == ("asv==0.6", "pytest==9.0")


# --- The way that is taken, with builds that are only played


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[preparing.building.Recipe]:
    """The recipes of the environments that are asked for; our own interpreter stands in for them."""
    recipes: list[preparing.building.Recipe] = []

    def made(recipe: preparing.building.Recipe, cache: Path, say: object) -> str:
        recipes.append(recipe)
        return sys.executable

    monkeypatch.setattr(preparing.building, "made", made)
    return recipes


def test_metadata_that_differs_gives_each_arm_an_environment_of_its_own(
    pure: Path, tmp_path: Path, built: list[preparing.building.Recipe]
) -> None:
    written(pure, {"pyproject.toml": PURE + 'dependencies = ["attrs"]\n'})
    said: list[str] = []
    with prepared(parse("HEAD"), parse("path=."), tmp_path, needs=["pyperf"], say=said.append) as arms:
        assert [recipe.build for recipe in built] == [arm.tree for arm in arms]
        assert built[0].stamp != built[1].stamp and built[0].packages == ("pyperf",)
    assert said == ["each arm gets an environment of its own: the metadata of base and head differ"]


def test_a_requirement_that_is_not_there_is_named(
    pure: Path, tmp_path: Path, built: list[preparing.building.Recipe]
) -> None:
    committed(pure, {"pyproject.toml": PURE + 'dependencies = ["no-such-package-x>=3"]\n'})
    said: list[str] = []
    with prepared(parse("HEAD"), parse("path=."), tmp_path, say=said.append):
        assert built[0].stamp == built[1].stamp, "one environment serves both: they require the same"
    assert "no-such-package-x>=3 is not in" in said[0]


def test_a_change_of_sources_alone_needs_no_other_environment(
    pure: Path, tmp_path: Path, built: list[preparing.building.Recipe]
) -> None:
    with prepared(parse("rev=HEAD,with=attrs"), parse("path=.,with=attrs"), tmp_path) as arms:
        assert [value(arm, "pkg.X") for arm in arms] == ["1", "2"], "the tree comes before what was installed"
    assert built[0].stamp == built[1].stamp and built[0].packages == ("attrs",)


def test_a_package_that_imports_only_once_it_is_built_is_built(
    pure: Path, tmp_path: Path, built: list[preparing.building.Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(pure, {"src/pkg/__init__.py": "from pkg._version import version\n"})
    said: list[str] = []
    with (
        pytest.raises(UserError, match=r"base .*: pkg cannot be imported"),
        prepared(parse("HEAD"), parse("path=."), tmp_path, say=said.append),
    ):
        pass
    assert all("No module named 'pkg._version'" in line for line in said) and len(said) == 2
    stamps = [recipe.stamp for recipe in built]
    assert len(stamps) == 4 and stamps[0] == stamps[1] != stamps[2], "the requirements alone first, then whole builds"


def test_both_arms_importing_one_file_is_refused(
    pure: Path, tmp_path: Path, built: list[preparing.building.Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the import hook of an editable install does that comes before the path."""
    environment_ = tmp_path / "venv"
    venv.create(environment_)
    (site,) = environment_.glob("Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages")
    (site / "editable.pth").write_text(f"import sys; sys.path.insert(0, {str(pure / 'src')!r})\n")
    python = str(binary_of(environment_))
    monkeypatch.setattr(asking, "active_python", lambda: python)
    monkeypatch.setattr(preparing.building, "made", lambda recipe, cache, say: python)
    said: list[str] = []
    with pytest.raises(UserError) as caught, prepared(parse("HEAD"), parse("path=."), tmp_path, say=said.append):
        pass
    assert "both arms import pkg from" in str(caught.value) and str(pure / "src" / "pkg") in str(caught.value)
    assert "both arms import pkg from" in said[0], "the active environment is left for one of our own"
    assert git(pure, "worktree", "list").count("\n") == 1


def test_the_active_environment_is_the_one_that_is_activated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv.create(tmp_path / "venv")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    assert asking.active_python() == str(binary_of(tmp_path / "venv"))
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "gone"))
    assert asking.active_python() == sys.executable


# --- What goes wrong leaves nothing


def test_a_full_disk_is_one_line_and_leaves_nothing(
    pure: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: object, to: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(to))

    before = state(pure)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(preparing.tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(shutil, "copy2", full)
    with (
        pytest.raises(UserError, match=r"No space left on device .*TMPDIR names another folder"),
        prepared(parse("HEAD"), parse("path=."), tmp_path),
    ):
        pass
    assert list(temporary.iterdir()) == []
    assert state(pure) == before


@pytest.mark.parametrize("phase", ["_lay", "_arms", "_compile"])
def test_ctrl_c_in_each_phase_leaves_nothing(
    pure: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    before, calls = state(pure), list[str]()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    usual = getattr(preparing, phase)

    def playing(*arguments: object) -> object:
        calls.append(phase)
        if len(calls) == 2 or phase == "_arms":
            raise KeyboardInterrupt
        return usual(*arguments)

    monkeypatch.setattr(preparing.tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(preparing, phase, playing)
    with pytest.raises(KeyboardInterrupt), prepared(parse("HEAD"), parse("path=."), tmp_path):
        pass
    assert list(temporary.iterdir()) == []
    assert state(pure) == before
