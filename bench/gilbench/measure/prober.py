"""One call of `gilbench probe`: starts processes with a case open, and lets every probe ask its questions."""

from __future__ import annotations

import json
import os
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import IO

from gilbench.cases.case import Case
from gilbench.cases.plan import Plan
from gilbench.console import Say, printable, sayer
from gilbench.errors import check_names
from gilbench.files import finite
from gilbench.machine import fingerprint, usable_cpus
from gilbench.measure.live import LiveProbed, Start
from gilbench.probes import Found, Probe, Unavailable, all_probes
from gilbench.process.talk import Broken
from gilbench.results.records import Probing
from gilbench.schedulers import all_schedulers, simplicity
from gilbench.targets.naming import chosen, loaded_within
from gilbench.targets.workload import SIZES
from gilbench.variables import ITEMS

FORMAT = 1

MARGIN = 16  # characters before a line of a page, where the names of the probes are
SURVIVED = ("raised", "wrong answer")  # kinds of failure after which a probed process still answers questions
ANY = "tiny_tasks"  # the workload that is open where a probe examines the schedulers themselves


def probe(
    workload: str, size: str, schedulers: Sequence[str], names: Sequence[str], start: Start, cpus: int | None = None
) -> Probing:
    """Run the probes of these names on one workload, in one process for each case that a probe suits.

    The schedulers open at the same time, which takes half as long as one after the other; then one works at a time.
    """
    probes = [probe for name, probe in all_probes().items() if name in names]
    found: dict[str, dict[str, Found]] = {probe.name: {} for probe in probes}
    reasons: dict[str, dict[str, str]] = {probe.name: {} for probe in probes}
    suited = {
        case: suiting
        for case in cases(workload, size, schedulers, cpus or usable_cpus())
        if (suiting := [probe for probe in probes if probe.suits(case)])
    }
    hopeless: Broken | None = None
    with ExitStack() as stack:
        live = {case: stack.enter_context(start(case)) for case in suited}
        for probed in live.values():
            probed.wait()
        for case, probed in live.items():
            broken = hopeless or _examine(suited[case], probed, found, reasons)
            probed.end()
            if broken is None:
                continue
            missing = [probe.name for probe in suited[case] if case.scheduler not in found[probe.name]]
            for name in missing:
                reasons[name].setdefault(case.scheduler, why_unanswered(broken))
            if (case.scheduler, broken.kind) == ("sync", "timeout") and len(missing) == len(suited[case]):
                # Every other scheduler would begin with a compute under sync too.
                hopeless = Broken("not tried", f"under sync there was {broken.reason}")
    return Probing(workload, size, found, reasons)


@dataclass(frozen=True)
class ProbeOptions:
    """What `gilbench probe` is asked to do. Fields are named like its options.

    targets: names, families and patterns of workloads, and the user's own work. probes, schedulers: only these; empty for
    the usual ones. timeout: seconds for each answer.
    """

    targets: tuple[str, ...] = ()
    items: str | None = None
    probes: tuple[str, ...] = ()
    schedulers: tuple[str, ...] = ()
    size: str = "default"
    timeout: float = 120.0
    json: bool = False


def run(options: ProbeOptions, err: IO[str], out: IO[str]) -> int:
    """Probe what the user named, and print what was found; return the exit code. Raises UserError for a mistake."""
    found = []
    for probing in probings(options, sayer(err)):
        found.append(probing)
        if not options.json:
            out.write(page(probing, shutil.get_terminal_size((200, 50)).columns))
            out.flush()
    if options.json:
        data = {"gilbench_probes": FORMAT, "machine": fingerprint(), "probes": [asdict(probing) for probing in found]}
        out.write(json.dumps(finite(data), indent=2) + "\n")
    return 0 if any(any(probing.found.values()) for probing in found) else 1


def probings(options: ProbeOptions, say: Say) -> Iterator[Probing]:
    """Yield what the probes found, for one target after the other, then for the schedulers. Raises UserError for a mistake.

    Without a target and a probe: what the schedulers cost (granularity).
    """
    check_names("probe", options.probes, list(all_probes()))
    check_names("scheduler", options.schedulers, list(all_schedulers()))
    check_names("size", [options.size], SIZES)
    environment = {} if options.items is None else {ITEMS: options.items}
    os.environ.update(environment)  # because this process loads the target too
    with loaded_within(options.timeout, options.targets):
        targets = [workload.name for workload in chosen(options.targets, options.items)] if options.targets else []
    for target, names in questions(targets, options.probes or (() if targets else ("granularity",))):
        size = options.size if target else "tiny"
        say(f"probing {target or 'the schedulers'}")
        found = probe(
            target or ANY, size, schedulers_of(options.schedulers), names,
            lambda case: LiveProbed(case, options.timeout, environment),
        )  # fmt: skip
        yield replace(found, workload=target)


