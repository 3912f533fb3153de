"""One call of `gilbench check`, from options to exit code: two arms take turns until every case is decided."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any

from gilbench import units
from gilbench.cases import plan as planning
from gilbench.cases.case import Case
from gilbench.cases.plan import PROFILES, THRESHOLD, Plan, Profile, Selection, observation_seed, shuffled
from gilbench.check import deliver
from gilbench.check.arms import Arm, Known, look, parse, prepared
from gilbench.check.check_progress import of_check
from gilbench.check.family import Checked, Family, family_of
from gilbench.check.lockstep import Epoch, Live, Start, epoch
from gilbench.console import printable
from gilbench.errors import Failure, UserError, check_names
from gilbench.machine import usable_cpus
from gilbench.report import Page, text
from gilbench.results.observations import Observation, Result
from gilbench.results.verdicts import NOTHING, Line, Verdicts, exit_code
from gilbench.schedulers import all_schedulers
from gilbench.targets.builtin import choose
from gilbench.targets.workload import SIZES, Workload

DEFAULT_SCHEDULERS = ("sync", "threads", "processes")
PATIENCE = 59.0  # seconds after which a case that is not decided stays inconclusive
INTERRUPTED = 130


@dataclass(frozen=True)
class CheckOptions:
    """What `gilbench check` is asked for; the names are those of its options.

    workloads: names, families and patterns; empty for the representatives. base, head: specs, as arms.parse reads them;
    head None for the working tree. schedulers: only these; empty for the usual ones. thresholds: (pattern, fraction).
    floor, max_time, timeout: seconds. inject: the fraction by which head is slowed down. markdown, junit, json: files to
    write. results: folder.
    """

    workloads: tuple[str, ...] = ()
    base: str = "HEAD"
    head: str | None = None
    schedulers: tuple[str, ...] = ()
    size: str = "tiny"
    thresholds: tuple[tuple[str, float], ...] = ()
    floor: float = 20e-6
    max_time: float = 900.0
    timeout: float = 60.0
    strict: bool = False
    aa: bool = False
    inject: float = 0.0
    markdown: Path | None = None
    junit: Path | None = None
    json: Path | None = None
    results: Path = Path("results")
    seed: int | None = None

    @property
    def files(self) -> dict[str, Path | None]:
        """Format -> the file to write."""
        return {"markdown": self.markdown, "junit": self.junit, "json": self.json}


def run(options: CheckOptions, err: IO[str], out: IO[str], page: Page) -> int:
    """Check head against base; print the verdicts on `out`; return the exit code. Raises UserError for a mistake."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # CI systems cancel so: arms have to be cleaned up
    base = parse("path=." if options.aa else options.base)
    head = parse("path=." if options.aa else options.head or "path=.")
    cache = Path(os.environ.get("GILBENCH_CACHE", ".cache/gilbench")).absolute()
    try:
        with prepared(base, head, cache) as arms:
            return _run(options, arms, cache, err, out, page)
    except KeyboardInterrupt:
        err.write("interrupted: nothing is left behind\n")
        return INTERRUPTED


