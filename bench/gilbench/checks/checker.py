"""One call of `gilbench check`, from options to exit code: two arms take turns until every case is decided."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import IO

from gilbench import units
from gilbench.cases.benchmark import Subject
from gilbench.cases.case import Case
from gilbench.cases.plan import drawn_seed
from gilbench.checks import deliver, outcome, scope
from gilbench.checks.arms import Arm, Known, ask, parse, prepared
from gilbench.checks.check_progress import check_progress
from gilbench.checks.discover import all_kinds
from gilbench.checks.family import Family, family_of
from gilbench.checks.followup import profiles
from gilbench.checks.followup.commits import commits_of
from gilbench.checks.lockstep import Batch, Live, Start, Worker, epochs
from gilbench.checks.scope import CheckOptions
from gilbench.checks.suite.batches import batches
from gilbench.checks.suite.selection import Selected, check_names, select
from gilbench.checks.suite.suite_workers import Suites
from gilbench.console import printable, sayer
from gilbench.errors import INTERRUPTED, Failure, UserError
from gilbench.files import cache_environment, cache_folder
from gilbench.process.environments import own_requirements
from gilbench.report import Page, text
from gilbench.results import history_file
from gilbench.results.records import Result
from gilbench.results.verdicts import NOTHING, OK, Revision, Verdicts, exit_code

PATIENCE = (
    59.0  # seconds after which a case that is not decided stays inconclusive; more where few benchmarks share the time
)
FATAL = ("killed", "timeout", "out of order")  # failures that end a process, in which others were to follow


def run(options: CheckOptions, err: IO[str], out: IO[str], page: Page) -> int:
    """Check head against base; print the verdicts on `out`; return the exit code. Raises UserError for a mistake."""
    given = ("path=." if options.aa else options.base, "path=." if options.aa else options.head or "path=.")
    base, head = (replace(spec, packages=(*spec.packages, *options.packages)) for spec in map(parse, given))
    if options.history is not None:
        _check_history(options)
    commits = commits_of(base, head, options.history)
    of_workloads = scope.is_of_workloads(options, head)
    needs = own_requirements() if of_workloads else []
    try:
        with prepared(base, head, cache_folder(), setup=options.setup, needs=needs, say=sayer(err)) as arms:
            covered = _workloads(options, arms) if of_workloads else _benchmarks(options, arms)
            return _run(options, arms, covered, commits, err, out, page)
    except KeyboardInterrupt:
        err.write("interrupted: nothing is left behind\n")
        return INTERRUPTED


def _check_history(options: CheckOptions) -> None:
    """Raise UserError, before anything is measured, where the history cannot take this check."""
    assert options.history is not None
    if options.aa or options.inject:
        raise UserError("--history keeps real checks: leave out --aa and --inject")
    if options.history.exists():
        history_file.read(options.history)
    elif not options.history.parent.is_dir():
        raise UserError(f"cannot write {options.history}: there is no folder {options.history.parent}")


def _run(
    options: CheckOptions,
    arms: tuple[Arm, Arm],
    covered: Covered,
    commits: tuple[Revision, Revision] | None,
    err: IO[str],
    out: IO[str],
    page: Page,
) -> int:
    seed = drawn_seed() if options.seed is None else options.seed
    err.writelines(f"{printable(line)}\n" for line in covered.about)
    if not covered.thresholds and not covered.selected.failures:
        err.writelines(f"{printable(line)}\n" for line in covered.selected.notes)
        err.write("nothing to measure: the arms have nothing of this selection in common\n")
        return NOTHING
    if options.profile:
        subjects = profiles.of_cases(covered.cases, options.timeout)
        if not covered.known:
            chosen = covered.selected
            subjects = profiles.of_benchmarks(chosen.benchmarks, chosen.settings, options.timeout, cache_environment())
        out.write(profiles.show(subjects, arms))
        return OK
    began = time.monotonic()
    family, interrupted = _decided(covered, arms, options, seed, err)
    took = f"{units.duration(time.monotonic() - began)}{': interrupted, the verdicts so far' if interrupted else ''}"
    lines = outcome.lines_of(family, covered.selected.failures)
    verdicts = Verdicts(
        base=arms[0].label,
        head=arms[1].label,
        lines=lines,
        about=covered.about,
        notes=(
            *outcome.notes(family, options),
            *covered.selected.notes,
            f"seed {seed}, {took}",
            *profiles.next_step(lines, options),
        ),
        revisions=commits,
    )
    out.write(text.of_verdicts(verdicts, page))
    out.flush()
    try:
        deliver.to_files(verdicts, options.files)
    finally:
        if any(checked.epochs for checked in family.cases):
            kept = deliver.keep(options.results, verdicts, _results(covered, family, arms, seed, options))
            err.write(f"kept: {kept.parent}{os.sep}\nnext: gilbench plot {kept}\n")
    if options.history is not None:
        added = history_file.append(options.history, history_file.entries_of(verdicts))
        err.write(f"history: {units.count(added, 'line')} added: gilbench history {options.history}\n")
    return INTERRUPTED if interrupted else exit_code(verdicts, strict=options.strict)


@dataclass(frozen=True)
class Covered:
    """What a check covers. thresholds: case or benchmark -> the change that matters. known: of workloads. floor: seconds."""

    thresholds: Mapping[Subject, float]
    about: tuple[str, ...]
    floor: float
    patience: float = PATIENCE
    known: Mapping[str, Known] = field(default_factory=dict)
    selected: Selected = field(default_factory=lambda: Selected((), {}, ()))

    @property
    def cases(self) -> list[Case]:
        """What is covered of gilbench's own workloads."""
        return [subject for subject in self.thresholds if isinstance(subject, Case)]


