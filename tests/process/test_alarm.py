"""A limit on the user's own code in this process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gilbench.errors import UserError
from gilbench.process.alarm import within

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="POSIX timers")


def test_code_that_takes_too_long_is_interrupted_even_if_it_catches_the_error() -> None:
    with pytest.raises(UserError, match="too long"), within(0.05, "too long"):
        with contextlib.suppress(Exception):
            time.sleep(60)
        time.sleep(60)


def test_code_that_ends_in_time_is_left_alone_and_so_is_the_handler_before() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with within(0.1, "too long"):
        pass
    time.sleep(0.2)
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_other_threads_are_not_limited() -> None:
    done = []

    def run() -> None:
        with within(0.01, "too long"):
            time.sleep(0.1)
            done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [True]


@pytest.mark.parametrize("command", ["run", "probe", "advise"])
@pytest.mark.parametrize("code", ["import time; time.sleep(600)", "while True: pass", "input()"])
def test_a_file_whose_import_never_ends_is_one_line(tmp_path: Path, command: str, code: str) -> None:
    (tmp_path / "endless.py").write_text(f"{code}\ndef work(): pass\n")
    reading, writing = os.pipe()  # a standard input that never ends and has nothing to say
    try:
        done = subprocess.run(
            [sys.executable, "-m", "gilbench", command, "endless.py:work", "--timeout", "1"],
            cwd=tmp_path,
            stdin=reading,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert done.returncode == 2
    line = "'endless.py:work' does not load within 1 s: move what takes so long out of the import, or see --timeout"
    assert done.stderr.splitlines()[-1].endswith(line)
    assert "Traceback" not in done.stderr
