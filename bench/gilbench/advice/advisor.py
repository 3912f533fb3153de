"""One call of `gilbench advise`: probe the target, race what the probes leave, decide, and print the advice."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, replace
from typing import IO

from gilbench.advice import wording
from gilbench.advice.choice import Advice, advised
from gilbench.advice.contest import cold_race, warm_race
from gilbench.advice.probing import gil_switches, probe_target
from gilbench.advice.starting import LiveStarter, TimeLeft
from gilbench.console import Say, printable, sayer
from gilbench.errors import UserError, check_names
from gilbench.files import finite
from gilbench.machine import usable_cpus
from gilbench.targets.naming import ITEMS_WHOSE, graph, is_own, loaded_within, workload_of
from gilbench.targets.workload import SIZES
from gilbench.variables import ITEMS


@dataclass(frozen=True)
class AdviseOptions:
    """What `gilbench advise` is asked for; the names are those of its options.

    target: what to advise on. items: what the user's function is called with; an expression or a file. graph: whether the
    target builds dask objects. size: of a workload of gilbench's own. once: whether starting the workers counts. timeout:
    seconds for each answer of a process. json: whether to print data instead of text.
    """

    target: str
    items: str | None = None
    graph: bool = False
    size: str = "default"
    once: bool = False
    timeout: float = 60.0
    json: bool = False


def run(options: AdviseOptions, err: IO[str], out: IO[str]) -> int:
    """Probe, race, and print the advice; return the exit code. Raises UserError for a mistake."""
    advice = advice_on(options, sayer(err))
    if options.json:
        out.write(json.dumps(finite(wording.as_data(advice)), indent=2) + "\n")
    else:
        out.write("".join(f"{printable(line)}\n" for line in wording.page(advice).splitlines()))
        out.write(f"\nanswered in {advice.cost_seconds:.0f} s\n")
    return 0


def advice_on(options: AdviseOptions, say: Say) -> Advice:
    """Return the advice on a target. Raises UserError for a mistake.

    say: gets a line whenever something begins. The items, if any, stay in this process's environment.
    """
    began = time.monotonic()
    check_names("size", [options.size], SIZES)
    if options.items is not None and not is_own(options.target):
        raise UserError(ITEMS_WHOSE)
    environment = {} if options.items is None else {ITEMS: options.items}
    os.environ.update(environment)  # this process loads the target too
    with loaded_within(options.timeout, [options.target]):
        target = workload_of(graph(options.target) if options.graph else options.target)
    pinned = target.pinned and not is_own(target.name)  # the user's own work runs with whatever threads it starts
    starter, left, cpus = (
        LiveStarter(target, options.size, options.timeout, environment, pinned),
        TimeLeft(began),
        usable_cpus(),
    )
    facts = probe_target(starter, say)
    starter.learn(facts)
    race = cold_race if options.once else warm_race
    heats, status = race(starter, facts, say, left, cpus)
    if heats and left.fits(0.0):
        facts = replace(facts, switches=gil_switches(starter, facts, heats))
    advice = advised(options.target, facts, heats, {**status, **starter.failed}, options.once, cpus)
    return replace(advice, cost_seconds=time.monotonic() - began)
