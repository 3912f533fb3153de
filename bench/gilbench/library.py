"""gilbench as a library: the commands as functions, which return data and print nothing.

    run       time workloads or functions under schedulers      -> Summary
    load      read a result file                                -> Summary
    probe     find out why a timing is what it is               -> tuple of Probing
    advise    find the scheduler to use for a function          -> Advice
    check     compare two versions of a project                 -> Verdicts

`gilbench.run` and the others are these functions (see `gilbench/__init__.py`). They take what the command line takes: a
keyword argument goes by the name of its option, or by the plural where the option can be repeated. What cannot work raises
UserError, whose text is the line that the command line would print.

Targets. A target is text, as on the command line ("sort", "csv_*", "my_file.py:function", "my_file.py:build()" for what a
function builds with dask), or a function or workload that can be imported from its module. Every measurement runs in new
processes, which import the target by its name: a function defined in a notebook, in a script that runs as `__main__`, or
inside another function has no such name.

Items. `items` is what a function is called with, one task for each item: a list of plain values (numbers, text, tuples,
lists, dicts), or text as on the command line, which is a file or a Python expression such as "range(100)".

Progress. `progress` is a stream for lines on what is being done, such as `sys.stderr`; None for no such lines.
"""

from __future__ import annotations

import ast
import contextlib
import io
import operator
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gilbench.errors import INTERRUPTED, UserError, check_names

if TYPE_CHECKING:
    from gilbench.advice.choice import Advice
    from gilbench.results.records import Probing
    from gilbench.results.summary import Summary
    from gilbench.results.verdicts import Verdicts
    from gilbench.targets.workload import Workload

    Target = str | Callable[..., Any] | Workload

Names = str | Iterable[str]

LONGEST_ITEMS = 100_000  # characters: an environment variable carries the items, and Linux allows 128 KiB for one


def run(
    *targets: Target,
    items: str | Iterable[Any] | None = None,
    profile: str = "quick",
    schedulers: Names = (),
    sizes: Names = (),
    workers: int | Iterable[int] = (),
    data: str | None = None,
    python: str | None = None,
    packages: Names = (),
    probe: bool = False,
    max_time: float | None = None,
    precision: float | None = None,
    max_observations: int | None = None,
    timeout: float = 120.0,
    seed: int | None = None,
    results: str | Path | None = None,
    name: str | None = None,
    progress: IO[str] | None = None,
) -> Summary:
    """Time targets under schedulers, each observation in a fresh process, and return the summary of the result.

    >>> import gilbench
    >>> summary = gilbench.run(
    ...     "sum_of_squares", schedulers="threads", sizes="tiny", workers=1, max_observations=1
    ... )
    >>> [case.case.name for case in summary.cases]
    ['sum_of_squares:tiny:sync:1x1:leveled', 'sum_of_squares:tiny:threads:1x1:leveled']
    >>> summary.cases[0].estimate.value > 0  # the median, in seconds
    True

    targets: see this module; without any, the workloads of the profile.
    profile: "quick", "default" or "thorough": how much to measure, and how precisely.
    schedulers, sizes, workers: only these (and sync, the baseline); empty for those of the profile.
    data: a glob pattern of CSV files for the CSV workloads.
    python: the version or path of another interpreter to measure with. packages: requirements for its environment, such as
        "pandas==3.0.3".
    probe: whether to probe what was timed; the summary's `probes` then say why the timings are what they are.
    max_time: seconds for the whole run. timeout: seconds for one observation.
    precision: a case is done when its 95 % interval reaches at most this fraction of the estimate to either side.
    max_observations: the most processes for one case.
    seed: of the order and of memory layouts; None to draw one, which the result records.
    results, name: write the result to results/NAME.json, by default with date and time as the name, and keep it. Without
        `results` nothing is kept.

    Returns one CaseSummary for each case that has a value, with `estimate` in seconds (bytes for peak memory) and `speedup`
    over sync, and one FailedCase for each observation that failed. Raises UserError for a mistake in the arguments, and
    KeyboardInterrupt where the run was interrupted; what was measured until then is kept in `results`, if that is given.
    """
    from gilbench.cases.plan import PROFILES
    from gilbench.measure import planning, runner
    from gilbench.measure.narration import NOTHING

    check_names("profile", [profile], list(PROFILES))
    _require_positive(max_time=max_time, precision=precision, max_observations=max_observations, timeout=timeout)
    with _undisturbed(), _folder(results) as folder:
        options = planning.RunOptions(
            workloads=tuple(map(named, targets)),
            items=items_as_text(items),
            profile=profile,
            schedulers=_tuple(schedulers),
            sizes=_tuple(sizes),
            workers=(workers,) if isinstance(workers, int) else tuple(workers),
            data=data,
            python=python,
            packages=_tuple(packages),
            name=name or runner.new_name(planning.RunOptions(profile=profile), None),
            results=folder,
            probe=probe,
            max_time=max_time,
            precision=precision,
            max_observations=max_observations,
            timeout=timeout,
            seed=seed,
        )
        _finish(runner.run(options, progress or io.StringIO(), io.StringIO()))
        summary = load(folder / f"{options.name}.json")
        if not summary.cases and not summary.failures:
            raise UserError(NOTHING)
        return summary


