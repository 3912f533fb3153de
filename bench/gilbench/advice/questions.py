"""In the racing process: the questions that a race and its probing ask of an open case."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gilbench.probes import Found, Scene
from gilbench.process.talk import only_here

TURN = 0.01  # seconds that one turn takes at least

Compute = Callable[[], Any]

# Number of tasks -> compute, of the one scene that a process has: each is built once.
_chunked: dict[int | None, Compute] = {}


def take_turn(scene: Scene, parts: int | None) -> Found:
    """Compute until a turn is full; return the seconds of one compute, without settling.

    parts: as in targets.calls.Calls.
    """
    compute = compute_in(scene, parts)
    spent, computes = 0.0, 0
    while spent < TURN:
        start = time.perf_counter()
        compute()
        spent += time.perf_counter() - start
        computes += 1
        scene.settle()
    return {"seconds": spent / computes}


def call_items(scene: Scene, seconds: float) -> Found:
    """Call the items without dask for this many seconds, as a task of many items does: dask holds the GIL too."""
    from gilbench.targets.calls import Calls

    build = scene.workload.build
    assert isinstance(build, Calls)
    calls = [only_here(call) for call in build.calls(scene.workload.sizes[scene.case.size].get("items"))]
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        calls[done % len(calls)]()
        done += 1
    return {"computes": done, "seconds": spent}


def compute_in(scene: Scene, parts: int | None) -> Compute:
    """Return what computes the target in that many tasks; None for one task per item."""
    from gilbench.targets.calls import Calls

    build, arguments = scene.workload.build, scene.workload.sizes[scene.case.size]
    if not isinstance(build, Calls) or parts == arguments.get("parts"):
        return scene.compute
    if parts not in _chunked:
        from gilbench.cases.checking import compute_of

        job = build(**{**arguments, "parts": parts})
        _chunked[parts] = only_here(compute_of(job, scene.opened.keywords, "function"))
    return _chunked[parts]