def _workloads(options: CheckOptions, arms: tuple[Arm, Arm]) -> Covered:
    known = {arm.name: ask(arm) for arm in arms}
    cases, missing = scope.cases_of(known, options)
    thresholds: dict[Subject, float] = dict(scope.thresholds(cases, known["head"], options.thresholds).items())
    about = (*outcome.arms_and_software(arms, {name: arm.machine for name, arm in known.items()}), *missing)
    floor = scope.FLOOR if options.floor is None else options.floor
    return Covered(thresholds, about, floor, known=known)


def _benchmarks(options: CheckOptions, arms: tuple[Arm, Arm]) -> Covered:
    selected = select(arms, options.asked, options.timeout, cache_environment())
    check_names(options.asked, (*selected.benchmarks, *selected.new), selected.failures)
    about = (*outcome.arms_and_software(arms, selected.software), *selected.about)
    thresholds = scope.thresholds_of_benchmarks(selected.benchmarks, options.thresholds)
    patience = max(PATIENCE, options.max_time / max(1, len(thresholds)))
    return Covered(thresholds, about, options.floor or 0.0, patience, selected=selected)


def _decided(
    covered: Covered, arms: tuple[Arm, Arm], options: CheckOptions, seed: int, err: IO[str]
) -> tuple[Family, bool]:
    """Measure with real workers; return the family, and whether Ctrl-C cut it short."""
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ()
    slowdown = {"head": options.inject}
    cases = Live(timeout=options.timeout, cpus=cpus, slowdown=slowdown, environment=cache_environment())
    suites = Suites(covered.selected.settings, options.timeout, cpus, slowdown, cache_environment())

    def start(arm: Arm, batch: Batch) -> Worker:
        return cases(arm, batch) if isinstance(batch.subjects[0], Case) else suites(arm, batch)

    family = family_of(covered.thresholds, floor=covered.floor, patience=covered.patience)
    with check_progress(err, options.max_time) as show:
        try:
            for so_far in measure_family(
                family, arms, start, seed, options.max_time, isolate=options.isolate, new=covered.selected.new
            ):
                family = so_far
                show(family)
        except KeyboardInterrupt:
            return family, True
    return family, False


def _results(covered: Covered, family: Family, arms: tuple[Arm, Arm], seed: int, options: CheckOptions) -> list[Result]:
    """Return both arms' measurements as ordinary results; none for benchmarks, which no result file has yet."""
    if not covered.known:
        return []
    return [outcome.result_of(family, arm, covered.known[arm.name], seed, options) for arm in arms]


def measure_family(
    family: Family,
    arms: tuple[Arm, Arm],
    start: Start,
    seed: int,
    max_time: float,
    clock: Callable[[], float] = time.monotonic,
    *,
    isolate: bool = False,
    new: Collection[Subject] = (),
) -> Iterator[Family]:
    """Yield the family after each epoch, what is open in random rounds, until all is decided or time is up.

    max_time: seconds, by the clock. The first epoch without a failure fixes the loops of all later ones. isolate: give each
    benchmark processes of its own, as cases have them. new: benchmarks that only head defines; failing in base alone is
    then no failure.
    """
    began, round_ = clock(), 0
    loops: dict[Subject, int] = {}
    alone: set[Subject] = set()
    ordered = {name for name, kind in all_kinds().items() if kind.ORDERED}

    def wanted(subject: Subject) -> bool:
        return subject in [checked.case for checked in family.open()]

    while family.open():
        subjects = [checked.case for checked in family.open()]
        for batch in batches(subjects, seed, round_, loops, isolate=isolate, alone=alone, ordered=ordered):
            if clock() - began >= max_time:
                return
            if not any(map(wanted, batch.subjects)):
                continue
            for at, measured in enumerate(epochs(batch, arms, start, wanted), 1):
                if not measured.failures:
                    loops[measured.case] = measured.loops
                if measured.leaves or any(failure.kind in FATAL for failure in measured.failures.values()):
                    alone.add(measured.case)
                if measured.case in new and set(measured.failures) == {"base"}:
                    why = Failure("new", f"base cannot run it: {measured.failures['base'].reason}")
                    measured = replace(measured, failures={"base": why})
                family = family.added(measured)
                yield family
                if at < len(batch.subjects) and clock() - began >= max_time:
                    return
        round_ += 1
