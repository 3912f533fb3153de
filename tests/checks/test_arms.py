"""Arms: specs, checkouts that leave the user's own alone, and mistakes in one line."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from gilbench.checks.arms import Spec, interpreter, parse, prepared
from gilbench.errors import UserError
from gilbench.process.environments import binary_of, environment


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout


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


def test_specs() -> None:
    assert parse("HEAD~1") == Spec("HEAD~1", rev="HEAD~1")
    assert parse("path=../x,python=3.13").path == "../x"
    assert parse("with=pandas==3.0.3").packages == ("pandas==3.0.3",)
    assert parse("rev=main,with=pandas>=3,<4,with=numpy==2.4").packages == ("pandas>=3,<4", "numpy==2.4")


@pytest.mark.parametrize("text", ["branch=main", "rev=", "rev=a,rev=b", "rev=a,path=b"])
def test_specs_that_are_none(text: str) -> None:
    with pytest.raises(UserError, match=r"not an arm|twice|leave one out"):
        parse(text)


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
        interpreter(Spec("", python=str(fake)), tmp_path)
    assert str(caught.value).startswith(f"python={fake} is ") and "\n" not in str(caught.value)


def test_the_interpreter_of_a_virtual_environment_keeps_its_packages(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    python = str(binary_of(tmp_path / "venv"))
    assert interpreter(Spec("", python=python), tmp_path) == python, "not the one that the environment was made from"


def test_an_interpreter_by_version_is_looked_for_on_the_path(tmp_path: Path) -> None:
    name = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = interpreter(Spec("", python=sys.executable), tmp_path)
    assert Path(found).samefile(sys.executable)
    assert parse(f"python={name}").python == name