def _run(options: CheckOptions, arms: tuple[Arm, Arm], cache: Path, err: IO[str], out: IO[str], page: Page) -> int:
    known = {arm.name: look(arm) for arm in arms}
    cases, missing = cases_of(known, options)
    about = (*differences(arms, known), *missing)
    err.writelines(f"{printable(line)}\n" for line in about)
    if not cases:
        err.write("nothing to measure: no workload of this selection is in both arms\n")
        return NOTHING
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    family = family_of(thresholds(cases, known["head"], options.thresholds), floor=options.floor, patience=PATIENCE)
    start = Live(
        timeout=options.timeout,
        cpus=sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (),
        slowdown={"head": options.inject},
        environment={"GILBENCH_CACHE": str(cache)},
    )
    interrupted, began = False, time.monotonic()
    with of_check(err, options.max_time) as show:
        try:
            for so_far in measure(family, arms, start, seed, options.max_time):
                family = so_far
                show(family)
        except KeyboardInterrupt:
            interrupted = True
    took = f"{units.duration(time.monotonic() - began)}{': interrupted, the verdicts so far' if interrupted else ''}"
    verdicts = Verdicts(
        base=arms[0].label,
        head=arms[1].label,
        lines=tuple(line_of(checked) for checked in family.cases),
        about=about,
        notes=(*notes(family, options), f"seed {seed}, {took}"),
    )
    out.write(text.of_verdicts(verdicts, page))
    out.flush()
    try:
        deliver.to_files(verdicts, options.files)
    finally:
        if any(checked.epochs for checked in family.cases):
            results = [result_of(family, arm, known[arm.name], seed, options) for arm in arms]
            kept = deliver.keep(options.results, verdicts, results)
            err.write(f"kept: {kept.parent}{os.sep}\nnext: gilbench plot {kept}\n")
    return INTERRUPTED if interrupted else exit_code(verdicts, strict=options.strict)


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
            if not measured.failures:
                loops[case] = measured.loops
            family = family.added(measured)
            yield family
        round_ += 1


def cases_of(known: Mapping[str, Known], options: CheckOptions) -> tuple[list[Case], list[str]]:
    """Return the cases to check, and lines that name what is in one arm only. Raises UserError for unknown names."""
    check_names("scheduler", options.schedulers, list(all_schedulers()))
    schedulers = {name: one for name, one in all_schedulers().items() if one.unavailable() is None}
    check_names("size", [options.size], SIZES)
    both = {**known["base"].workloads, **known["head"].workloads}
    chosen = choose({name: _workload(found) for name, found in both.items()}, options.workloads)
    wanted = [workload for workload in chosen if options.workloads or workload.representative]
    missing = [
        f"only in {arm}: {workload.name}"
        for workload in wanted
        for arm, other in (("base", "head"), ("head", "base"))
        if workload.name in known[arm].workloads and workload.name not in known[other].workloads
    ]
    asked = options.schedulers or DEFAULT_SCHEDULERS
    cpus = usable_cpus()
    selection = Selection(workloads=("*",), schedulers=asked, sizes=(options.size,), workers=(1, cpus))
    shared = [workload for workload in wanted if all(workload.name in arm.workloads for arm in known.values())]
    planned = planning.cases_of(shared, schedulers, PROFILES["default"], selection, cpus)
    widest = [case for case in planned if case.scheduler == "sync" or case.parallelism == cpus]
    return [case for case in widest if case.measure == "time" and case.scheduler in asked], missing


def _workload(found: Mapping[str, Any]) -> Workload:
    def build(**parameters: Any) -> Any:
        raise NotImplementedError("only arms build their workloads")

    facts = {**found, "modules": tuple(found["modules"])}
    return Workload(summary="", build=build, sizes={size: {} for size in SIZES}, **facts)


def thresholds(cases: Sequence[Case], head: Known, said: Sequence[tuple[str, float]]) -> dict[Case, float]:
    """Return the change that matters for each case, as a fraction.

    said: (pattern, fraction), a pattern being a workload, a family or a glob; "*" is everything. The last that matches
    counts; a workload's own threshold stands between "*" and the rest. Raises UserError for a pattern without a match.
    """
    families = {case.workload: str(head.workloads[case.workload]["family"]) for case in cases}
    for pattern, _ in said:
        if cases and not any(fnmatchcase(name, pattern) for pair in families.items() for name in pair):
            raise UserError(f"--threshold {pattern}=: no workload of this check matches {pattern!r}")
    found = {}
    for case in cases:
        own = head.workloads[case.workload].get("threshold")
        ranked = [fraction for pattern, fraction in said if pattern == "*"]
        ranked += [own] if own is not None else []
        names = (case.workload, families[case.workload])
        ranked += [
            fraction for pattern, fraction in said if pattern != "*" and any(fnmatchcase(n, pattern) for n in names)
        ]
        found[case] = ranked[-1] if ranked else THRESHOLD
    return found


