"""Which benchmarks of a project a check compares: what the arms hold, and what the user chose of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from gilbench.cases.benchmark import Benchmark
from gilbench.checks.arms import Arm
from gilbench.checks.discover import all_kinds
from gilbench.checks.driven.source_files import Found
from gilbench.checks.family import ABSENT
from gilbench.checks.suite import overlay
from gilbench.checks.suite.listing import Listed, listed
from gilbench.errors import Failure, UserError, nearest

Kinds = Mapping[str, Sequence[Found]]
FUNCTION = re.compile(r"(?P<file>[^:*?]+\.py):(?P<function>[A-Za-z_][\w.]*)")
SHOWN = 3  # files that are named in one line


@dataclass(frozen=True)
class Asked:
    """What the user asks for.

    names: benchmarks, patterns, files, folders, `file.py:function`. expression: as for pytest's -k. items: as for a run.
    commands: command lines. each: whether every arm keeps its own benchmark files.
    """

    names: Sequence[str] = ()
    expression: str = ""
    items: str | None = None
    commands: Sequence[str] = ()
    each: bool = False


@dataclass(frozen=True)
class Selected:
    """What is compared, and what is not.

    settings: kind -> file -> what it needs. new: benchmarks that base's own files do not define. failures: file -> arm name
    -> why it holds no benchmarks. about: lines to say before. notes: lines to say after. software: arm name -> versions.
    """

    benchmarks: Sequence[Benchmark]
    settings: Mapping[str, Mapping[str, Mapping[str, Any]]]
    new: Collection[Benchmark]
    failures: Mapping[str, Mapping[str, Failure]] = field(default_factory=dict)
    about: Sequence[str] = ()
    notes: Sequence[str] = ()
    software: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def select(arms: tuple[Arm, Arm], asked: Asked, timeout: float, environment: Mapping[str, str]) -> Selected:
    """Return what to compare. Unless `asked.each`, this puts head's benchmark files into base's tree.

    timeout: seconds for each arm to list its benchmarks. environment: variables for the processes that do.
    Raises UserError where nothing is found, a name matches nothing, two benchmarks share a name, or an arm cannot be asked.
    """
    base, head = arms
    own = {arm.name: found_in(arm.here, asked) for arm in arms}
    here = own["base"] if asked.each and not own["head"] else own["head"]
    if not here:
        raise UserError(_nothing(asked))
    if not asked.each:
        files = [
            file.file
            for kind in own["head"].values()
            for file in kind
            if file.file and not file.settings.get("arms_own")
        ]
        folders = [str(file.settings["folder"]) for kind in here.values() for file in kind if "folder" in file.settings]
        overlay.lay_over(head.here, base.here, overlay.belonging_to(files, folders))
    lists = listed(arms, own if asked.each else {arm.name: own["head"] for arm in arms}, timeout, environment)
    return selected(lists, own, asked)


def found_in(tree: Path, asked: Asked) -> dict[str, list[Found]]:
    """Return kind -> files that hold benchmarks of it, of those that the names may mean. Static: nothing is imported."""
    functions = [match for match in map(FUNCTION.fullmatch, asked.names) if match]
    others = [name for name in asked.names if not FUNCTION.fullmatch(name)]
    places = [name.partition("::")[0].rstrip("/") for name in others]
    known = [place for place in places if _is_place(tree, place)]
    named = [place for place in known if (tree / place).is_file()]
    found: dict[str, list[Found]] = {}
    for name, kind in all_kinds().items():
        files = kind.find(tree, named) if others or not (functions or asked.commands) else []
        if len(known) == len(places) and known:
            files = [file for file in files if any(_below(file.file, place) for place in known)]
        if hasattr(kind, "asked_for"):
            files += kind.asked_for(tree, [(match["file"], match["function"]) for match in functions], asked)
        if files:
            found[name] = files
    return found


def selected(lists: Mapping[str, Listed], own: Mapping[str, Kinds], asked: Asked) -> Selected:
    """Return what to compare, of what both arms list. own: arm name -> kind -> the files that the arm itself holds."""
    here = {benchmark.name: benchmark for benchmark in lists["head"].benchmarks}
    there = {benchmark.name: benchmark for benchmark in lists["base"].benchmarks}
    if len(here) != len(lists["head"].benchmarks):
        names = [benchmark.name for benchmark in lists["head"].benchmarks]
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"two benchmarks are named {twice!r}: rename one of them")
    choose = _chooser(asked, sorted({**there, **here}))
    defined = _defined(own["base"])
    had = {file.file for files in own["base"].values() for file in files} | {":".join(pair) for pair in defined}
    failures: dict[str, dict[str, Failure]] = {}
    notes = [*lists["head"].not_compared]
    for arm in ("head", "base"):
        for file, failure in lists[arm].failures.items():
            is_new = arm == "base" and file not in had
            if failure.kind in ABSENT or is_new:
                notes.append(f"{'new' if is_new else failure.kind}: {file}: {failure.reason}")
            elif not _is_meant(file, asked):
                notes.append(f"{arm}: {file}: {failure}")
            else:
                failures.setdefault(file, {})[arm] = failure
    new = [one for one in here.values() if choose(one) and (one.file, one.function) not in defined and one.function]
    shared = [one for one in here.values() if choose(one) and (one.name in there or one not in new)]
    shared = [one for one in shared if one.file not in failures and one.name not in failures]
    notes += [f"new: {one.name}: only head has it" for one in new if one.name not in there]
    notes += [f"gone: {one.name}: only base has it" for one in there.values() if one.name not in here and choose(one)]
    notes += _gone(own, asked)
    settings = {
        kind: {file.file: file.settings for file in files} for kind, files in (own["head"] or own["base"]).items()
    }
    return Selected(
        benchmarks=shared,
        settings=settings,
        new=frozenset(new),
        failures=failures,
        about=[_summary([*shared], asked)],
        notes=notes,
        software={arm: arm_lists.software for arm, arm_lists in lists.items()},
    )


def matches(benchmark: Benchmark, name: str) -> bool:
    """Return whether a name that the user gave means a benchmark: its name, function, file or folder, also as a pattern."""
    name = name.rstrip("/")
    if benchmark.name == name or benchmark.name.startswith((f"{name}[", f"{name}::", f"{name}(", f"{name}.")):
        return True
    if _below(benchmark.file, name):
        return True
    short = (benchmark.function.rpartition(".")[2], benchmark.name.rpartition("::")[2])
    return any(fnmatchcase(text, name) for text in (benchmark.name, benchmark.function, benchmark.file, *short) if text)


def satisfies(name: str, expression: str) -> bool:
    """Return whether a name satisfies an expression as for pytest's -k: parts of names, `and`, `or`, `not`, parentheses.

    Upper and lower case are the same. Raises UserError for an expression that is none.
    """
    words = re.findall(r"[()]|[^\s()]+", expression)
    position = 0

    def wrong() -> UserError:
        return UserError(f"-k {expression!r} is no expression: write parts of names with and, or, not and parentheses")

    def peek() -> str:
        return words[position] if position < len(words) else ""

    def step() -> str:
        nonlocal position
        position += 1
        return str(words[position - 1])

    def either() -> bool:
        found = both()
        while peek() == "or":
            step()
            found = both() or found
        return found

    def both() -> bool:
        found = one()
        while peek() == "and":
            step()
            found = one() and found
        return found

    def one() -> bool:
        if peek() in ("", ")", "and", "or"):
            raise wrong()
        word = step()
        if word == "not":
            return not one()
        if word == "(":
            found = either()
            if peek() != ")":
                raise wrong()
            step()
            return found
        return word.lower() in name.lower()

    found = either()
    if position < len(words):
        raise wrong()
    return found


def _chooser(asked: Asked, names: Sequence[str]) -> Callable[[Benchmark], bool]:
    """Return what chooses a benchmark. Raises UserError for an expression that is none."""
    satisfies("", asked.expression or "a")

    def choose(benchmark: Benchmark) -> bool:
        if asked.expression and not satisfies(benchmark.name, asked.expression):
            return False
        mine = [*asked.names, *asked.commands]
        return not mine or any(matches(benchmark, name) for name in mine)

    return choose


def check_names(asked: Asked, known: Iterable[Benchmark], failed: Collection[str] = ()) -> None:
    """Raise UserError, with the nearest names, for the first name that means no benchmark. failed: files that hold none."""
    known = list(known)
    for name in asked.names:
        if not any(matches(one, name) for one in known) and not any(_below(file, name) for file in failed):
            names = [text for one in known for text in (one.name, one.function, one.file) if text]
            raise UserError(
                f"no benchmark matches {name!r}{nearest(name, dict.fromkeys(names), 'see what is found without it')}"
            )


def _defined(kinds: Kinds) -> set[tuple[str, str]]:
    return {(file.file, function) for files in kinds.values() for file in files for function in file.functions}


def _gone(own: Mapping[str, Kinds], asked: Asked) -> list[str]:
    if asked.each or asked.names or asked.expression:
        return []
    before, now = _defined(own["base"]), _defined(own["head"])
    return [f"gone: {file}: {function}: only base has it" for file, function in sorted(before - now)]


def _is_meant(file: str, asked: Asked) -> bool:
    """Return whether a file that holds no benchmarks should: it is named, or in a folder that is, or nothing is chosen."""
    named = any(_below(file, name.partition("::")[0].rstrip("/")) for name in asked.names)
    return named or not (asked.names or asked.expression)


def _is_place(tree: Path, place: str) -> bool:
    try:
        return (tree / place).exists() and (tree / place).resolve().is_relative_to(tree.resolve())
    except (OSError, ValueError):
        return False


def _below(file: str, place: str) -> bool:
    return place == "." or file == place or file.startswith(f"{place}/")


def _summary(benchmarks: Sequence[Benchmark], asked: Asked) -> str:
    """Return what was found, by kind and file: `found: 12 benchmarks: 8 of pytest in tests/test_a.py`."""
    parts = []
    for name, kind in all_kinds().items():
        mine = [one for one in benchmarks if one.kind == name]
        files = sorted({one.file for one in mine if one.file})
        more = f" and {len(files) - SHOWN} more files" if len(files) > SHOWN else ""
        where = f" in {', '.join(files[:SHOWN])}{more}" if files else ""
        if mine:
            parts.append(f"{len(mine)} of {kind.NAME}{where}")
    chosen = "chosen" if asked.names or asked.expression else "found"
    plural = "" if len(benchmarks) == 1 else "s"
    return f"{chosen}: {len(benchmarks)} benchmark{plural}: {'; '.join(parts)}" if parts else f"{chosen}: no benchmarks"


def _nothing(asked: Asked) -> str:
    looked = "; ".join(f"{kind.NAME}: {kind.LOOKS_FOR}" for kind in all_kinds().values() if kind.LOOKS_FOR)
    named = f" for {', '.join(map(repr, asked.names))}" if asked.names else ""
    return f"no benchmarks found{named}. Looked for {looked}. Name others as file.py:function, or with --command"
