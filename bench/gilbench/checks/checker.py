"""One call of `gilbench check`, from options to exit code: two arms take turns until every case is decided."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import IO

from gilbench import units
from gilbench.cases.case import Case
from gilbench.cases.plan import drawn_seed, observation_seed, shuffled
from gilbench.checks import deliver, outcome, scope
from gilbench.checks.arms import Arm, ask, parse, prepared
from gilbench.checks.check_progress import check_progress
from gilbench.checks.family import Family, family_of
from gilbench.checks.lockstep import Live, Start, epoch
from gilbench.checks.scope import CheckOptions
from gilbench.console import printable, sayer
from gilbench.errors import INTERRUPTED
from gilbench.files import cache_environment, cache_folder
from gilbench.process.environments import own_requirements
from gilbench.report import Page, text
from gilbench.results.verdicts import NOTHING, Verdicts, exit_code

PATIENCE = 59.0  # seconds after which a case that is not decided stays inconclusive


def run(options: CheckOptions, err: IO[str], out: IO[str], page: Page) -> int:
    """Check head against base; print the verdicts on `out`; return the exit code. Raises UserError for a mistake."""
    given = ("path=." if options.aa else options.base, "path=." if options.aa else options.head or "path=.")
    base, head = (replace(spec, packages=(*spec.packages, *options.packages)) for spec in map(parse, given))
    try:
        with prepared(
            base, head, cache_folder(), setup=options.setup, needs=own_requirements(), say=sayer(err)
        ) as arms:
            return _run(options, arms, err, out, page)
    except KeyboardInterrupt:
        err.write("interrupted: nothing is left behind\n")
        return INTERRUPTED


def _run(options: CheckOptions, arms: tuple[Arm, Arm], err: IO[str], out: IO[str], page: Page) -> int:
    known = {arm.name: ask(arm) for arm in arms}
    cases, missing = scope.cases_of(known, options)
    about = (*outcome.arms_and_software(arms, known), *missing)
    err.writelines(f"{printable(line)}\n" for line in about)
    if not cases:
        err.write("nothing to measure: the arms have no workload of this selection in common\n")
        return NOTHING
    seed = drawn_seed() if options.seed is None else options.seed
    thresholds = scope.thresholds(cases, known["head"], options.thresholds)
    began = time.monotonic()
    family, interrupted = _decided(thresholds, arms, options, seed, err)
    took = f"{units.duration(time.monotonic() - began)}{': interrupted, the verdicts so far' if interrupted else ''}"
    verdicts = Verdicts(
        base=arms[0].label,
        head=arms[1].label,
        lines=tuple(outcome.line_of(checked) for checked in family.cases),
        about=about,
        notes=(*outcome.notes(family, options), f"seed {seed}, {took}"),
    )
    out.write(text.of_verdicts(verdicts, page))
    out.flush()
    try:
        deliver.to_files(verdicts, options.files)
    finally:
        if any(checked.epochs for checked in family.cases):
            results = [outcome.result_of(family, arm, known[arm.name], seed, options) for arm in arms]
            kept = deliver.keep(options.results, verdicts, results)
            err.write(f"kept: {kept.parent}{os.sep}\nnext: gilbench plot {kept}\n")
    return INTERRUPTED if interrupted else exit_code(verdicts, strict=options.strict)


def _decided(
    thresholds: dict[Case, float], arms: tuple[Arm, Arm], options: CheckOptions, seed: int, err: IO[str]
) -> tuple[Family, bool]:
    """Measure with real workers; return the family, and whether Ctrl-C cut it short."""
    start = Live(
        timeout=options.timeout,
        cpus=sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (),
        slowdown={"head": options.inject},
        environment=cache_environment(),
    )
    family = family_of(thresholds, floor=options.floor, patience=PATIENCE)
    with check_progress(err, options.max_time) as show:
        try:
            for so_far in measure_family(family, arms, start, seed, options.max_time):
                family = so_far
                show(family)
        except KeyboardInterrupt:
            return family, True
    return family, False


def measure_family(
    family: Family,
    arms: tuple[Arm, Arm],
    start: Start,
    seed: int,
    max_time: float,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Family]:
    """Yield the family after each epoch, the open cases in random rounds, until all are decided or time is up.

    max_time: seconds, by the clock. A case's first epoch without a failure fixes the loops of all later ones.
    """
    began, round_ = clock(), 0
    loops: dict[Case, int] = {}
    while family.open():
        for case in shuffled([checked.case for checked in family.open()], seed, round_):
            if clock() - began >= max_time:
                return
            if case not in [checked.case for checked in family.open()]:
                continue
            measured = epoch(case, arms, start, observation_seed(seed, case, round_), loops.get(case))
            if not measured.failures:
                loops[case] = measured.loops
            family = family.added(measured)
            yield family
        round_ += 1