def load(path: str | Path) -> Summary:
    """Read a result file, or the journal of an unfinished run, and return its summary.

    >>> import gilbench
    >>> summary = gilbench.load("results/reference/two-cores.json")
    >>> case = next(case for case in summary.timed if case.case.name == "sort:default:threads:1x2:leveled")
    >>> f"{case.estimate.value:.1f} s, {case.speedup.value:.1f} times as fast as sync"
    '0.1 s, 1.8 times as fast as sync'

    Raises UserError where the file cannot be read or is not a result of gilbench.
    """
    from gilbench.results import result_file
    from gilbench.results.summary import summarize

    return summarize(result_file.load(Path(path)))


def probe(
    *targets: Target,
    items: str | Iterable[Any] | None = None,
    probes: Names = (),
    schedulers: Names = (),
    size: str = "default",
    timeout: float = 60.0,
    progress: IO[str] | None = None,
) -> tuple[Probing, ...]:
    """Run the probes, and return what each found: the GIL, memory, data moved, inner threads, timelines.

    >>> import gilbench
    >>> (probing,) = gilbench.probe("sum_of_squares", probes="gil", schedulers="sync", size="tiny")
    >>> probing.found["gil"]["sync"]["held"] > 0.5  # the fraction of the time for which tasks hold the GIL
    True

    targets: see this module; without any, the probes of the schedulers themselves run.
    probes, schedulers: only these; empty for the usual ones. size: of gilbench's own workloads.
    timeout: seconds for each answer of a probed process.

    Returns one Probing for each target: `found` maps probe -> scheduler -> plain data, with units in the names of its keys
    (`_seconds`, `_bytes`; others are counts and fractions), and `reasons` maps probe -> scheduler -> why nothing was found.
    Raises UserError for a mistake in the arguments.
    """
    from gilbench.measure import prober

    _require_positive(timeout=timeout)
    options = prober.ProbeOptions(
        targets=tuple(map(named, targets)),
        items=items_as_text(items),
        probes=_tuple(probes),
        schedulers=_tuple(schedulers),
        size=size,
        timeout=timeout,
    )
    with _undisturbed():
        return tuple(prober.probings(options, _say(progress)))


def advise(
    target: Target,
    *,
    items: str | Iterable[Any] | None = None,
    size: str = "default",
    once: bool = False,
    timeout: float = 60.0,
    progress: IO[str] | None = None,
) -> Advice:
    """Find the scheduler and the number of workers for a target: probe it, then race the candidates, for up to about 30 s.

    >>> import gilbench, math
    >>> advice = gilbench.advise(math.sqrt, items=list(range(50)))
    >>> advice.chosen.scheduler  # tasks this short are best run one after the other
    'sync'

    target: see this module. size: of gilbench's own workloads.
    once: advise for a single compute, where starting the workers counts; otherwise for many computes.
    timeout: seconds for each answer of a process that takes part.

    Returns an Advice: `chosen` (scheduler, workers, threads for each worker, items for each task), `speedup` over sync with
    its interval, `facts` from the probes, and what became of every other candidate. Raises UserError for a mistake in the
    arguments, and where the target cannot run.
    """
    from gilbench.advice import advisor

    _require_positive(timeout=timeout)
    options = advisor.AdviseOptions(named(target), items_as_text(items), size=size, once=once, timeout=timeout)
    with _undisturbed():
        return advisor.advice_on(options, _say(progress))


