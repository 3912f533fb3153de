"""The inside of a probed process: opens one case, then answers the questions of the probes, one JSON line each.

    python -m gilbench.measure.probed ORDER.json

It opens the scheduler and says so; at a line from the parent it builds and checks the job, so that only one process works
at a time, and says how that went. Then each answer is the probe's own. What cannot be told is an answer too, and does not
end the process: {"unavailable": why}, or {"failure": [kind, reason]} where the question raised.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from gilbench.cases.checking import WrongAnswer, check, compute_of, seconds_of
from gilbench.cases.opening import Order
from gilbench.errors import describe
from gilbench.process import layout
from gilbench.process.talk import apart, listen

P = ParamSpec("P")
T = TypeVar("T")
LONG = 0.5  # seconds of a compute
CHECKED = 4  # results that are compared with those under sync


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
        say(failure(error))
    del kept


def only_here(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function for this process only: where a task forks, its child comes back too, and must end instead."""
    home = os.getpid()

    def here(*args: P.args, **kwargs: P.kwargs) -> T:
        result = function(*args, **kwargs) if os.getpid() == home else None
        if os.getpid() != home:
            os._exit(0)
        return cast(T, result)

    return here


def failure(error: BaseException) -> Mapping[str, Any]:
    """Return the answer that tells of an error (see gilbench.process.talk.Broken)."""
    return {"failure": ["wrong answer", str(error)] if isinstance(error, WrongAnswer) else ["raised", describe(error)]}


def serve(order: Order, question: Callable[[], str], say: Callable[[Mapping[str, Any]], None]) -> None:
    """Open the order's case, check its answer when told to, then answer questions for ever."""
    import dask.delayed  # noqa: F401 - before anything is measured

    from gilbench.probes import Scene, Unavailable, all_probes
    from gilbench.process import pins
    from gilbench.schedulers import Setup, Shape, all_schedulers
    from gilbench.targets.naming import workload_of

    case = order.case
    workload = workload_of(case.workload)
    setup = Setup(workload.modules, case.pinned)
    pins.prepare(setup.modules, setup.pinned)
    asks = {name: ask for probe in all_probes().values() for name, ask in probe.asks.items()} | importlib.import_module(
        "gilbench.advise.racing"
    ).ASKS
    began = time.perf_counter()
    with all_schedulers()[case.scheduler].open(Shape(case.workers, case.threads), setup) as opened:
        opening = time.perf_counter() - began
        say({"pid": os.getpid(), "open_seconds": opening})
        question()
        job = workload.build(**workload.sizes[case.size])
        facts = check(order, workload, job, opened, most=CHECKED)
        compute = only_here(compute_of(job, opened.keywords, order.call))
        # The first compute is cold, but one that long says enough.
        first = float(facts["first_seconds"])
        seconds = first if first > LONG else seconds_of(compute, opened.settle)
        scene = Scene(case, workload, job, setup, opened, compute, seconds)
        say({
            "pid": os.getpid(), "seconds": scene.seconds,
            "open_seconds": opening, "first_seconds": facts["first_seconds"],
        })  # fmt: skip
        while True:
            asked = json.loads(question())
            try:
                say(asks[asked["question"]](scene, **asked["what"]))
            except Unavailable as reason:
                say({"unavailable": str(reason)})
            except (Exception, SystemExit) as error:  # noqa: BLE001 - what a task raises is what there is to tell
                say(failure(error))


if __name__ == "__main__":
    # Through the real module, so that what is pickled here names gilbench.measure.probed and not __main__.
    from gilbench.measure import probed

    probed.main(*sys.argv[1:])
    os._exit(0)  # pools may hold threads that wait for ever
