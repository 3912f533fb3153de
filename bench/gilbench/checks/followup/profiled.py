"""The inside of a process that profiles one case in one arm.

    python -m gilbench.checks.followup.profiled ORDER.json

It prints one line of JSON: function -> [seconds inside it for each compute, calls for each compute]. The case runs under sync,
because a profiler sees the thread that it was started in.
"""

from __future__ import annotations

import cProfile
import json
import sys
import time
from pathlib import Path

from gilbench.cases.opening import opened
from gilbench.cases.order import Order
from gilbench.checks.driven.profiling import calls_for, functions


def main(order_path: str) -> None:
    """Profile the case of an order and print what was found."""
    data = json.loads(Path(order_path).read_text())
    with opened(Order.from_json(data["order"])) as case:
        start = time.perf_counter()
        case.compute()
        computes = calls_for(time.perf_counter() - start)
        profile = cProfile.Profile()
        profile.enable()
        for _ in range(computes):
            case.compute()
        profile.disable()
    print(json.dumps(functions(profile, Path(data["tree"]), computes)))


if __name__ == "__main__":
    main(*sys.argv[1:])