def check(
    *workloads: str,
    base: str = "HEAD",
    head: str | None = None,
    packages: Names = (),
    setup: str = "",
    schedulers: Names = (),
    size: str = "tiny",
    keyword: str = "",
    items: str | Iterable[Any] | None = None,
    commands: Names = (),
    benchmarks: str = "head",
    isolate: bool = False,
    threshold: float | Mapping[str, float] | None = None,
    floor: float | None = None,
    max_time: float = 900.0,
    timeout: float = 60.0,
    seed: int | None = None,
    results: str | Path | None = None,
    progress: IO[str] | None = None,
) -> Verdicts:
    """Compare two versions of the project in this folder: both take turns until it is clear whether head is slower.

    >>> import gilbench
    >>> verdicts = gilbench.check("sum_of_squares", base="path=.", schedulers="sync", max_time=2)
    >>> [line.case for line in verdicts.lines]
    ['sum_of_squares:tiny:sync:1x1']
    >>> verdicts.lines[0].kind in ("same", "inconclusive")  # in two seconds little is decided
    True

    workloads: names, families or patterns of workloads, or names, files, folders or patterns of the project's benchmarks;
    without any, all benchmarks, or gilbench's own representative workloads in its own folder.
    base, head: a git revision, a release like package==1.2, or rev=, path=, release=, python=, with= as on the command line;
    head None for the working tree. packages: requirements for the environments of both arms. setup: command instead of
    their builds.
    schedulers: only these; empty for sync, threads and processes. size: of every workload.
    keyword: as for pytest's -k. items: what a `file.py:function` is called with. commands: command lines to time.
    benchmarks: "head" for head's benchmark files in both versions, "each" for each version's own. isolate: whether each
    benchmark gets processes of its own.
    threshold: the change that matters, as a fraction (0.03 is 3 %), or pattern -> fraction; None for the default.
    floor: seconds; smaller differences do not count; None for the usual. max_time: seconds for the whole check.
    timeout: seconds for each answer.
    seed: of the order and of memory layouts; None to draw one, which the notes name.
    results: the folder in which both arms' results and the verdicts are kept; None to keep nothing.

    Returns Verdicts with one line for each case: `kind`, and `ratio` (head's time over base's) with its 95 % interval from
    `low` to `high`. In a GitHub workflow the table also goes into the job's summary, as from the command line. Raises
    UserError for a mistake in the arguments, for a version that is not available, and where there is nothing to measure, and
    KeyboardInterrupt where the check was interrupted.
    """
    from gilbench.checks import checker, scope
    from gilbench.report import Page
    from gilbench.results import verdicts

    thresholds = {} if threshold is None else threshold if isinstance(threshold, Mapping) else {"*": threshold}
    for pattern, fraction in thresholds.items():
        _require_positive(**{f"threshold {pattern}": fraction})
    _require_positive(max_time=max_time, timeout=timeout)
    with _undisturbed(), _folder(results) as folder, tempfile.TemporaryDirectory(prefix="gilbench-") as scratch:
        written = Path(scratch, "verdicts.json")
        options = scope.CheckOptions(
            workloads=workloads,
            base=base,
            head=head,
            packages=_tuple(packages),
            setup=setup,
            schedulers=_tuple(schedulers),
            size=size,
            keyword=keyword,
            items=items_as_text(items),
            commands=_tuple(commands),
            benchmarks=benchmarks,
            isolate=isolate,
            thresholds=tuple(thresholds.items()),
            floor=floor,
            max_time=max_time,
            timeout=timeout,
            json=written,
            results=folder,
            seed=seed,
        )
        _finish(checker.run(options, progress or io.StringIO(), io.StringIO(), Page()))
        if not written.exists():
            raise UserError("nothing to measure: nothing of this selection is in both arms")
        return verdicts.load(written)


def named(target: Target) -> str:
    """Return the name by which a new process imports a target: `module:function`; text stays as it is.

    >>> import json
    >>> named(json.dumps), named("sort")
    ('json:dumps', 'sort')

    Raises UserError for a function or workload that cannot be imported by a name.
    """
    if isinstance(target, str):
        return target
    function = getattr(target, "build", target)  # a workload is found by the function that it was made of
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        raise UserError(f"{target!r} has no name to import it by: give a function of a module")
    if module == "__main__":
        raise UserError(f"{name!r} is defined in __main__, which new processes cannot import: move it into a module")
    try:
        found = operator.attrgetter(name)(sys.modules[module])
    except (AttributeError, KeyError):
        found = None
    if found is not target:
        raise UserError(f"{module}:{name} cannot be imported by that name: move it to the top level of its module")
    return f"{module}:{name}"


def items_as_text(items: str | Iterable[Any] | None) -> str | None:
    """Return items as the text that carries them into new processes.

    >>> items_as_text([1, "a", (2.5, None)])
    "[1, 'a', (2.5, None)]"

    Raises UserError for items that are not plain values, and for more than fit into an environment variable.
    """
    if items is None or isinstance(items, str):
        return items
    values = list(items)
    text = repr(values)
    if len(text) > LONGEST_ITEMS:
        raise UserError(
            f"items take {len(text):,} characters as text: name a file, or an expression such as 'range(10**6)'"
        )
    try:
        plain = ast.literal_eval(text) == values
    except (ValueError, SyntaxError):
        plain = False
    if not plain:
        raise UserError("items must be plain values (numbers, text, tuples, lists, dicts), or an expression as text")
    return text


def _tuple(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _require_positive(**values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not value > 0:
            raise UserError(f"{name}={value!r} must be above 0")


def _say(progress: IO[str] | None) -> Callable[[str], object]:
    from gilbench.console import sayer

    return sayer(progress or io.StringIO())


def _finish(exit_code: int) -> None:
    """Raise KeyboardInterrupt where a command was interrupted. Other failures are part of its result."""
    if exit_code == INTERRUPTED:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _folder(results: str | Path | None) -> Iterator[Path]:
    """Yield the folder for results, or a temporary one."""
    if results is not None:
        yield Path(results)
        return
    with tempfile.TemporaryDirectory(prefix="gilbench-") as temporary:
        yield Path(temporary)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Put back what a command changes in its process: the variable that carries items."""
    from gilbench.variables import ITEMS

    items = os.environ.get(ITEMS)
    try:
        yield
    finally:
        if items is None:
            os.environ.pop(ITEMS, None)
        else:
            os.environ[ITEMS] = items
