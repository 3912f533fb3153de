"""One call of `gilbench probe`: starts processes with a case open, and lets every probe ask what it wants to know."""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import IO, Any

from bench import layout, pins
from bench import plan as planning
from bench.machine import fingerprint, usable_cpus
from bench.plan import Case, Plan
from bench.probes import Found, Probe, Probed, Probing, Unavailable, all_probes
from bench.report import printable
from bench.report.json import finite
from bench.schedulers import all_schedulers
from bench.talk import Broken, Talk
from bench.targets import ITEMS, workload_of
from bench.worker import Order
from workloads import SIZES

FORMAT = 1

SCHEDULERS = ("sync", "threads", "processes", "distributed")
ANY = "tiny_tasks"  # the workload that is open where a probe asks about the schedulers themselves
Start = Callable[[Case], "LiveProbed"]


class LiveProbed:
    """A real probed process. python: the interpreter that it runs on."""

    def __init__(
        self,
        case: Case,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
    ) -> None:
        seed = random.SystemRandom().randrange(2**32)
        variables = {**os.environ, **(environment or {}), **layout.environment(seed), **pins.environment(case.pinned)}
        order = Order(case, 0, seed, "function", budget=0.0)
        self._case = case
        self._talk = Talk([python, "-P", "-m", "bench.probed"], order.as_json(), variables, timeout)

    def __enter__(self) -> LiveProbed:
        return self

    def __exit__(self, *error: object) -> None:
        self._talk.end()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._talk.process.pid

    @property
    def case(self) -> Case:
        """What it has open."""
        return self._case

    def ready(self) -> None:
        """Wait until the case is open. Raises Broken."""
        self._talk.hear()

    def tell(self, question: str, **what: Any) -> None:
        """Ask without waiting for the answer."""
        self._talk.say(json.dumps({"question": question, "what": what}))

    def answer(self) -> Found:
        """Wait for the answer to the question before. Raises Unavailable, or Broken."""
        answer = dict(self._talk.hear())
        if "unavailable" in answer:
            raise Unavailable(answer["unavailable"])
        return answer

    def ask(self, question: str, **what: Any) -> Found:
        """Tell, and wait for the answer."""
        self.tell(question, **what)
        return self.answer()


def probe(
    workload: str, size: str, schedulers: Sequence[str], names: Sequence[str], start: Start, cpus: int | None = None
) -> Probing:
    """Run the probes of these names on one workload, in one process for each scheduler that a probe suits."""
    probes = [one for name, one in all_probes().items() if name in names]
    found: dict[str, dict[str, Found]] = {one.name: {} for one in probes}
    reasons: dict[str, dict[str, str]] = {one.name: {} for one in probes}
    for case in cases(workload, size, schedulers, cpus or usable_cpus()):
        suited = [one for one in probes if one.suits(case)]
        if not suited:
            continue
        try:
            with start(case) as probed:
                probed.ready()
                for one in suited:
                    _measure(one, probed, found[one.name], reasons[one.name])
        except Broken as broken:
            for one in suited:
                if case.scheduler not in found[one.name]:
                    reasons[one.name].setdefault(case.scheduler, str(broken))
    return Probing(workload, size, found, reasons)


def run(options: Mapping[str, Any], err: IO[str], out: IO[str]) -> int:
    """Probe what the user named, and print what was found; return the exit code. Raises UserError for a mistake."""
    planning.check_names("probe", options["probes"], list(all_probes()))
    planning.check_names("scheduler", options["schedulers"], list(all_schedulers()))
    planning.check_names("size", [options["size"]], SIZES)
    environment = {} if options["items"] is None else {ITEMS: options["items"]}
    os.environ.update(environment)  # for our own look at the target
    for target in options["targets"]:
        workload_of(target)
    probings = []
    for target, names in questions(options["targets"], options["probes"]):
        size = options["size"] if target else "tiny"
        err.write(f"probing {target or 'the schedulers'}\n")
        err.flush()
        found = probe(
            target or ANY, size, schedulers_of(options["schedulers"]), names,
            lambda case: LiveProbed(case, options["timeout"], environment),
        )  # fmt: skip
        probings.append(replace(found, workload=target))
        if not options["json"]:
            out.write(page(probings[-1]))
            out.flush()
    if options["json"]:
        data = {"gilbench_probes": FORMAT, "machine": fingerprint(), "probes": [asdict(one) for one in probings]}
        out.write(json.dumps(finite(data), indent=2) + "\n")
    return 0 if any(any(one.found.values()) for one in probings) else 1


def of_plan(plan: Plan, start: Start, say: Callable[[str], None]) -> tuple[Probing, ...]:
    """Probe every workload of a run, at the size that its cases have most of, and the schedulers themselves."""
    timed = [case for case in plan.cases if case.measure == "time"]
    sizes: dict[str, Counter[str]] = {}
    for case in timed:
        sizes.setdefault(case.workload, Counter())[case.size] += 1
    names = [name for name in SCHEDULERS if name in {case.scheduler for case in timed}]
    asked = questions(list(sizes), list(all_probes()))
    probings = []
    for number, (workload, probes) in enumerate(asked, start=1):
        say(f"probing {number}/{len(asked)}: {workload or 'the schedulers'}")
        size = sizes[workload].most_common(1)[0][0] if workload else "tiny"
        mine = [
            name for name in names if not workload or any(c.workload == workload and c.scheduler == name for c in timed)
        ]
        probings.append(replace(probe(workload or ANY, size, mine, probes, start), workload=workload))
    return tuple(probings)


def questions(targets: Sequence[str], names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return (workload, probes) to run: of each target, and of the schedulers themselves under the name ""."""
    probes = all_probes()
    wanted = [name for name, one in probes.items() if (name in names if names else one.of_workloads)]
    of_workloads = [name for name in wanted if probes[name].of_workloads]
    of_schedulers = [name for name in wanted if not probes[name].of_workloads]
    found = [(target, of_workloads) for target in targets if of_workloads]
    return [*found, *([("", of_schedulers)] if of_schedulers else [])]


def schedulers_of(asked: Sequence[str]) -> list[str]:
    """Return the schedulers to probe under: those asked for, or the usual ones that can run here."""
    return list(asked) or [name for name in SCHEDULERS if all_schedulers()[name].unavailable() is None]


def page(probing: Probing) -> str:
    """Return what was found, as text that a person can act on."""
    title = f"{probing.workload} ({probing.size})" if probing.workload else "schedulers"
    lines = [title]
    for name, one in all_probes().items():
        lines += [f"  {line}" for line in one.format(probing.found.get(name, {}))]
        reasons = probing.reasons.get(name, {})
        for reason in dict.fromkeys(reasons.values()):
            under = ", ".join(scheduler for scheduler, said in reasons.items() if said == reason)
            lines.append(f"  {name} unavailable under {under}: {reason}")
    return "".join(f"{printable(line)}\n" for line in lines)


def _measure(one: Probe, probed: Probed, found: dict[str, Found], reasons: dict[str, str]) -> None:
    try:
        found[probed.case.scheduler] = one.measure(probed)
    except Unavailable as reason:
        reasons[probed.case.scheduler] = str(reason)


def cases(workload: str, size: str, schedulers: Sequence[str], cpus: int) -> list[Case]:
    """Return the widest case of each scheduler, inner threads pinned, and the sync one with them as users get them."""
    known = all_schedulers()
    found = []
    for name in schedulers:
        shape = known[name].shapes(cpus)[0]
        found.append(Case(workload, size, name, shape.workers, shape.threads))
    return [*found, Case(workload, size, "sync", 1, 1, pinned=False)]
