"""The inside of a probed process: opens one case, then answers the questions of the probes, one JSON line each.

    python -m bench.probed ORDER.json

The first line that it says is how the opening went; each answer is the probe's own. What it cannot tell is an answer too:
{"unavailable": why}.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import layout
from bench.turns import listen
from bench.worker import Order, WrongAnswer, check, compute_of, describe


def main(order_path: str) -> None:
    """Answer until standard input closes."""
    order = Order.from_json(json.loads(Path(order_path).read_text()))
    questions = listen()
    kept = layout.pile(order.seed)
    answers, sys.stdout = sys.stdout, sys.stderr  # what a workload prints must not be taken for an answer

    def say(answer: Mapping[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        serve(order, questions.get, say)
    except WrongAnswer as error:
        say({"failure": ["wrong answer", str(error)]})
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a workload raises is a result: it is reported by name
        say({"failure": ["raised", describe(error)]})
    del kept


def serve(order: Order, question: Callable[[], str], say: Callable[[Mapping[str, Any]], None]) -> None:
    """Open the order's case, check its answer, then answer questions for ever."""
    import dask.delayed  # noqa: F401 - before anything is measured

    from bench import pins
    from bench.probes import Scene, Unavailable, all_probes
    from bench.schedulers import Setup, Shape, all_schedulers
    from bench.targets import workload_of

    case = order.case
    workload = workload_of(case.workload)
    setup = Setup(workload.modules, case.pinned)
    pins.prepare(setup.modules, setup.pinned)
    job = workload.build(**workload.sizes[case.size])
    asks = {name: ask for probe in all_probes().values() for name, ask in probe.asks.items()}
    with all_schedulers()[case.scheduler].open(Shape(case.workers, case.threads), setup) as opened:
        check(order, workload, job, opened)
        compute = compute_of(job, opened.keywords, order.call)
        scene = Scene(case, workload, job, setup, opened, compute, _seconds(compute, opened.settle))
        say({"pid": os.getpid(), "seconds": scene.seconds})
        while True:
            asked = json.loads(question())
            try:
                say(asks[asked["question"]](scene, **asked["what"]))
            except Unavailable as reason:
                say({"unavailable": str(reason)})


def _seconds(compute: Callable[[], Any], settle: Callable[[], None] | None) -> float:
    start = time.perf_counter()
    compute()
    seconds = time.perf_counter() - start
    if settle:
        settle()
    return seconds


if __name__ == "__main__":
    # Through the real module, so that what is pickled here names bench.probed and not __main__.
    from bench import probed

    probed.main(*sys.argv[1:])
    os._exit(0)  # pools may hold threads that wait for ever
