"""Which commits the arms of a check are, for the history. A history compares commits, and nothing that git does not know."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from gilbench.checks.arms import Spec
from gilbench.errors import UserError
from gilbench.results.verdicts import Revision


def commits_of(base: Spec, head: Spec, history: Path | None) -> tuple[Revision, Revision] | None:
    """Return the commits of both arms; None if an arm is none, if both are one, or if interpreter or packages differ.

    history: where the check is to be kept. Raises UserError, with the reason, if it is given and an arm is not a commit.
    """
    try:
        if (base.python, base.packages) != (head.python, head.packages):
            raise UserError("the arms differ in their interpreters or packages")
        found = _commit(base, history), _commit(head, history)
        if found[0].commit == found[1].commit:
            raise UserError(f"both are {found[0].commit[:9]}: name another --base")
        return found
    except UserError as reason:
        if history is None:
            return None
        raise UserError(f"--history holds checks of one commit against another: {reason}") from reason


def _commit(spec: Spec, history: Path | None) -> Revision:
    """Return the commit of a spec, or that of a working tree without changes. Raises UserError for anything else."""
    if spec.rev is None:
        if spec.path is None or Path(spec.path).resolve() != Path.cwd():
            raise UserError(f"{spec.text!r} is no commit")
        inside = history is not None and history.resolve().is_relative_to(Path.cwd().resolve())
        kept = [f":(exclude){os.path.relpath(history)}"] if history is not None and inside else []
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *kept)
        if changed:
            raise UserError(f"the working tree has changes ({changed.split()[-1]}): commit them first")
    form = ("--format=%H %cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ")
    found = _git("log", "-1", *form, "--end-of-options", spec.rev or "HEAD", "--")
    commit, _, time = found.partition(" ")
    return Revision(commit, time)


def _git(*arguments: str) -> str:
    """Return what git prints; times are in UTC. Raises UserError where it fails."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=False, env={**os.environ, "TZ": "UTC"}
        )
    except OSError as error:
        raise UserError(f"git cannot be run: {error.strerror}") from error
    if done.returncode or (arguments[0] == "log" and not done.stdout.strip()):
        raise UserError((done.stderr.strip().splitlines() or ["git says nothing"])[-1])
    return done.stdout.strip()
