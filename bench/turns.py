"""The inside of a live worker of the regression check: opens one case, then measures one value for each line it is sent:
the number of computes behind it.

    python -m bench.turns ORDER.json

Speaks JSON lines: first what it is (or how it failed), then one value in seconds for each turn. The worker of the other arm
does the same by turns, so that whatever lasts longer than a turn hits both alike.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from bench import layout, lifeline
from bench.worker import Order, WrongAnswer, check, compute_of, describe

TURN = 0.004  # seconds that one turn takes at least: the shorter, the less the machine changes between neighbours


def main(order_path: str) -> None:
    """Measure by turns until standard input closes."""
    data = json.loads(Path(order_path).read_text())
    answers = apart()
    granted = listen()
    kept = layout.pile(data["order"]["seed"])

    def say(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        serve(Order.from_json(data["order"]), data["tree"], data["slowdown"], granted, say)
    except WrongAnswer as error:
        say(failure=["wrong answer", str(error)])
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a workload raises is a result: it is reported by name
        say(failure=["raised", describe(error)])
    del kept


def apart() -> TextIO:
    """Return a stream for answers; from now on all that is printed here, or by programs started here, is no answer.

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
    """Return the lines that the parent sends, one turn each; when the parent is gone, so is this process and its group."""
    granted: queue.SimpleQueue[str] = queue.SimpleQueue()

    def wait() -> None:
        for line in sys.stdin:
            granted.put(line)
        lifeline.die()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
    return granted


def serve(order: Order, tree: str, slowdown: float, granted: queue.SimpleQueue[str], say: Callable[..., None]) -> None:
    """Open the order's case, check its answer, say what was imported, then answer each turn with one value."""
    import dask.delayed  # noqa: F401 - before anything is timed

    from bench import pins
    from bench.registry import all_workloads
    from bench.schedulers import Setup, Shape, all_schedulers

    case = order.case
    workload = all_workloads()[case.workload]
    setup = Setup(workload.modules, case.pinned)
    pins.prepare(setup.modules, setup.pinned)
    job = workload.build(**workload.sizes[case.size])
    with all_schedulers()[case.scheduler].open(Shape(case.workers, case.threads), setup) as opened:
        facts = check(order, workload, job, opened)
        compute = slowed(compute_of(job, opened.keywords, order.call), slowdown)
        loops = loops_for(compute, opened.settle)
        say(ready=loops, facts={**facts, "family": workload.family}, sources=sources(Path(tree)))
        while loops := int(granted.get()):
            seconds = 0.0
            for _ in range(loops):
                start = time.perf_counter()
                compute()
                seconds += time.perf_counter() - start
                if opened.settle:
                    opened.settle()
            say(value=seconds / loops)


def slowed(compute: Callable[[], Any], slowdown: float) -> Callable[[], Any]:
    """Return a compute that takes longer by a known fraction, busily, as a slower program would."""
    if not slowdown:
        return compute

    def slower() -> Any:
        start = time.perf_counter()
        result = compute()
        end = time.perf_counter() + slowdown * (time.perf_counter() - start)
        while time.perf_counter() < end:
            pass
        return result

    return slower


def loops_for(compute: Callable[[], Any], settle: Callable[[], None] | None) -> int:
    """Return how many computes make a turn that lasts; what the base finds in the first epoch serves both arms."""
    return max(1, round(TURN / max(seconds_of(compute, settle), 1e-9)))


def seconds_of(compute: Callable[[], Any], settle: Callable[[], None] | None) -> float:
    """Return the seconds of one compute, the settling after it left out."""
    start = time.perf_counter()
    compute()
    seconds = time.perf_counter() - start
    if settle:
        settle()
    return seconds


def sources(tree: Path) -> Mapping[str, str]:
    """Return file -> digest for every module that was really imported from the arm's tree, to prove what differs."""
    found = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(tree):
            found[str(Path(file).relative_to(tree))] = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]
    return found


@dataclasses.dataclass(frozen=True)
class TurnOrder:
    """What a live worker is asked to do. tree: the arm's folder. slowdown: fraction to be slower by, for --inject."""

    order: Order
    tree: str
    slowdown: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return dataclasses.asdict(self)


if __name__ == "__main__":
    # Through the real module, so that what is pickled here names bench.turns and not __main__.
    from bench import turns

    turns.main(*sys.argv[1:])
    os._exit(0)  # pools may hold threads that wait for ever
