"""Talking to a live child process, from both ends: lines go to its standard input, JSON lines come back."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TextIO, TypeVar, cast

from gilbench.console import printable
from gilbench.errors import Failure
from gilbench.process import lifeline

P = ParamSpec("P")
T = TypeVar("T")


class Broken(Exception):
    """The child failed. kind, reason: as in a Failure."""

    def __init__(self, kind: str, reason: str) -> None:
        self.failure = Failure(kind, reason)
        super().__init__(str(self.failure))

    @property
    def kind(self) -> str:
        """What happened, in a word or two."""
        return self.failure.kind

    @property
    def reason(self) -> str:
        """Why, in one line."""
        return self.failure.reason


# --- In the parent


class Talk:
    """Starts `command ORDER_FILE` in a process group of its own, with the order as JSON in that file.

    timeout: seconds for each answer. scratch: folder for the order and for what the child prints, until it ends.
    more: further arguments of Popen.
    """

    def __init__(
        self,
        command: Sequence[str],
        order: Mapping[str, Any],
        environment: Mapping[str, str],
        timeout: float,
        scratch: Path | None = None,
        **more: Any,
    ) -> None:
        self.timeout = timeout
        self._scratch = Path(tempfile.mkdtemp(prefix="gilbench-", dir=scratch))
        file = self._scratch / "order.json"
        file.write_text(json.dumps(order))
        self._errors = (self._scratch / "printed.txt").open("wb")
        try:
            self.process = lifeline.start(
                [*command, str(file)],
                dict(environment),
                self._errors.fileno(),
                stdout=subprocess.PIPE,
                text=True,
                **more,
            )
        except BaseException:  # Ctrl-C too: nobody else knows of the folder yet
            self._errors.close()
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise

    def say(self, line: str) -> None:
        """Send a line. Whether the child is still there shows in `hear`."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def hear(self) -> Mapping[str, Any]:
        """Wait for an answer. Raises Broken where the child died, reported a failure, or said nothing in time."""
        assert self.process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            lifeline.end(self.process)

        watchdog = threading.Timer(self.timeout, give_up)
        watchdog.start()
        try:
            line = self.process.stdout.readline()
        finally:
            watchdog.cancel()
        if late.is_set():
            raise Broken("timeout", f"no answer within {self.timeout:g} s: see --timeout")
        if not line:
            self.process.wait()
            how = lifeline.signal_name(self.process.returncode)
            raise Broken("killed", f"{how}: {last_line(self._scratch / 'printed.txt')}")
        answer: Mapping[str, Any] = json.loads(line)
        if "failure" in answer:
            failure = Failure.from_json(answer["failure"])
            raise Broken(failure.kind, failure.reason)
        return answer

    def end(self) -> None:
        """End the process group and remove what it left."""
        lifeline.end(self.process)
        for stream in (self.process.stdout, self._errors):
            if stream:
                stream.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


def last_line(path: Path) -> str:
    """Return the last line that a child printed, shortened: where it died by itself, that line says why."""
    lines = path.read_text(errors="replace").strip().splitlines()
    return printable(lines[-1].strip()[:300]) if lines else "it printed nothing"


# --- In the child


def apart() -> TextIO:
    """Return a stream for answers. Whatever is printed from now on, here or by programs started here, goes elsewhere.

    Programs that tasks start find their standard input empty, because the questions come through it.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr  # which buffers nothing that would be lost when the process ends abruptly
    sys.stdin = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return answers


def listen() -> queue.SimpleQueue[str]:
    """Return the lines that the parent sends. When the parent is gone, this process and its group end too."""
    granted: queue.SimpleQueue[str] = queue.SimpleQueue()

    def wait() -> None:
        for line in sys.stdin:
            granted.put(line)
        lifeline.die()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
    return granted


def only_here(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function for this process only. Where a task forks, its child returns from the function too: it must end."""
    home = os.getpid()

    def here(*args: P.args, **kwargs: P.kwargs) -> T:
        result = function(*args, **kwargs) if os.getpid() == home else None
        if os.getpid() != home:
            os._exit(0)
        return cast(T, result)

    return here
