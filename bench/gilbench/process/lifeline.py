"""No process is left behind: a worker and all that it starts die with the run, however the run ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import psutil

GRACE = 0.3  # seconds that a process group has to end by itself


class Running(Protocol):
    """A worker, as Popen describes it: started by this process, or forked from a prepared one."""

    pid: int
    stdin: IO[Any] | None

    def poll(self) -> int | None:
        """Return how it ended, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ended. Raises subprocess.TimeoutExpired."""


def hold_on() -> None:
    """In a worker: end this process and all of its group as soon as the parent is gone.

    The parent holds the other end of our standard input and never writes. The read returns when it dies, even by SIGKILL.
    """
    lifeline = os.dup(0)

    def wait() -> None:
        os.read(lifeline, 1)
        die()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def die() -> None:
    """In a worker: end this process and all of its group, now."""
    if sys.platform != "win32":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def start(command: list[str], environment: dict[str, str], errors: int, **more: Any) -> subprocess.Popen[Any]:
    """In the parent: start a worker in a process group of its own.

    errors: file descriptor for what it prints. more: further arguments of Popen; they override the usual ones.
    """
    usual: dict[str, Any] = {
        "env": environment,
        "stdin": subprocess.PIPE,
        "stdout": errors,
        "stderr": errors,
        "start_new_session": sys.platform != "win32",
        "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    }
    return subprocess.Popen(command, **(usual | more))


def end(worker: Running) -> None:
    """In the parent: kill the worker and everything that it has started. Does nothing where all of it has ended."""
    if sys.platform != "win32":
        _end_group(worker)
    elif worker.poll() is None:
        _end_tree(worker.pid)
    worker.wait()
    if worker.stdin:
        with contextlib.suppress(BrokenPipeError):
            worker.stdin.close()


def _end_group(worker: Running) -> None:
    """Send a running group SIGTERM, then SIGKILL. multiprocessing's resource trackers ignore the first, and tidy up."""
    if sys.platform == "win32":
        return  # it has no process groups
    import psutil

    if worker.poll() is None:
        with contextlib.suppress(psutil.Error):
            group = psutil.Process(worker.pid).children(recursive=True)
            _signal(worker, signal.SIGTERM)
            deadline = time.monotonic() + GRACE
            while (worker.poll() is None or any(map(_runs, group))) and time.monotonic() < deadline:
                time.sleep(0.002)
    _signal(worker, signal.SIGKILL)


def _runs(process: psutil.Process) -> bool:
    """Return whether a process still runs. One that has ended may stay listed as a zombie."""
    import psutil

    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _signal(worker: Running, number: int) -> None:
    """Send a signal to a worker's group, if anything is left of it."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, number)


def _end_tree(pid: int) -> None:
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.Error):
                member.kill()


def signal_name(returncode: int) -> str:
    """Describe how a process ended: `killed by SIGKILL` or `exit code 3`."""
    if returncode < 0 and sys.platform != "win32":
        try:
            return f"killed by {signal.Signals(-returncode).name}"
        except ValueError:
            return f"killed by signal {-returncode}"
    return f"exit code {returncode}"
