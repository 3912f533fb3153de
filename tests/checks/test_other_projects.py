"""A check in somebody else's repository, for real: its folders may have the names of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checks.arms.repositories import git

pytestmark = pytest.mark.serial


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git repository with packages `bench`, `workloads`, and `tests` of its own, and a changed working tree."""
    folder = tmp_path / "project"
    for name in ("bench", "workloads", "tests"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise ImportError('this is not what gilbench needs')\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / "bench" / "more.py").write_text("MORE = 1\n")
    return folder


def test_packages_called_bench_and_workloads_do_not_hide_ours(project: Path, tmp_path: Path) -> None:
    verdicts = tmp_path / "verdicts.json"
    command = [sys.executable, "-m", "gilbench", "check", "--base", "HEAD", "sum_of_squares", "--max-time", "20"]
    command += [
        "--scheduler",
        "sync",
        "--scheduler",
        "processes",
        "--json",
        str(verdicts),
        "-o",
        str(tmp_path / "results"),
    ]
    done = subprocess.run(
        command,
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GILBENCH_CACHE": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    cases = json.loads(verdicts.read_text())["cases"]
    assert {case["case"].split(":")[2] for case in cases} == {"sync", "processes"}
    for case in cases:
        assert case["kind"] in ("same", "inconclusive", "improvement"), case
        assert case["n"] > 0 and case["reason"] == "", case
    assert "imported from the trees: 0 files" in done.stdout, "the workloads are gilbench's, not the project's"
    assert git(project, "worktree", "list").count("\n") == 1
