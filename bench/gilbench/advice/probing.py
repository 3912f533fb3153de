"""Probing a target in a process of its own, one task after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence

from gilbench.advice.questions import call_items
from gilbench.advice.racing import Heat
from gilbench.advice.starting import LiveStarter
from gilbench.advice.target_facts import Facts, of_items
from gilbench.advice.thresholds import SAMPLE, WORDING
from gilbench.cases.case import Case
from gilbench.console import Say
from gilbench.errors import UserError
from gilbench.machine import usable_cpus
from gilbench.measure.live import LiveProbed
from gilbench.probes import Question, Unavailable, gil_probe, tasks_probe
from gilbench.process.talk import Broken
from gilbench.schedulers import THREADS, all_schedulers
from gilbench.stats import Estimate
from gilbench.targets.calls import Calls
from gilbench.variables import TAKE


def probe_target(starter: LiveStarter, say: Say) -> Facts:
    """Return what the probes say of the starter's target: its tasks and their results, inner threads, the GIL.

    Notes in the starter how long one process alone takes to compute once. Raises UserError where the target does not run.
    """
    cpus, build = usable_cpus(), starter.target.build
    items = len(build.arguments) if isinstance(build, Calls) else None
    few = None if items is None else min(items, SAMPLE.per_cpu * cpus)
    environment = starter.environment if few is None else {**starter.environment, TAKE: str(few)}
    say(f"probing {starter.target.name}")
    case, start = Case(starter.target.name, starter.size, "sync", 1, 1, starter.pinned), time.monotonic()
    with LiveProbed(case, starter.timeout, environment) as probed:
        try:
            probed.ready()
            starter.alone_seconds = time.monotonic() - start
            found = tasks_probe.examine(probed)
            held, state = _gil(probed, gil_probe.compute_for if items is None else call_items)
        except (Broken, Unavailable) as error:
            raise UserError(f"{starter.target.name!r} does not run one task after the other: {error}") from error
    facts = Facts(
        tasks=found["tasks"],
        task_seconds=found["median_seconds"],
        longest_seconds=found["longest_seconds"],
        seconds=found["seconds"],
        compute_seconds=found["compute_seconds"],
        cpu_over_wall=found["cpu_over_wall"],
        result_bytes=found["result_bytes"],
        object_text=found["object_text"],
        held=held,
        gil=state,
    )
    return facts if items is None else of_items(facts, items)


def _gil(probed: LiveProbed, question: Question) -> tuple[Estimate | None, str]:
    """Return the fraction of wall time for which the GIL is held and "enabled", or None and why it is unknown."""
    try:
        held = gil_probe.examine(probed, question)
    except Unavailable as reason:
        return None, "disabled" if "without a GIL" in str(reason) else str(reason)
    return Estimate(held["held"], held["low"], held["high"], held["samples"]), "enabled"


def gil_switches(starter: LiveStarter, facts: Facts, heats: Sequence[Heat]) -> float | None:
    """Return GIL switches per second on threads, where threads ran and did worse than the held GIL explains; else None."""
    first = heats[0]
    threads = [contender for contender in first.times if all_schedulers()[contender.scheduler].kind == THREADS]
    if not threads or not facts.held or facts.held.value < WORDING.gil_explains:
        return None
    fastest = min(threads, key=first.median)
    explained = facts.seconds * max(facts.held.value, 1 / fastest.parallelism)
    if first.median(fastest) < WORDING.unexplained * explained:
        return None
    try:
        with starter.alone(fastest) as probed:
            probed.ready()
            return float(gil_probe.examine(probed)["switches_per_second"])
    except (Broken, Unavailable):
        return None