def differences(arms: Sequence[Arm], known: Mapping[str, Known]) -> list[str]:
    """Return lines that say what the arms are and where their software differs."""
    base, head = (known[arm.name].machine for arm in arms)
    lines = [f"{arm.name}: {arm.label}" for arm in arms]
    changed = [
        f"{key} {base.get(key)} -> {head.get(key)}" for key in {**base, **head} if base.get(key) != head.get(key)
    ]
    return [*lines, f"software: {', '.join(changed)}" if changed else "software: the same in both arms"]


def notes(family: Family, options: CheckOptions) -> Iterator[str]:
    """Yield what came out beside the verdicts."""
    yield "ratio: head's time over base's, above 1 head is slower; would find: the slowdown found in 80 % of such checks"
    yield imported_differences([epoch for checked in family.cases for epoch in checked.epochs])
    kinds = [checked.kind for checked in family.cases if checked.epochs]
    if options.aa and not options.inject:
        changes = sum(kind in ("regression", "improvement") for kind in kinds)
        yield f"both arms are the same: {changes} false alarms in {len(kinds)} case checks"
    if options.inject:
        yield (
            f"head was slowed down by {options.inject:.1%}: found in {kinds.count('regression')} of {len(kinds)} cases, "
            f"{kinds.count('inconclusive')} inconclusive"
        )
    for checked in family.cases:
        if checked.kind == "inconclusive" and checked.out_of_patience:
            yield f"{checked.case.name}: not decided within {checked.patience:.0f} s"
        if checked.failed and not checked.failures:
            reasons = [f"{arm}: {why}" for e in checked.failed for arm, why in e.failures.items()]
            yield f"{checked.case.name}: failed once, and was or would be measured again: {'; '.join(reasons)}"


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


def line_of(checked: Checked) -> Line:
    """Return a case of the family as a line of the verdicts."""
    verdict = checked.verdict
    known = {}
    if verdict is not None and checked.epochs:
        known = {
            "ratio": verdict.ratio,
            "low": verdict.low,
            "high": verdict.high,
            "detectable": verdict.detectable,
            "base": checked.base,
            "head": checked.base * verdict.ratio,
        }
    return Line(
        case=checked.case.name,
        kind=checked.kind,
        threshold=checked.design.threshold,
        n=len(checked.epochs),
        seconds=checked.seconds,
        reason="; ".join(f"{arm}: {why}" for arm, why in checked.failures.items()),
        **known,
    )


def result_of(family: Family, arm: Arm, known: Known, seed: int, options: CheckOptions) -> Result:
    """Return what one arm measured as an ordinary result: an observation for each epoch."""
    cases = tuple(checked.case for checked in family.cases)
    profile = Profile("check", (options.size,), (options.size,), "representative", 0.0, 1, 1, 0.0, options.max_time)
    observations = [
        _observation(measured, round_, arm.name)
        for checked in family.cases
        for round_, measured in enumerate((*checked.epochs, *checked.failed))
    ]
    stops = {checked.case.name: checked.kind for checked in family.cases}
    return Result(arm.name, Plan(profile, cases, seed, options.timeout), known.machine, tuple(observations), stops)


def _observation(measured: Epoch, round_: int, arm: str) -> Observation:
    values = measured.base if arm == "base" else measured.head
    failure = measured.failures.get(arm) or (None if values else Failure("failed", "the other arm failed"))
    return Observation(
        case=measured.case,
        round=round_,
        seed=measured.seed,
        call="function",
        seconds=measured.seconds,
        values=values,
        metadata={"loops": measured.loops, "unit": "second", **measured.facts.get(arm, {})},
        failure=failure,
    )
