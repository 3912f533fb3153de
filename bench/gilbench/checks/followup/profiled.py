"""The inside of a process that profiles one case in one arm.

    python -m gilbench.checks.followup.profiled ORDER.json

It prints one line of JSON: function -> [seconds inside it for each compute, calls for each compute]. The case runs under sync,
because a profiler sees the thread that it was started in.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import time
from pathlib import Path
from typing import Any

from gilbench.cases.opening import opened
from gilbench.cases.order import Order

SECONDS = 0.5  # of computing, without the profiler's own time
MOST = 1000  # computes


def main(order_path: str) -> None:
    """Profile the case of an order and print what was found."""
    data = json.loads(Path(order_path).read_text())
    with opened(Order.from_json(data["order"])) as case:
        start = time.perf_counter()
        case.compute()
        computes = max(1, min(MOST, round(SECONDS / max(time.perf_counter() - start, 1e-9))))
        profile = cProfile.Profile()
        profile.enable()
        for _ in range(computes):
            case.compute()
        profile.disable()
    print(json.dumps(functions(profile, Path(data["tree"]), computes)))


def functions(profile: cProfile.Profile, tree: Path, computes: int) -> dict[str, list[float]]:
    """Return function -> [seconds inside it, calls], each for one compute. Names have no line numbers: these move."""
    found: dict[str, list[float]] = {}
    stats: dict[tuple[str, int, str], tuple[Any, ...]] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (file, _, name), (_, calls, inside, *_rest) in stats.items():
        path = Path(file)
        place = str(path.relative_to(tree)) if path.is_relative_to(tree) else "/".join(path.parts[-2:])
        total = found.setdefault(name if file == "~" else f"{place}:{name}", [0.0, 0.0])
        total[0] += inside / computes
        total[1] += calls / computes
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
