"""One call of `gilbench check`, from options to exit code: two arms take turns until every case is decided."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench import plan as planning
from bench import units
from bench.arms import Arm, parse, prepared
from bench.compare import NOTHING, Checked, Family, exit_code, family_of
from bench.errors import UserError
from bench.lockstep import Epoch, Live, Start, epoch
from bench.machine import usable_cpus
from bench.plan import Case, Selection, observation_seed, shuffled
from bench.report import printable
from bench.schedulers import all_schedulers
from workloads import SIZES, Workload

DEFAULT_SCHEDULERS = ("sync", "threads", "processes")
PROBE = """
import dataclasses, json, sys
from bench.machine import fingerprint
from bench.registry import all_workloads
keep = ("name", "family", "representative", "collection", "pinned", "modules")
found = [{key: getattr(workload, key) for key in keep} for workload in all_workloads().values()]
print(json.dumps({"workloads": found, "machine": fingerprint()}))
"""


@dataclass(frozen=True)
class Known:
    """What an arm says of itself before anything is measured."""

    workloads: Mapping[str, Mapping[str, Any]]
    machine: Mapping[str, Any]


def run(options: Mapping[str, Any], err: IO[str], out: IO[str]) -> int:
    """Check head against base; print the verdicts on `out`; return the exit code. Raises UserError for a mistake."""
    base = parse("path=." if options["aa"] else options["base"])
    head = parse(options["head"] or "path=.")
    cache = Path(os.environ.get("GILBENCH_CACHE", ".cache/gilbench")).absolute()
    began = time.monotonic()
    with prepared(base, head, cache) as arms:
        known = {arm.name: look(arm) for arm in arms}
        cases, missing = cases_of(known, options)
        for line in [*differences(arms, known), *missing]:
            err.write(f"{line}\n")
        if not cases:
            err.write("nothing to measure: no case is in both arms\n")
            return NOTHING
        start = Live(
            timeout=options["timeout"],
            cpus=sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (),
            slowdown={"head": options["inject"]},
            environment={"GILBENCH_CACHE": str(cache)},
        )
        seed = random.SystemRandom().randrange(2**32) if options["seed"] is None else options["seed"]
        family = family_of(cases, dict.fromkeys(cases, options["threshold"]))
        try:
            for so_far in measure(family, arms, start, seed, options["max_time"]):
                family = so_far
                err.write(f"{status(family, time.monotonic() - began)}\n")
                err.flush()
        except KeyboardInterrupt:
            err.write("interrupted: the verdicts so far\n")
    out.write(table(family))
    return exit_code(family, strict=options["strict"])


def measure(
    family: Family,
    arms: tuple[Arm, Arm],
    start: Start,
    seed: int,
    max_time: float,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Family]:
    """Yield the family after each epoch, the open cases by turns in random order, until all are decided or time is up."""
    began, round_ = clock(), 0
    loops: dict[Case, int] = {}
    while family.open():
        for case in shuffled([checked.case for checked in family.open()], seed, round_):
            if clock() - began >= max_time:
                return
            if case not in [checked.case for checked in family.open()]:
                continue
            measured: Epoch = epoch(case, arms, start, observation_seed(seed, case, round_), loops.get(case))
            loops[case] = measured.loops
            family = family.added(measured)
            yield family
        round_ += 1


def look(arm: Arm) -> Known:
    """Ask an arm for its workloads and versions. Raises UserError where it cannot be imported."""
    done = subprocess.run(
        [arm.python, "-P", "-c", PROBE],
        capture_output=True,
        text=True,
        env={**os.environ, **arm.environment},
        cwd=arm.folder,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise UserError(f"{arm.name} ({arm.label}) cannot be imported: {printable(said)}")
    found = json.loads(done.stdout)
    return Known({workload["name"]: workload for workload in found["workloads"]}, found["machine"])


def cases_of(known: Mapping[str, Known], options: Mapping[str, Any]) -> tuple[list[Case], list[str]]:
    """Return the cases to check, and lines that name what is in one arm only. Raises UserError for unknown names."""
    schedulers = all_schedulers()
    planning.check_names("scheduler", options["schedulers"], list(schedulers))
    planning.check_names("size", [options["size"]], SIZES)
    both = {name: known["head"].workloads.get(name) or found for name, found in known["base"].workloads.items()}
    both |= known["head"].workloads
    names = {name: _workload(found) for name, found in both.items()}
    chosen = planning.choose(names, options["workloads"])
    missing = [
        f"only in {arm}: {workload.name}"
        for workload in chosen
        for arm, other in (("base", "head"), ("head", "base"))
        if workload.name in known[arm].workloads and workload.name not in known[other].workloads
    ]
    selection = Selection(
        workloads=("*",),
        schedulers=options["schedulers"] or DEFAULT_SCHEDULERS,
        sizes=(options["size"],),
        workers=(1, usable_cpus()),
    )
    wanted = [workload for workload in chosen if options["workloads"] or workload.representative]
    wanted = [w for w in wanted if all(w.name in arm.workloads for arm in known.values())]
    planned = planning.cases_of(wanted, schedulers, planning.PROFILES["default"], selection, usable_cpus())
    widest = [c for c in planned if c.scheduler == "sync" or c.parallelism == usable_cpus()]
    asked = options["schedulers"] or DEFAULT_SCHEDULERS
    return [case for case in widest if case.measure == "time" and case.scheduler in asked], missing


def _workload(found: Mapping[str, Any]) -> Workload:
    def build(**parameters: Any) -> Any:
        raise NotImplementedError("only arms build their workloads")

    facts = {**found, "modules": tuple(found["modules"])}
    return Workload(summary="", build=build, sizes={size: {} for size in SIZES}, **facts)


def differences(arms: Sequence[Arm], known: Mapping[str, Known]) -> list[str]:
    """Return lines that say what the arms are and where their software differs."""
    base, head = (known[arm.name].machine for arm in arms)
    lines = [f"{arm.name}: {arm.label}" for arm in arms]
    changed = [f"{key} {base[key]} -> {head[key]}" for key in base if base[key] != head.get(key)]
    return [*lines, f"software: {', '.join(changed)}" if changed else "software: the same in both arms"]


def imported_differences(epochs: Sequence[Epoch]) -> str:
    """Say which files that the workers really imported differ between the arms."""
    sources: dict[str, dict[str, str]] = {"base": {}, "head": {}}
    for measured in epochs:
        for name, found in measured.sources.items():
            sources[name] |= found
    names = sorted(set(sources["base"]) | set(sources["head"]))
    changed = [name for name in names if sources["base"].get(name) != sources["head"].get(name)]
    if not changed:
        return f"imported from the trees: {len(names)} files, the same in both arms"
    return f"imported from the trees: {len(names)} files, of which differ: {', '.join(changed)}"


def status(family: Family, elapsed: float) -> str:
    """Return a line of progress."""
    still = family.open()
    done = len(family.cases) - len(still)
    return f"{done}/{len(family.cases)} cases decided  {units.duration(elapsed)} gone"


def table(family: Family) -> str:
    """Return the verdicts as a table, and what was really imported."""
    rows: list[tuple[str, ...]] = [("case", "verdict", "head/base", "interval", "could have seen", "epochs", "time")]
    rows += [_row(checked) for checked in family.cases]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines: list[str] = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines.append(imported_differences([e for checked in family.cases for e in checked.epochs]))
    return printable_lines(lines)


def printable_lines(lines: Sequence[str]) -> str:
    """Join lines, without control characters."""
    return "".join(f"{printable(line)}\n" for line in lines)


def _row(checked: Checked) -> tuple[str, ...]:
    verdict = checked.verdict
    if checked.failures or verdict is None:
        reasons = "; ".join(f"{arm}: {': '.join(reason)}" for arm, reason in checked.failures.items())
        return (checked.case.name, checked.kind, "", reasons, "", str(len(checked.epochs)), "")
    return (
        checked.case.name,
        checked.kind,
        f"{verdict.ratio:.3f}",
        f"{verdict.low:.3f} to {verdict.high:.3f}",
        f"+{verdict.detectable:.1%}",
        str(verdict.n),
        units.duration(checked.seconds),
    )
