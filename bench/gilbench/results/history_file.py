"""The history of a project's checks: a file with one JSON line for each check of each benchmark, made to be merged by git.

Lines are only ever appended, and revisions are ordered by the time of their commits (within a second, as in the file). So a
merge of two branches is right if it keeps the lines of both, which `merge=union` in .gitattributes does; a line that is there
twice counts once. Each line states the version of its format, because a union has no place for a header.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gilbench.errors import UserError
from gilbench.results.format_version import HISTORY_FORMAT, check_version
from gilbench.results.records import MALFORMED
from gilbench.results.verdicts import Revision, Verdicts, revision

KEY: Final = "gilbench_history"


@dataclass(frozen=True)
class Entry:
    """One check of one benchmark: how long it takes in head, compared with base.

    ratio, low, high: time of head over that of base with its 95 % interval; above 1 head is slower. base_seconds: base's
    median, on the machine of the check. n: epochs behind the ratio.
    """

    benchmark: str
    base: Revision
    head: Revision
    ratio: float
    low: float
    high: float
    base_seconds: float
    n: int


def entries_of(verdicts: Verdicts) -> list[Entry]:
    """Return an entry for each benchmark of a check whose ratio has an interval.

    Raises UserError if the arms are not two commits that differ in nothing else, and for verdicts of speed-ups.
    """
    if verdicts.revisions is None or verdicts.of != "time":
        raise UserError(
            f"a history holds checks of one commit against another, not of {verdicts.head} against {verdicts.base}"
        )
    base, head = verdicts.revisions
    if base.commit == head.commit:
        raise UserError(f"base and head are the same commit, {base.commit[:9]}: name another --base")
    return [
        Entry(line.case, base, head, line.ratio, line.low, line.high, line.base, line.n)
        for line in verdicts.lines
        if not line.reason and line.low > 0 and all(map(math.isfinite, (line.ratio, line.high, line.base)))
    ]


def read(path: Path) -> list[Entry]:
    """Return the entries of a history, each once, in the order of the file.

    Raises UserError, which names the line, if the file cannot be read, has a newer format, or holds anything else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}: make it with `gilbench check --history FILE`"
        ) from error
    except UnicodeError as error:
        raise UserError(f"{path} is not a history of gilbench: it is not text in UTF-8") from error
    return list(dict.fromkeys(_entry(line, f"{path}:{i}") for i, line in enumerate(lines, 1) if line.strip()))


def append(path: Path, entries: Sequence[Entry]) -> int:
    """Append the entries that the file does not hold yet, and return their number. A file is made if there is none.

    Raises UserError if the file holds anything else than a history, or cannot be written; it then stays as it is.
    """
    known = set(read(path)) if path.exists() else set()
    new = [entry for entry in dict.fromkeys(entries) if entry not in known]
    if not new:
        return 0
    text = "".join(f"{as_line(entry)}\n" for entry in new)
    try:
        with path.open("a+b") as file:
            if file.tell():
                file.seek(-1, 2)
                text = text if file.read(1) == b"\n" else f"\n{text}"  # an editor has left out the last end of line
            file.write(text.encode())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    return len(new)


def as_line(entry: Entry) -> str:
    """Return an entry as a line of JSON, without its end."""
    return json.dumps({KEY: HISTORY_FORMAT, **asdict(entry)})


def is_history(path: Path) -> bool:
    """Return whether a file looks like a history, judging by its first bytes."""
    try:
        with path.open(errors="replace") as file:
            return f'"{KEY}"' in file.read(100)
    except OSError:
        return False


def _entry(line: str, place: str) -> Entry:
    """Return the entry of a line. place: file and number of the line."""
    if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
        raise UserError(f"{place} is a mark of a merge conflict: keep the lines of both sides, and delete the marks")
    try:
        data = json.loads(line)
        check_version(data[KEY], HISTORY_FORMAT, Path(place))
        return _checked(data)
    except MALFORMED as error:
        raise UserError(f"{place} is not a line of a history of gilbench: delete it, or name another file") from error


def _checked(data: dict[str, Any]) -> Entry:
    entry = Entry(
        benchmark=data["benchmark"],
        base=revision(data["base"]),
        head=revision(data["head"]),
        ratio=float(data["ratio"]),
        low=float(data["low"]),
        high=float(data["high"]),
        base_seconds=float(data["base_seconds"]),
        n=int(data["n"]),
    )
    sane = 0 < entry.low <= entry.ratio <= entry.high < math.inf and 0 < entry.base_seconds < math.inf and entry.n > 0
    if not isinstance(entry.benchmark, str) or not sane or entry.base.commit == entry.head.commit:
        raise ValueError(entry)
    return entry
