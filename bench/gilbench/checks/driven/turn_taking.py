"""What a kind of benchmark does in a child process: begin a benchmark, take turns on it, end it. Standard library only."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import inspect
import math
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

from gilbench.cases.benchmark import Benchmark
from gilbench.errors import Failure, describe

TURN = 0.004
"""Seconds that one turn takes at least: the shorter, the less the machine changes between neighboring turns."""
MOST_LOOPS = 10_000_000
"""Calls in one turn at most: what takes less than a nanosecond does nothing."""
MOST_PRINTED = 1_000_000
"""Bytes of output of one benchmark that are kept while the process lives."""


@dataclass(frozen=True)
class Task:
    """What a child process is asked to do.

    kind: the module in gilbench.checks.discover. tree: the arm's folder. files: those that hold the benchmarks, relative to
    the tree. order: the benchmarks to take turns on; None to list all that there are. loops: name -> calls in one turn, where
    they are known. calibrates: whether to find the others; one arm does it for both. slowdown: fraction to be slower by.
    settings: what the kind needs besides, as its `find` returned it. profile: whether to profile instead of taking turns.
    """

    kind: str
    tree: str
    files: tuple[str, ...] = ()
    order: tuple[str, ...] | None = None
    loops: Mapping[str, int] = field(default_factory=dict)
    calibrates: bool = False
    slowdown: float = 0.0
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    profile: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Task:
        """Read plain data, as dataclasses.asdict gives it."""
        order = data["order"]
        return cls(**{**data, "files": tuple(data["files"]), "order": None if order is None else tuple(order)})


@dataclass(frozen=True)
class Listing:
    """What the files hold. failures: file -> why it could not be read. not_compared: benchmarks that take no time, and why."""

    benchmarks: Sequence[Benchmark] = ()
    failures: Mapping[str, Failure] = field(default_factory=dict)
    not_compared: Sequence[str] = ()


Timed = Callable[[int], float]
"""Calls what is timed as often as it is told; returns the seconds that this took, all together."""


class Calls:
    """Times calls of a function without arguments; `result` is what the last call returned."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call = call
        self.result: Any = None

    def __call__(self, loops: int) -> float:
        """Call it; return the seconds. Results are dropped at once, as timeit does it, all but the last one."""
        call, again = self.call, repeat(None, loops - 1)
        self.result = None
        start = time.perf_counter()
        for _ in again:
            call()
        self.result = call()
        return time.perf_counter() - start


def timed_command(words: Sequence[str]) -> Timed:
    """Return what runs a program and waits for it. It raises CommandFailed where the program fails.

    `python` is the interpreter of this process, and the programs beside it come first, as in an activated environment.
    """
    python = Path(sys.executable)
    command = [str(python) if words[0] in ("python", "python3") else words[0], *words[1:]]
    environment = {**os.environ, "PATH": os.pathsep.join((str(python.parent), os.environ.get("PATH", "")))}

    def once() -> None:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            check=False,
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "it printed nothing").splitlines()[-1]
            raise CommandFailed(f"exit code {done.returncode}: {said}")

    return Calls(once)


class CommandFailed(Exception):
    """A program ended with another exit code than 0."""


