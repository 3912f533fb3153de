"""A canceled job, for real: SIGTERM ends every command as Ctrl-C does, and no process or folder is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = [
    pytest.mark.serial,
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
]


@pytest.mark.parametrize(
    "arguments",
    [["probe", "sleep"], ["advise", "sum_of_squares"], ["check", "--aa", "sum_of_squares"]],
    ids=lambda arguments: arguments[0],
)
def test_sigterm_ends_with_130_and_leaves_nothing_behind(tmp_path: Path, arguments: list[str]) -> None:
    project, temporary = tmp_path / "project", tmp_path / "temporary"
    project.mkdir()
    temporary.mkdir()
    command = [sys.executable, "-m", "gilbench", *arguments]
    environment = {**os.environ, "TMPDIR": str(temporary), "GILBENCH_CACHE": str(tmp_path / "cache")}
    process = subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    started: list[psutil.Process] = []
    deadline = time.monotonic() + 60
    while not any("gilbench." in part for child in started for part in command_line(child)):
        assert time.monotonic() < deadline and process.poll() is None, "no worker was seen"
        time.sleep(0.02)
        started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in err and "Traceback" not in err
    _, alive = psutil.wait_procs(started, timeout=5.0)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    assert not list(temporary.glob("gilbench-*"))


def command_line(process: psutil.Process) -> list[str]:
    """Return a process's command line; empty for one that has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []
