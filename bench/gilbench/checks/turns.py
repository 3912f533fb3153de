"""The inside of a live worker of the regression check: opens one case, then measures one value for each line that it gets.

    python -m gilbench.checks.turns ORDER.json

A line holds the number of computes behind the value. Answers are JSON lines: first what the worker is (or how it failed),
then one value in seconds for each turn. The worker of the other arm takes turns with it, so that whatever lasts longer than
a turn hits both alike.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import queue
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gilbench.cases.checking import failure_of, seconds_of
from gilbench.cases.opening import opened
from gilbench.cases.order import Order
from gilbench.process import layout
from gilbench.process.talk import apart, listen

TURN = (
    0.004  # seconds that one turn takes at least: the shorter, the less the machine changes between neighboring turns
)


def main(order_path: str) -> None:
    """Measure a value for each turn until standard input closes."""
    data = json.loads(Path(order_path).read_text())
    answers = apart()
    granted = listen()
    kept = layout.pile(data["order"]["seed"])

    def say(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        serve(Order.from_json(data["order"]), data["tree"], data["slowdown"], granted, say)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a workload raises is a result: it is reported by name
        say(failure=failure_of(error).as_json())
    del kept


def serve(order: Order, tree: str, slowdown: float, granted: queue.SimpleQueue[str], say: Callable[..., None]) -> None:
    """Open the order's case, report its facts and what was imported, then answer each turn with one value."""
    with opened(order) as case:
        compute = slowed(case.compute, slowdown)
        loops = loops_for(compute, case.settle)
        facts = {**case.facts.first.as_metadata(), "family": case.facts.family}
        say(ready=loops, facts=facts, sources=sources(Path(tree)))
        while loops := int(granted.get()):
            seconds = 0.0
            for _ in range(loops):
                start = time.perf_counter()
                compute()
                seconds += time.perf_counter() - start
                if case.settle:
                    case.settle()
            say(value=seconds / loops)


def slowed(compute: Callable[[], Any], slowdown: float) -> Callable[[], Any]:
    """Return a compute that is busy for longer by a known fraction, as a slower program would be."""
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
    """Return how many computes make a turn long enough. Both arms use what the base finds in a case's first epoch."""
    return max(1, round(TURN / max(seconds_of(compute, settle), 1e-9)))


def sources(tree: Path) -> Mapping[str, str]:
    """Return file -> digest for every module that was imported from the arm's tree, as evidence of what differs."""
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
    # Through the real module, so that what is pickled here names gilbench.checks.turns and not __main__.
    from gilbench.checks import turns

    turns.main(*sys.argv[1:])
    os._exit(0)  # pools may hold threads that never end
