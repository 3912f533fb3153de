"""How runs end, for real: Ctrl-C, kill -9, and no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gilbench.machine import usable_cpus
from gilbench.results.result_file import load

pytestmark = [
    pytest.mark.serial,
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
]
COMMAND = [sys.executable, "-m", "gilbench", "run", "sleep", "--size", "small", "--name", "x", "--seed", "3"]
SELECT = ["--scheduler", "threads", "--scheduler", "processes", "--scheduler", "distributed"]
SELECT += ["--workers", str(usable_cpus()), "--max-observations", "2"]


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [*COMMAND, *SELECT, "-o", str(folder), *more]
    # A group of its own, as a shell's foreground job has; the workers must not need the terminal's signal.
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for_observations(folder: Path, count: int) -> None:
    journal, deadline = folder / "x.jsonl", time.monotonic() + 120
    while not journal.exists() or len(journal.read_text().splitlines()) < count + 1:
        assert time.monotonic() < deadline, "nothing was measured"
        time.sleep(0.05)


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def wait_for_descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = descendants(process)
        if len(found) > 1:  # a worker, and a process of its pool or cluster
            return found
        time.sleep(0.01)
    raise AssertionError("no worker with processes of its own was seen")


def assert_gone(processes: list[psutil.Process], seconds: float) -> None:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_within_two_seconds_keeps_everything_and_says_how_to_go_on(tmp_path: Path, number: int) -> None:
    run = start(tmp_path)
    wait_for_observations(tmp_path, 3)
    started = wait_for_descendants(run)
    before = time.monotonic()
    run.send_signal(number)
    _, err = run.communicate(timeout=30)
    assert time.monotonic() - before < 2.0
    assert run.returncode == 130
    assert f"continue with `gilbench run --resume --name x -o {tmp_path}`" in err
    assert "Traceback" not in err
    assert_gone(started, 1.0)
    kept = len(load(tmp_path / "x.json").observations)
    assert kept >= 3
    run = start(tmp_path, "--resume")
    _, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    result = load(tmp_path / "x.json")
    assert len(result.observations) == 2 * len(result.plan.cases)


def test_kill_9_loses_at_most_the_observation_in_flight_and_leaves_no_process(tmp_path: Path) -> None:
    run = start(tmp_path)
    wait_for_observations(tmp_path, 2)
    started = wait_for_descendants(run)
    written = len((tmp_path / "x.jsonl").read_text().splitlines()) - 1
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=30)
    assert_gone(started, 5.0)
    assert len(load(tmp_path / "x.json").observations) >= written, "an unfinished run can be shown from its journal"
    run = start(tmp_path, "--resume")
    _, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    result = load(tmp_path / "x.json")
    pairs = [(o.round, o.case.name) for o in result.observations]
    assert len(pairs) == len(set(pairs)) == 2 * len(result.plan.cases)


def test_a_result_is_written_where_it_was_asked_for_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    environment = {**os.environ, "GILBENCH_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "gilbench", "run", "csv_max_price", "--size", "tiny", "--scheduler", "threads"]
    command += ["-o", str(tmp_path / "out"), "--name", "y", "--max-observations", "1"]
    subprocess.run(command, check=True, cwd=tmp_path, env=environment, capture_output=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "home", "out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["y.json"]
