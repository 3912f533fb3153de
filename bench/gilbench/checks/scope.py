"""What a check covers: its options, its cases, and the change that matters in each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from gilbench.cases import plan
from gilbench.cases.benchmark import Benchmark, Subject
from gilbench.cases.case import Case
from gilbench.cases.plan import PROFILES, THRESHOLD, Selection
from gilbench.checks.arms import Known, Spec
from gilbench.checks.suite.selection import Asked, matches
from gilbench.errors import UserError, check_names
from gilbench.machine import usable_cpus
from gilbench.schedulers import all_schedulers, core_schedulers
from gilbench.targets.builtin import all_workloads, choose
from gilbench.targets.workload import SIZES, Workload

FLOOR = 20e-6
"""Seconds; smaller differences of a workload count as none: what a scheduler adds moves by as much. Benchmarks have no floor."""


@dataclass(frozen=True)
class CheckOptions:
    """What `gilbench check` is asked for; the names are those of its options.

    workloads: names, families, and patterns, of workloads or of benchmarks; empty for the representatives, or for all
    benchmarks. base, head: specs, as arms.parse reads them; head None for the working tree. packages: requirements for the
    environments of both arms. setup: command that replaces their builds. schedulers: only these; empty for the usual ones.
    thresholds: (pattern, fraction).
    floor, max_time, timeout: seconds. inject: the fraction by which head is slowed down. markdown, junit, json, bencher,
    action_benchmark: files to write. history: file to append to. profile: profile both arms instead of measuring them.
    results: folder. Without a seed, one is drawn. keyword, items, commands: choose benchmarks (see
    gilbench.checks.suite.selection). benchmarks: "head" for head's benchmark files in both arms, "each" for each arm's own.
    isolate: whether each benchmark gets processes of its own. floor: None for the usual one.
    """

    workloads: tuple[str, ...] = ()
    base: str = "HEAD"
    head: str | None = None
    packages: tuple[str, ...] = ()
    setup: str = ""
    schedulers: tuple[str, ...] = ()
    size: str = "tiny"
    thresholds: tuple[tuple[str, float], ...] = ()
    floor: float | None = None
    max_time: float = 900.0
    timeout: float = 60.0
    strict: bool = False
    aa: bool = False
    inject: float = 0.0
    markdown: Path | None = None
    junit: Path | None = None
    json: Path | None = None
    bencher: Path | None = None
    action_benchmark: Path | None = None
    history: Path | None = None
    profile: bool = False
    results: Path = Path("results")
    seed: int | None = None
    keyword: str = ""
    items: str | None = None
    commands: tuple[str, ...] = ()
    benchmarks: str = "head"
    isolate: bool = False

    @property
    def asked(self) -> Asked:
        """What to choose of a project's own benchmarks."""
        return Asked(self.workloads, self.keyword, self.items, self.commands, self.benchmarks == "each")

    @property
    def files(self) -> dict[str, Path | None]:
        """Format -> the file to write."""
        return {name: getattr(self, name) for name in ("markdown", "junit", "json", "bencher", "action_benchmark")}


def is_of_workloads(options: CheckOptions, head: Spec) -> bool:
    """Return whether a check is of gilbench's workloads: its tree is gilbench's own, or its names are names of workloads."""
    if options.keyword or options.commands or options.items or options.isolate:
        return False
    folder = Path(head.path or ".").expanduser().resolve()
    if options.schedulers or any((above / "bench" / "gilbench").is_dir() for above in (folder, *folder.parents)):
        return True
    known = [(workload.name, workload.family) for workload in all_workloads().values()] if options.workloads else []
    return bool(known) and all(any(_matches(name, names) for names in known) for name in options.workloads)


def cases_of(known: Mapping[str, Known], options: CheckOptions) -> tuple[list[Case], list[str]]:
    """Return the cases to check, and lines that name what only one arm has. Raises UserError for unknown names.

    known: arm name -> what the arm says about itself.
    """
    check_names("scheduler", options.schedulers, list(all_schedulers()))
    check_names("size", [options.size], SIZES)
    able = {name: scheduler for name, scheduler in all_schedulers().items() if scheduler.unavailable() is None}
    either = {**known["base"].workloads, **known["head"].workloads}
    chosen = choose({name: _workload(fields) for name, fields in either.items()}, options.workloads)
    wanted = [workload for workload in chosen if options.workloads or workload.representative]
    missing = [
        f"only in {arm}: {workload.name}"
        for workload in wanted
        for arm, other in (("base", "head"), ("head", "base"))
        if workload.name in known[arm].workloads and workload.name not in known[other].workloads
    ]
    asked = options.schedulers or core_schedulers()
    cpus = usable_cpus()
    selection = Selection(workloads=("*",), schedulers=asked, sizes=(options.size,), workers=(1, cpus))
    shared = [workload for workload in wanted if all(workload.name in arm.workloads for arm in known.values())]
    planned = plan.cases_of(shared, able, PROFILES["default"], selection, cpus, leveled=False)
    widest = [case for case in planned if case.scheduler == "sync" or case.parallelism == cpus]
    return [case for case in widest if case.measure == "time" and case.scheduler in asked], missing


def _workload(fields: Mapping[str, Any]) -> Workload:
    """Return an arm's workload as far as choosing it needs it: only the arm can build it."""

    def build(**parameters: Any) -> Any:
        raise NotImplementedError("only arms build their workloads")

    facts = {**fields, "modules": tuple(fields["modules"])}
    return Workload(summary="", build=build, sizes={size: {} for size in SIZES}, **facts)


def thresholds(cases: Sequence[Case], head: Known, said: Sequence[tuple[str, float]]) -> dict[Case, float]:
    """Return the change that matters in each case, as a fraction.

    said: (pattern, fraction); a pattern is a workload, a family, or a glob, and "*" is everything. The last one that
    matches counts; a workload's own threshold ranks between "*" and the others. Raises UserError for a pattern that
    matches nothing.
    """
    families = {case.workload: str(head.workloads[case.workload]["family"]) for case in cases}
    for pattern, _ in said:
        if cases and not any(_matches(pattern, pair) for pair in families.items()):
            raise UserError(f"--threshold {pattern}=: no workload of this check matches {pattern!r}")
    found = {}
    for case in cases:
        own = head.workloads[case.workload].get("threshold")
        ranked = [fraction for pattern, fraction in said if pattern == "*"]
        ranked += [own] if own is not None else []
        names = (case.workload, families[case.workload])
        ranked += [fraction for pattern, fraction in said if pattern != "*" and _matches(pattern, names)]
        found[case] = ranked[-1] if ranked else THRESHOLD
    return found


def thresholds_of_benchmarks(
    benchmarks: Sequence[Benchmark], said: Sequence[tuple[str, float]]
) -> dict[Subject, float]:
    """Return the change that matters in each benchmark, as a fraction. The last pattern of `said` that matches counts.

    Raises UserError for a pattern that matches nothing.
    """
    for pattern, _ in said:
        if benchmarks and not any(matches(benchmark, pattern) for benchmark in benchmarks):
            raise UserError(f"--threshold {pattern}=: no benchmark of this check matches {pattern!r}")
    return {
        benchmark: next((fraction for pattern, fraction in reversed(said) if matches(benchmark, pattern)), THRESHOLD)
        for benchmark in benchmarks
    }


def _matches(pattern: str, names: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)