def of_plan(plan: Plan, start: Start, say: Say, known: Sequence[Probing] = ()) -> Iterator[Probing]:
    """Yield a probing of each workload of a run, at the size that most of its cases have, and one of the schedulers.

    say: called with what comes next. known: what an interrupted run has already found; it is left out.
    """
    timed = [case for case in plan.cases if case.measure == "time"]
    sizes: dict[str, Counter[str]] = {}
    for case in timed:
        sizes.setdefault(case.workload, Counter())[case.size] += 1
    names = [name for name in usual_schedulers() if name in {case.scheduler for case in timed}]
    asked = questions(list(sizes), list(all_probes()))
    for number, (workload, probes) in enumerate(asked, start=1):
        size = sizes[workload].most_common(1)[0][0] if workload else "tiny"
        if any((probing.workload, probing.size) == (workload, size) for probing in known):
            continue
        say(f"probing {number}/{len(asked)}: {workload or 'the schedulers'}")
        of_workload = {case.scheduler for case in timed if workload in ("", case.workload)}
        schedulers = [name for name in names if name in of_workload]
        yield replace(probe(workload or ANY, size, schedulers, probes, start), workload=workload)


def questions(targets: Sequence[str], names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return (workload, names of probes) to run: for each target, and for the schedulers themselves under the name ""."""
    probes = all_probes()
    wanted = [name for name, probe in probes.items() if (name in names if names else probe.of_workloads)]
    of_workloads = [name for name in wanted if probes[name].of_workloads]
    of_schedulers = [name for name in wanted if not probes[name].of_workloads]
    found = [(target, of_workloads) for target in targets if of_workloads]
    return [*found, *([("", of_schedulers)] if of_schedulers else [])]


def schedulers_of(asked: Sequence[str]) -> list[str]:
    """Return the schedulers to probe under: those asked for, or the usual ones that can run here."""
    return list(asked) or [name for name in usual_schedulers() if all_schedulers()[name].unavailable() is None]


def usual_schedulers() -> list[str]:
    """Return the schedulers to probe under where the user names none; the simplest first."""
    probed = [scheduler for scheduler in all_schedulers().values() if scheduler.probed]
    return [scheduler.name for scheduler in sorted(probed, key=simplicity)]


def page(probing: Probing, width: int = 200) -> str:
    """Return what was found, as text that a person can act on, with the probes' names in a column of their own.

    width: characters of a line.
    """
    lines = [f"{probing.workload}, size {probing.size}" if probing.workload else "the schedulers themselves"]
    for name, probe in all_probes().items():
        title = name.replace("_", " ")
        for line in probe.format(probing.found.get(name, {})):
            lines += _wrapped(title, line, width)
            title = ""
    for reason, lacking in _lacking(probing.reasons).items():
        for under, names in lacking.items():
            lines += _wrapped("unavailable", f"{', '.join(names)} under {', '.join(under)}: {reason}", width)
    return "".join(f"{printable(line)}\n" for line in lines)


def _wrapped(title: str, text: str, width: int) -> list[str]:
    margin = " " * MARGIN
    return textwrap.wrap(
        text, max(width, 2 * MARGIN), initial_indent=f"  {title}".ljust(MARGIN), subsequent_indent=f"{margin}  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _lacking(reasons: Mapping[str, Mapping[str, str]]) -> dict[str, dict[tuple[str, ...], list[str]]]:
    """Return reason -> schedulers -> probes, so that a reason is printed once for all that it explains."""
    found: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for name, reason_under in reasons.items():
        for reason in dict.fromkeys(reason_under.values()):
            under = tuple(scheduler for scheduler, other in reason_under.items() if other == reason)
            found.setdefault(reason, {}).setdefault(under, []).append(name.replace("_", " "))
    return found


def why_unanswered(broken: Broken) -> str:
    """Return why a probed process gave no answer."""
    return {"killed": f"its process died ({broken.reason})", "timeout": broken.reason}.get(broken.kind, str(broken))


def _examine(
    probes: Sequence[Probe],
    probed: LiveProbed,
    found: Mapping[str, dict[str, Found]],
    reasons: Mapping[str, dict[str, str]],
) -> Broken | None:
    """Let every probe examine one case, and fill in what was found, or why nothing was. Return why the rest is missing."""
    scheduler = probed.case.scheduler
    try:
        probed.ready()
        for probe in probes:
            try:
                found[probe.name][scheduler] = probe.examine(probed)
            except Unavailable as reason:
                reasons[probe.name][scheduler] = str(reason)
            except Broken as broken:
                if broken.kind not in SURVIVED:
                    raise
                reasons[probe.name][scheduler] = why_unanswered(broken)
    except Broken as broken:
        return broken
    return None


def cases(workload: str, size: str, schedulers: Sequence[str], cpus: int) -> list[Case]:
    """Return the widest case of each scheduler with inner threads pinned, and a sync case with them as users get them."""
    known = all_schedulers()
    found = []
    for name in schedulers:
        shape = known[name].shapes(cpus)[0]
        found.append(Case(workload, size, name, shape.workers, shape.threads))
    return [*found, Case(workload, size, "sync", 1, 1, pinned=False)]