class Turns:
    """Speaks for the benchmark that is open. `say` sends an answer; `granted` gives the loops of each turn, 0 to end it."""

    def __init__(self, task: Task, say: Callable[..., None], granted: queue.SimpleQueue[str]) -> None:
        self.task = task
        self._say, self._granted = say, granted
        self._open: str | None = None
        self._remarks: list[str] = []
        self._before: tuple[Path, set[threading.Thread]] = (Path.cwd(), set())
        self._seen: set[str] = set()

    def started(self) -> None:
        """Say that everything is imported, and that the first benchmark comes next."""
        self._say(started=True)

    def begin(self, name: str) -> None:
        """Begin a benchmark, before anything of it runs."""
        gc.collect()
        gc.freeze()  # so that what other benchmarks left does not lengthen this one's collections
        self._open, self._remarks = name, []
        self._before = (Path.cwd(), set(threading.enumerate()))

    def take(self, timed: Timed, watched: object = None) -> None:
        """Answer turns until the parent ends them. Raises whatever the benchmark raises.

        watched: arguments that the benchmark gets; they are compared before and after the first call.
        """
        name, printed = self._open, _printed()
        assert name is not None, "no benchmark is open"
        loops = self.task.loops.get(name, 0)
        seconds = 0.0
        if not loops and self.task.calibrates:
            loops, seconds = self._calibrate(timed, watched)
        ran = bool(seconds)
        self._say(benchmark=name, ready=loops, seconds=seconds, sources=self._sources())
        while loops := int(self._granted.get()):
            taken = timed(loops)
            if self.task.slowdown:
                taken += _wait(taken * self.task.slowdown)
            self._say(benchmark=name, value=taken / loops)
            ran = True
        if not ran:  # the other arm failed: whether this one does too is worth knowing
            timed(1)
        if _printed() > printed:
            self.remark("prints")

    def say(self, **answer: Any) -> None:
        """Answer for the benchmark that is open."""
        self._say(benchmark=self._open, **answer)

    def remark(self, text: str) -> None:
        """Keep something that is worth a line, once for each benchmark."""
        if text not in self._remarks:
            self._remarks.append(text)

    def end(self, failure: Failure | None = None, name: str | None = None) -> None:
        """End the benchmark that is open, or report on one that never began, named `name`."""
        leaves = self._left() if self._open else False
        self._say(
            benchmark=name or self._open,
            ended=True,
            failed=without_tree(failure, self.task.tree).as_json() if failure else None,
            remarks=self._remarks if self._open else [],
            leaves=leaves,
        )
        self._open = None

    def _calibrate(self, timed: Timed, watched: object) -> tuple[int, float]:
        """Return how many calls make a turn, and the seconds of one."""
        before = _image(watched)
        loops, seconds = 1, timed(1)
        if before is not None and _image(watched) != before:
            self.remark("changes its arguments, so later calls get others than the first")
        first = getattr(timed, "result", None)
        if inspect.isgenerator(first) or inspect.iscoroutine(first):
            self.remark(f"returns a {type(first).__name__}, of which nothing runs here: read it in the benchmark")
        if seconds < TURN:
            timed(1)  # the first call of all is slower than later ones, and tells little
            if _differ(first, getattr(timed, "result", None)):
                self.remark("returns something else from call to call")
            while seconds < TURN and loops < MOST_LOOPS:
                enough = math.ceil(1.1 * loops * TURN / max(seconds, 1e-9))
                loops = min(max(loops + 1, enough), 10 * loops, MOST_LOOPS)
                seconds = timed(loops)
        return loops, seconds / loops

    def _left(self) -> bool:
        """Undo and note what the benchmark left behind; return whether something still runs, which would disturb others."""
        folder, threads = self._before
        try:
            moved = Path.cwd() != folder
        except OSError:
            moved = True
        if moved:
            self.remark("changes the working folder")
            os.chdir(folder)
        left = [thread for thread in threading.enumerate() if thread not in threads and thread.is_alive()]
        if left:
            self.remark(f"leaves {len(left)} thread{'s' if len(left) > 1 else ''} running")
        if _printed() > MOST_PRINTED:
            os.ftruncate(2, 0)
            os.lseek(2, 0, os.SEEK_SET)
        return bool(left)

    def _sources(self) -> dict[str, str]:
        """Return file -> digest for each module that was imported from the arm's tree since this was last asked."""
        tree, found = Path(self.task.tree), {}
        for name, module in list(sys.modules.items()):
            if name in self._seen:
                continue
            self._seen.add(name)
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and Path(file).is_relative_to(tree) and Path(file).is_file():
                digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]
                found[Path(file).relative_to(tree).as_posix()] = digest
        return found


def failure_of(error: BaseException) -> Failure:
    """Return how to report what a benchmark raised. SystemExit is an error like any other here."""
    return Failure("raised", describe(error))


def without_tree(failure: Failure, tree: str) -> Failure:
    """Return a failure whose reason names files relative to the arm's tree, whose own name says nothing to anybody."""
    return Failure(failure.kind, failure.reason.replace(f"{tree}{os.sep}", ""))


def _wait(seconds: float) -> float:
    start = time.perf_counter()
    while (gone := time.perf_counter() - start) < seconds:
        pass
    return gone


def _printed() -> int:
    """Return how many bytes are in the file that standard output and error go to; 0 where it is no file."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return os.fstat(2).st_size


def _image(watched: object) -> bytes | None:
    """Return the arguments as bytes, to see whether they change; None for what cannot be pickled."""
    if watched is None:
        return None
    try:
        return pickle.dumps(watched)
    except Exception:  # noqa: BLE001 - whatever pickling somebody's objects raises: they are not watched then
        return None


def _differ(first: object, second: object) -> bool:
    """Return whether two results certainly differ: they say so themselves, and so do their bytes."""
    if type(first).__eq__ is object.__eq__ or type(first) is not type(second):
        return type(first) is not type(second)
    try:
        return not bool(first == second) and pickle.dumps(first) != pickle.dumps(second)
    except Exception:  # noqa: BLE001 - such as arrays, whose comparison is no truth value: nothing is known then
        return False
