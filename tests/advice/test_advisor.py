"""`gilbench advise` as a command: once for real, and what a user gets wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from gilbench.machine import usable_cpus

SOURCE = """
import time

def wait(seconds):
    time.sleep(seconds)
    return seconds

def fails(item):
    raise ValueError("no such thing")

def lambdas(item):
    return lambda: item
"""


def advise(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "mine.py").write_text(SOURCE)
    command = [sys.executable, "-m", "gilbench", "advise", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)


@pytest.mark.serial
def test_waiting_is_shared_out(tmp_path: Path) -> None:
    """This is the one kind of work that gains from threads on any machine, however busy."""
    done = advise(tmp_path, "mine.py:wait", "--items", "[0.05] * 40", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["advice"]["scheduler"] == "threads"
    assert found["advice"]["threads"] > min(usable_cpus(), 4)
    assert found["speedup"]["value"] > 1.3
    assert found["gil"]["held"] is None or found["gil"]["held"]["value"] < 0.5
    assert {contender["scheduler"] for contender in found["contenders"]} >= {
        "sync",
        "threads",
        "processes",
        "distributed",
    }
    assert done.stderr.splitlines()[0] == "probing mine.py:wait"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mine.py:wiat", "--items", "[1]"], "did you mean wait?"),
        (["mine.py:fails", "--items", "[1]"], "no such thing"),
        (["mine.py:wait", "--items", "[]"], "no items"),
        (["sum_of_square"], "did you mean sum_of_squares?"),
        (["sum_of_squares", "--size", "huge"], "no size is named 'huge'"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = advise(tmp_path, *arguments)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if not line.startswith("probing ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert done.stdout == ""


@pytest.mark.serial
def test_what_cannot_be_pickled_is_said_and_the_rest_advised(tmp_path: Path) -> None:
    done = advise(tmp_path, "mine.py:lambdas", "--items", "range(4)")
    assert done.returncode == 0, done.stderr
    assert "mine.py:lambdas: sync" in done.stdout or "mine.py:lambdas: threads" in done.stdout


@pytest.mark.serial
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_ends_it_with_all_that_it_started(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SOURCE)
    command = [sys.executable, "-m", "gilbench", "advise", "mine.py:wait", "--items", "[0.05] * 40"]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    while not running.stderr.readline().startswith("racing"):
        assert running.poll() is None
    started = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.splitlines()[-1] == "interrupted"
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
