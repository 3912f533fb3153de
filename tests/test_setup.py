"""The setup files agree with each other; `make test` itself shows that they really set up."""

import os
import re
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
TARGETS = ["setup", "bench", "plots", "report", "check", "test", "lint", "format", "lock", "clean"]


def locked() -> dict[Requirement, list[str]]:
    """Return each pinned requirement of the lock with its hashes."""
    lines = [line for line in LOCK.replace("\\\n", " ").splitlines() if line and not line.lstrip().startswith("#")]
    parts = [re.split(r"\s+--hash=", line.strip()) for line in lines]
    return {Requirement(requirement): hashes for requirement, *hashes in parts}


def declared() -> list[Requirement]:
    """Return every requirement of pyproject.toml: to run, to develop and to build."""
    wanted = (
        PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"] + PROJECT["build-system"]["requires"]
    )
    return [Requirement(text) for text in wanted]


def run_make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("no make on this machine")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=inherited | environment, capture_output=True, text=True, timeout=60
    )


def test_an_editable_install_is_a_plain_path() -> None:
    """An import hook in its place would double the start of every process."""
    paths = Path(sysconfig.get_path("purelib")).glob("*gilbench*.pth")
    assert [path.read_text().strip() for path in paths] == [str(ROOT / "bench")]


@pytest.fixture(scope="module")
def help_text() -> str:
    return run_make("help").stdout


@pytest.mark.parametrize("target", TARGETS)
def test_help_lists_the_target(help_text: str, target: str) -> None:
    assert re.search(rf"^\s*make {target}\s+\w", help_text, re.MULTILINE)


def test_help_is_what_a_bare_make_shows(help_text: str) -> None:
    assert run_make().stdout == help_text


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["bench"], "gilbench run --profile default"),
        (["bench", "PROFILE=quick", "ARGS=--seed 1"], "gilbench run --profile quick --seed 1"),
        (["plots"], "gilbench plot  -o plots"),
        (["plots", "RESULT=results/quick.json"], "gilbench plot results/quick.json -o plots"),
        (["check"], 'gilbench check --base "origin/main"'),
        (["check", "BASE=HEAD~1"], 'gilbench check --base "HEAD~1"'),
    ],
)
def test_target_runs_the_command(arguments: list[str], command: str) -> None:
    shown = run_make("--dry-run", *arguments, ARGS="", BASE="origin/main", PROFILE="default", RESULT="").stdout
    assert shown.rstrip().splitlines()[-1].rstrip().endswith(command)


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_an_unusable_python_is_refused_in_one_line_before_anything_is_removed(tmp_path: Path, python: str) -> None:
    for name in ["Makefile", "pyproject.toml", "requirements.lock"]:
        shutil.copy(ROOT / name, tmp_path)
    mine = tmp_path / ".venv" / "mine"
    mine.parent.mkdir()
    mine.touch()
    refused = run_make("-C", str(tmp_path), "setup", f"PYTHON={python}")
    assert refused.returncode != 0
    first, *others = refused.stderr.splitlines()
    assert first == f"gilbench needs Python 3.11 or newer, but there is no {python}; choose one with PYTHON=..."
    assert all(line.startswith("make") for line in others)
    assert mine.exists()


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for an interpreter")
def test_an_old_python_is_refused_with_its_version(tmp_path: Path) -> None:
    for name in ["Makefile", "pyproject.toml", "requirements.lock"]:
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\ncase "$2" in *version_info*) exit 1 ;; *) echo 3.9.1 ;; esac\n')
    old.chmod(0o755)
    refused = run_make("-C", str(tmp_path), "setup", f"PYTHON={old}")
    assert refused.stderr.splitlines()[0] == (
        f"gilbench needs Python 3.11 or newer, but {old} is 3.9.1; choose one with PYTHON=..."
    )


def test_ci_runs_the_readme_commands_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("make")] == ["make lint", "make test"]


def test_lock_names_no_address_and_no_folder() -> None:
    assert not re.search(r"://|--(index|extra|find)|file:|@ |^-|(^|\s)[~/.]+/", LOCK, re.MULTILINE)


def test_every_locked_requirement_is_pinned_and_hashed() -> None:
    assert len(locked()) > 40
    for requirement, hashes in locked().items():
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), requirement


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("wanted", declared(), ids=str)
def test_lock_satisfies_pyproject(wanted: Requirement, python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    if wanted.marker and not wanted.marker.evaluate(environment):
        return
    pins = [
        next(iter(pin.specifier)).version
        for pin in locked()
        if canonicalize_name(pin.name) == canonicalize_name(wanted.name)
        and (pin.marker is None or pin.marker.evaluate(environment))
    ]
    assert len(pins) == 1, f"{wanted.name} on Python {python}: run `make lock`"
    assert wanted.specifier.contains(pins[0]), f"{wanted.name} {pins[0]}: run `make lock`"
