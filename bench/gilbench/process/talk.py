"""A live child process that is spoken to, from both ends: lines go to its standard input, JSON lines come back."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from gilbench.console import printable
from gilbench.process import lifeline


class Broken(Exception):
    """The child failed. kind and reason as in a Failure."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind, self.reason = kind, reason


class Talk:
    """Starts `command ORDER_FILE` in a process group of its own, with the order as JSON in that file.

    timeout: seconds for each answer. scratch: where the order and what the child prints lie while it lives.
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
        """Send a line. A child that is gone is told by `hear`."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def hear(self) -> Mapping[str, Any]:
        """Wait for an answer. Raises Broken where the child died, said how it failed, or said nothing in time."""
        from gilbench.process.talk import last_line

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
            raise Broken(*answer["failure"])
        return answer

    def end(self) -> None:
        """End the process group and remove what it left."""
        lifeline.end(self.process)
        for stream in (self.process.stdout, self._errors):
            if stream:
                stream.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


def apart() -> TextIO:
    """In the child: return a stream for answers; all that is printed from now on, or by programs started here, is none.

    Programs that tasks start find their standard input empty: it is where the questions come from.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr  # which keeps nothing back when the process ends abruptly
    sys.stdin = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return answers


def listen() -> queue.SimpleQueue[str]:
    """In the child: return the lines that the parent sends; when it is gone, this process and its group end too."""
    granted: queue.SimpleQueue[str] = queue.SimpleQueue()

    def wait() -> None:
        for line in sys.stdin:
            granted.put(line)
        lifeline.die()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
    return granted


def last_line(path: Path) -> str:
    """Return the last line that a worker printed, shortened: where it died of its own, that says why."""
    lines = path.read_text(errors="replace").strip().splitlines()
    return printable(lines[-1].strip()[:300]) if lines else "it printed nothing"
