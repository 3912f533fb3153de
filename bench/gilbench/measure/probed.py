"""The inside of a probed process: opens one case, then answers the questions of the probes, one JSON line each.

    python -m gilbench.measure.probed ORDER.json

It opens the scheduler and reports that. At a line from the parent it builds and checks the job, so that only one process
works at a time, and reports how that went. Each later line is a question: {"question": its reference, "what": its
arguments}. An answer is whatever the question returns, or {"unavailable": why}, or {"failure": [kind, reason]} where the
question raised; neither of the last two ends the process.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gilbench.cases.checking import failure_of, seconds_of
from gilbench.cases.opening import OpenCase, opened
from gilbench.cases.order import Order
from gilbench.errors import Unavailable
from gilbench.probes import Scene, resolve
from gilbench.process import layout
from gilbench.process.talk import apart, listen, only_here

LONG = 0.5  # seconds from which a first compute, although cold, is taken for the time of a compute
COMPARED = 4  # results that are compared with those under sync


def main(order_path: str) -> None:
    """Answer until standard input closes."""
    order = Order.from_json(json.loads(Path(order_path).read_text()))
    answers = apart()
    questions = listen()
    kept = layout.pile(order.seed)

    def say(answer: Mapping[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        serve(order, questions.get, only_here(say))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a workload raises is a result: it is reported by name
        say({"failure": failure_of(error).as_json()})
    del kept


def serve(order: Order, question: Callable[[], str], say: Callable[[Mapping[str, Any]], None]) -> None:
    """Open the order's case, build and check its job at the first line, then answer a question for each further one."""

    def once_open(seconds: float) -> None:
        say({"pid": os.getpid(), "open_seconds": seconds})
        question()

    with opened(order, compared=COMPARED, once_open=once_open) as case:
        scene = scene_of(case)
        say({
            "pid": os.getpid(), "seconds": scene.seconds,
            "open_seconds": case.facts.open_seconds, "first_seconds": case.facts.first.seconds,
        })  # fmt: skip
        while True:
            asked = json.loads(question())
            try:
                say(resolve(asked["question"])(scene, **asked["what"]))
            except Unavailable as reason:
                say({"unavailable": str(reason)})
            except (Exception, SystemExit) as error:  # noqa: BLE001 - what a task raises is the answer
                say({"failure": failure_of(error).as_json()})


def scene_of(case: OpenCase) -> Scene:
    """Return what questions get to see of an open case. Computes once more where the first compute was short."""
    compute, first = only_here(case.compute), case.facts.first.seconds
    seconds = first if first > LONG else seconds_of(compute, case.settle)
    return Scene(case.case, case.workload, case.job, case.setup, case.opened, compute, seconds)


if __name__ == "__main__":
    # Through the real module, so that what is pickled here names gilbench.measure.probed and not __main__.
    from gilbench.measure import probed

    probed.main(*sys.argv[1:])
    os._exit(0)  # pools may hold threads that never end
