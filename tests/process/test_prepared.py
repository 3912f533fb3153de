"""Prepared processes, for real: each fork is a process of its own, and nothing is left, however it or its parents end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gilbench.process import lifeline
from gilbench.process.prepared import POSSIBLE, Forked, Prepared, Unprepared

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="needs Linux")

PREPARE = """
import os, subprocess, sys, threading, time
from gilbench.process import lifeline, prepared
seen = []
def run(job):
    lifeline.hold_on()
    seen.append(job)
    print(f"seen {seen} in group {os.getpgid(0) == os.getpid()}", flush=True)
    if job == "fail":
        raise ValueError("no")
    if job == "exit":
        os._exit(3)
    if job == "sleep":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(child.pid, flush=True)
        time.sleep(60)
"""
SERVE = PREPARE + "prepared.serve(lambda: print('imported'), run)\n"


def prepare(code: str = SERVE) -> Prepared:
    return Prepared([sys.executable, "-c", code], os.environ, 2, timeout=30)


@pytest.fixture
def ready() -> Iterator[Prepared]:
    process = prepare()
    yield process
    process.end()


def finish(forked: Forked, seconds: float = 30) -> int:
    try:
        return forked.wait(seconds)
    finally:
        lifeline.end(forked)
        forked.forget()


def wait_until(true: object) -> None:
    deadline = time.monotonic() + 20
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sleeping(ready: Prepared, printed: Path) -> tuple[Forked, list[psutil.Process]]:
    """Fork a process that sleeps and has started another one; return it and both."""
    forked = ready.fork("sleep", printed)
    wait_until(lambda: printed.exists() and len(printed.read_text().splitlines()) == 2)
    child = int(printed.read_text().splitlines()[1])
    return forked, [psutil.Process(forked.pid), psutil.Process(child)]


def assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_each_fork_has_a_memory_a_group_and_a_file_of_its_own(ready: Prepared, tmp_path: Path) -> None:
    for job in ("a", "b"):
        assert finish(ready.fork(job, tmp_path / job)) == 0
        assert (tmp_path / job).read_text() == f"seen ['{job}'] in group True\n"


def test_how_a_fork_ended_is_said_as_popen_says_it(ready: Prepared, tmp_path: Path) -> None:
    assert finish(ready.fork("fail", tmp_path / "fail")) == 1
    assert (tmp_path / "fail").read_text().splitlines()[-1] == "ValueError: no"
    assert finish(ready.fork("exit", tmp_path / "exit")) == 3
    forked, _ = sleeping(ready, tmp_path / "sleep")
    assert forked.poll() is None
    os.kill(forked.pid, signal.SIGKILL)
    assert finish(forked) == -signal.SIGKILL
    assert finish(ready.fork("a", tmp_path / "a")) == 0, "the next one is not affected"


def test_a_fork_that_takes_too_long_is_ended_with_all_that_it_started(ready: Prepared, tmp_path: Path) -> None:
    forked, processes = sleeping(ready, tmp_path / "sleep")
    with pytest.raises(subprocess.TimeoutExpired):
        finish(forked, 0.1)
    assert_gone(processes)


def test_a_fork_ends_with_the_prepared_process(ready: Prepared, tmp_path: Path) -> None:
    forked, processes = sleeping(ready, tmp_path / "sleep")
    os.kill(psutil.Process(forked.pid).ppid(), signal.SIGKILL)
    assert finish(forked) == -signal.SIGKILL
    assert_gone(processes)
    with pytest.raises(Unprepared, match="it ended"):
        ready.fork("a", tmp_path / "a")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_program_that_prepared_it_is_killed(tmp_path: Path, number: int) -> None:
    printed = tmp_path / "printed"
    program = (
        "import os, sys, time\nfrom pathlib import Path\nfrom gilbench.process.prepared import Prepared\n"
        f"ready = Prepared([sys.executable, '-c', {SERVE!r}], os.environ, 2, 30)\n"
        f"ready.fork('sleep', Path({str(printed)!r}))\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    try:
        wait_until(lambda: printed.exists() and len(printed.read_text().splitlines()) == 2)
        below = psutil.Process(parent.pid).children(recursive=True)
        assert len(below) == 3
        os.kill(parent.pid, number)
        parent.wait(10)
        assert_gone(below)
    finally:
        parent.kill()


def test_a_process_whose_imports_start_a_thread_is_not_forked() -> None:
    thread = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start"
    with pytest.raises(Unprepared, match="its imports started threads: "):
        prepare(PREPARE + f"prepared.serve({thread}, run)\n")


def test_a_process_that_cannot_import_is_not_prepared() -> None:
    with pytest.raises(Unprepared, match="it ended"):
        prepare("import no_such_module")
    with pytest.raises(Unprepared, match="it is not what was started"):
        prepare("print('hello')")


def test_a_process_that_is_not_ready_in_time_is_ended() -> None:
    with pytest.raises(TimeoutError):
        Prepared([sys.executable, "-c", "import time; time.sleep(60)"], os.environ, 2, timeout=0.2)
