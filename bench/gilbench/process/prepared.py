"""Prepared processes: they have imported what many observations need, have started no thread, and fork once for each.

A fresh interpreter spends half a second and more on imports before it can measure anything. A prepared process spends them
once. What it forks has a memory of its own, a main thread, and nothing that another observation could have left behind.

Linux only: elsewhere, forking a process that has loaded libraries is not safe, or not possible.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from gilbench.process import lifeline

POSSIBLE: Final = sys.platform == "linux" and hasattr(os, "pidfd_open")
REAP = "reap\n"

# Threads that may be there when a process forks. pyarrow's jemalloc starts one that returns memory to the system, and stops
# it for what is forked (pthread_atfork(3)); pyarrow's default allocator is another one.
HARMLESS: Final = ("jemalloc_bg_thd",)


# --- In the parent


class Unprepared(Exception):
    """The process could not be prepared: it failed to import something, or imports started a thread."""


class Prepared:
    """Starts `command`, which must call `serve`, and asks it for forks.

    environment: all its variables. errors: file descriptor for what it prints. timeout: seconds until it must be ready.
    Raises Unprepared.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], errors: int, timeout: float) -> None:
        self._process = lifeline.start(list(command), dict(environment), errors, stdout=subprocess.PIPE, bufsize=0)
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        self._answers, self._questions = self._process.stdout.fileno(), self._process.stdin.fileno()
        self._unread = b""
        try:
            ready = self.hear(timeout)
            if ready["threads"]:
                raise Unprepared(f"its imports started threads: {', '.join(ready['threads'])}")
        except BaseException:
            self.end()
            raise

    def fork(self, job: object, printed: Path) -> Forked:
        """Fork a process that runs the job; what it prints goes to the file `printed`. Raises Unprepared."""
        self.say(json.dumps({"job": job, "printed": str(printed)}) + "\n")
        return Forked(self, int(self.hear(None)["pid"]))

    def say(self, line: str) -> None:
        """Send a line. Whether the process is still there shows in `hear`."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._questions, line.encode())

    def hear(self, timeout: float | None) -> Mapping[str, Any]:
        """Return its next answer. Raises Unprepared where it is gone, and TimeoutError after `timeout` seconds."""
        while b"\n" not in self._unread:
            if not select.select([self._answers], [], [], timeout)[0]:
                raise TimeoutError
            more = os.read(self._answers, 4096)
            if not more:
                raise Unprepared("it ended")
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            answer: Mapping[str, Any] = json.loads(line)
        except ValueError:
            raise Unprepared("it is not what was started") from None
        return answer

    def end(self) -> None:
        """End it. What it has forked ends with it."""
        lifeline.end(self._process)
        if self._process.stdout:
            self._process.stdout.close()


class Forked:
    """A process that a prepared one has forked, with as much of Popen's interface as `lifeline.end` needs."""

    def __init__(self, prepared: Prepared, pid: int) -> None:
        self.stdin: IO[Any] | None = None  # the prepared process holds the other end of its lifeline
        self._prepared = prepared
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how it ended, or None while it runs."""
        try:
            return self.wait(0.0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ended, as Popen does. Raises subprocess.TimeoutExpired.

        Until `forget`, its id is not given to another process, so that its group can be ended safely.
        """
        if self.returncode is None:
            try:
                self.returncode = int(self._prepared.hear(timeout)["returncode"])
            except TimeoutError:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0) from None
            except Unprepared:
                self.returncode = -signal.SIGKILL  # it dies with the process that forked it
        return self.returncode

    def forget(self) -> None:
        """Let its id go, once it and its group have ended."""
        self._prepared.say(REAP)


# --- In the prepared process


def serve(prepare: Callable[[], object], run: Callable[[Any], None]) -> None:
    """Prepare; then fork a process for each line on standard input, and let it `run` the job in that line.

    Returns when input ends. What is printed meanwhile goes to standard error.
    """
    answers = os.dup(1)
    os.dup2(2, 1)
    lines = iter_lines(0)
    prepare()

    def say(**answer: Any) -> None:
        os.write(answers, json.dumps(answer).encode() + b"\n")

    say(threads=threads_besides_main())
    for line in lines:
        request = json.loads(line)
        life, ours = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ours)
            os.close(answers)
            be_forked(life, request["printed"], partial(run, request["job"]))
        os.close(life)
        own_group(pid)
        say(pid=pid)
        say(returncode=returncode_of(pid))
        if next(lines, None) != REAP:
            return
        os.waitpid(pid, 0)
        os.close(ours)


def be_forked(life: int, printed: str, run: Callable[[], None]) -> None:
    """In the forked process: run, with a process group and streams of its own, and never return.

    life: a pipe whose other end only the prepared process holds. It becomes standard input, where `lifeline.hold_on` reads.
    """
    code = 1
    try:
        own_group(0)
        os.dup2(life, 0)
        os.close(life)
        to = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(to, 1)
        os.dup2(to, 2)
        os.close(to)
        run()
        code = 0
    except BaseException:  # noqa: BLE001 - it must not go on as a second prepared process
        traceback.print_exc()
    finally:
        os._exit(code)


def own_group(pid: int) -> None:
    """Give a process a group of its own. Both ends do it, so that it has one whoever is first."""
    # One of them comes second, and the process may have ended since.
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)


def returncode_of(pid: int) -> int:
    """Wait until a child ends, and return how, as Popen does. Kill it where standard input ends before it does.

    The child stays a zombie, so that its id is not given to another process.
    """
    ended = os.pidfd_open(pid)
    try:
        ready, _, _ = select.select([0, ended], [], [])
        if ended not in ready:
            os.killpg(pid, signal.SIGKILL)
        how = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert how is not None
        return how.si_status if how.si_code == os.CLD_EXITED else -how.si_status
    finally:
        os.close(ended)


def iter_lines(descriptor: int) -> Iterator[str]:
    """Yield lines as soon as they are there, and read no further than the line: nothing is buffered in what is forked."""
    line = b""
    while character := os.read(descriptor, 1):
        line += character
        if character == b"\n":
            yield line.decode()
            line = b""


def threads_besides_main() -> list[str]:
    """Return the names of this process's other threads that make a fork unsafe, also those that Python does not know of."""
    tasks = Path("/proc/self/task")
    names = [(task / "comm").read_text().strip() for task in tasks.iterdir() if int(task.name) != os.getpid()]
    return [name for name in names if name not in HARMLESS]
