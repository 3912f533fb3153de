"""The verdicts of a check or of a comparison, as data."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from gilbench.errors import UserError
from gilbench.results.format_version import VERDICTS_FORMAT, check_version

Kind = Literal["regression", "failed", "inconclusive", "improvement", "same"]
# From the most to the least important.
KINDS: tuple[Kind, ...] = ("regression", "failed", "inconclusive", "improvement", "same")
TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@dataclass(frozen=True)
class Line:
    """One case.

    kind: regression, improvement, same, inconclusive, or failed (which says nothing about head).
    ratio, low, high: time of head over that of base with its interval; above 1 is worse. NaN, 0 and infinity if
        unknown. For speed-ups (see `Verdicts.of`) it is that of base over that of head; again, above 1 is worse.
    detectable: the smallest change for the worse, as a fraction, that would have been found in 80 % of tries.
    threshold: the change that matters, as a fraction. base, head: medians in seconds (or speed-ups); NaN if unknown.
    n: epochs behind the ratio, or processes on the side that has fewer. seconds: wall time that the decision took.
    reason: how the case failed; empty if it did not.
    """

    case: str
    kind: Kind
    ratio: float = math.nan
    low: float = 0.0
    high: float = math.inf
    detectable: float = math.inf
    threshold: float = 0.03
    base: float = math.nan
    head: float = math.nan
    n: int = 0
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Revision:
    """A git commit. commit: its full hash. time: when it was committed, in UTC, as 2026-01-31T23:59:59Z."""

    commit: str
    time: str


@dataclass(frozen=True)
class Verdicts:
    """All cases of one check or comparison.

    base, head: names of the arms. of: "time" or "speed-up". about: lines on what differs between the arms.
    notes: lines on what else was noticed. lines: one for each case. revisions: the commits of base and head, if the arms
    are two commits and differ in nothing else.
    """

    base: str
    head: str
    lines: tuple[Line, ...]
    about: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    of: str = "time"
    revisions: tuple[Revision, Revision] | None = None

    @property
    def headline(self) -> str:
        """The number of cases of each kind, worst first: `1 regression, 5 same`."""
        counts = Counter(line.kind for line in self.lines)
        return ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind]) or "nothing was measured"


OK, REGRESSION, ERROR, NOTHING, INCONCLUSIVE = 0, 1, 2, 3, 4  # exit codes


def exit_code(verdicts: Verdicts, *, strict: bool) -> int:
    """Return 0 (OK), 1 (regression), 2 (error), 3 (nothing measured) or, only if strict, 4 (inconclusive)."""
    kinds = [line.kind for line in verdicts.lines]
    if "regression" in kinds:
        return REGRESSION
    if "failed" in kinds:
        return ERROR
    if not any(line.n for line in verdicts.lines):
        return NOTHING
    return INCONCLUSIVE if strict and "inconclusive" in kinds else OK


def ordered(lines: Sequence[Line]) -> list[Line]:
    """Return the lines, worst first."""
    return sorted(lines, key=lambda line: (KINDS.index(line.kind), -line.ratio if math.isfinite(line.ratio) else 0.0))


def load(path: Path) -> Verdicts:
    """Read what the format `json` wrote.

    Raises UserError, with a message of one line, if the file cannot be read, holds no verdicts or has a newer format.
    """
    try:
        data = json.loads(path.read_text())
        check_version(data["gilbench_verdicts"], VERDICTS_FORMAT, path)
        return Verdicts(
            base=_text(data["base"]),
            head=_text(data["head"]),
            lines=tuple(_line(line) for line in data["cases"]),
            about=tuple(_text(line) for line in data["about"]),
            notes=tuple(_text(line) for line in data["notes"]),
            of=data["of"] if data["of"] in ("time", "speed-up") else "time",
            revisions=_revisions(data.get("revisions")),  # absent from files of earlier checkouts
        )
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise UserError(f"{path} holds no verdicts of gilbench: make it with `gilbench check --json FILE`") from error


def revision(data: Mapping[str, Any]) -> Revision:
    """Return a revision from plain data. Raises KeyError, TypeError or ValueError for what is none."""
    found = Revision(_text(data["commit"]), _text(data["time"]))
    if not re.fullmatch(r"[0-9a-f]{40,64}", found.commit) or not re.fullmatch(TIME, found.time):
        raise ValueError(found)
    return found


def is_verdicts(path: Path) -> bool:
    """Return whether a file looks like verdicts, judging by its first bytes."""
    try:
        with path.open(errors="replace") as file:
            return '"gilbench_verdicts"' in file.read(100)
    except OSError:
        return False


def _line(data: Mapping[str, Any]) -> Line:
    if data["kind"] not in KINDS:
        raise ValueError(data["kind"])

    def number(name: str, unknown: float) -> float:
        return unknown if data[name] is None else float(data[name])

    line = Line(
        case=_text(data["case"]),
        kind=data["kind"],
        ratio=number("ratio", math.nan),
        low=number("low", 0.0),
        high=number("high", math.inf),
        detectable=number("detectable", math.inf),
        threshold=float(data["threshold"]),
        base=number("base", math.nan),
        head=number("head", math.nan),
        n=int(data["n"]),
        seconds=float(data["seconds"]),
        reason=_text(data["reason"]),
    )
    above_0 = (line.ratio, line.high, line.base, line.head, line.threshold)  # all but the threshold may also be NaN
    sane = line.low >= 0 and line.n >= 0 and line.seconds >= 0 and 0 < line.threshold < math.inf
    if not sane or any(number <= 0 for number in above_0):
        raise ValueError(line)
    return line


def _revisions(data: Sequence[Mapping[str, Any]] | None) -> tuple[Revision, Revision] | None:
    if data is None:
        return None
    base, head = data
    return revision(base), revision(head)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
