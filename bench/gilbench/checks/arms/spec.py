"""Specs: what the user writes for an arm, read into parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gilbench.errors import UserError

KEYS = ("rev", "path", "release", "python", "with")
SOURCES = ("rev", "path", "release")  # at most one of these
RELEASE = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w\s,.-]+])?===?[^\s=,;]+")  # package==1.2


@dataclass(frozen=True)
class Spec:
    """What the user asks for.

    rev: git revision. path: folder. release: requirement like `package==1.2`. python: version or path. packages:
    requirements.
    """

    text: str
    rev: str | None = None
    path: str | None = None
    release: str | None = None
    python: str | None = None
    packages: tuple[str, ...] = ()


def parse(text: str) -> Spec:
    """Read a spec: a git revision, a release, or `key=value` pairs separated by commas; `with` may come several times.

    >>> parse("main").rev, parse("attrs==25.1.0").release
    ('main', 'attrs==25.1.0')
    >>> parse("rev=main,with=pandas==3.0.3,with=numpy>=2,<3").packages
    ('pandas==3.0.3', 'numpy>=2,<3')

    Raises UserError for anything else.
    """
    if RELEASE.fullmatch(text):
        return Spec(text, release=text)
    if not re.match(r"\w+=", text):
        return Spec(text, rev=text)
    found: dict[str, Any] = {}
    packages = []
    for pair in re.split(r",(?=\w+=[^=])", text):
        key, _, value = pair.partition("=")
        if key not in KEYS or not value:
            raise UserError(
                f"{text!r} is not an arm: write a git revision, a release like package==1.2, or {'=, '.join(KEYS)}= pairs "
                "separated by commas"
            )
        if key == "with":
            packages.append(value)
        elif key in found:
            raise UserError(f"{text!r} names {key}= twice")
        else:
            found[key] = value
    named = [key for key in SOURCES if key in found]
    if len(named) > 1:
        raise UserError(f"{text!r} names both {'= and '.join(named[:2])}=: leave one out")
    if "release" in found and not RELEASE.fullmatch(found["release"]):
        raise UserError(f"{text!r}: release= takes a package and its version, like release=package==1.2")
    return Spec(text, packages=tuple(packages), **found)
