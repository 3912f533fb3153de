"""Errors: the exception that a user's mistake raises, and the record of why something that was measured failed."""

from __future__ import annotations

import difflib
import sysconfig
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gilbench.console import printable

INTERRUPTED = 130  # exit code of a command that Ctrl-C or SIGTERM ended
LONGEST = 300  # characters of an exception's text that are shown


class UserError(Exception):
    """A mistake that the user can fix. Its text names the thing and the fix in one line, which the command line prints."""


class Unavailable(UserError):
    """Something is not available on this machine. The text says why."""


@dataclass(frozen=True)
class Failure:
    """Why a process gave no result.

    kind: "raised", "wrong answer", "killed", "timeout", or another short word for what happened. reason: one line.
    """

    kind: str
    reason: str

    def __str__(self) -> str:
        """`raised: ValueError: no`."""
        return f"{self.kind}: {self.reason}"

    def as_json(self) -> list[str]:
        """Return plain data, the same in every message, journal and result file: [kind, reason]."""
        return [self.kind, self.reason]

    @classmethod
    def from_json(cls, data: Sequence[str] | Mapping[str, str]) -> Failure:
        """Read `as_json` back; {"kind": ..., "reason": ...} is accepted too. Raises KeyError, TypeError or ValueError."""
        kind, reason = (data["kind"], data["reason"]) if isinstance(data, Mapping) else data
        return cls(kind, reason)


def check_names(kind: str, asked: Iterable[str], known: Sequence[str]) -> None:
    """Raise UserError, with the most similar names, for the first name that is not known. kind: what the names are of."""
    for name in asked:
        if name not in known:
            raise UserError(f"no {kind} is named {name!r}{nearest(name, known, 'choose from ' + ', '.join(known))}")


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return what to say after an unknown name: the names most like it, or `otherwise` where there are none."""
    near = difflib.get_close_matches(name, list(known), 3, 0.5)
    return f": did you mean {' or '.join(near)}?" if near else f": {otherwise}" if otherwise else ""


def describe(error: BaseException) -> str:
    """Return a line: the exception's type and text, its cause, and the line of the user's own code that raised it."""
    kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    text = kind + (_text_of(error) or "no message")
    cause = error.__cause__
    because = [f"from {type(cause).__name__}: {_text_of(cause)}"] if cause and _text_of(cause) else []
    apart = (str(Path(__file__).parent), *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")))
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(apart) and Path(frame.filename).is_file()]
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in own[-1:] if kind]
    about = ", ".join([*because, *getattr(error, "__notes__", ()), *places])
    return printable(f"{text[:LONGEST]} ({about[:LONGEST]})" if about else text[:LONGEST])


def _text_of(error: BaseException) -> str:
    """Return an exception's text on one line, without the traceback of another process, which some include."""
    return " ".join(str(error).removeprefix('\n"""\n').partition("Traceback (most recent call last)")[0].split())
