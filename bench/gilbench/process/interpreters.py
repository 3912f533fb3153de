"""Other interpreters than ours: found by path or version, and asked what they are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gilbench.console import printable
from gilbench.errors import UserError
from gilbench.process import lifeline

Done = subprocess.CompletedProcess[str]
Run = Callable[[Sequence[str], Mapping[str, str]], Done]

OLDEST = (3, 11)
# Set for our interpreter, these would lead another one to our packages. Python takes empty ones as not set.
APART = {"PYTHONPATH": "", "PYTHONHOME": "", "PYTHONPYCACHEPREFIX": ""}
# Old interpreters have to understand it too, so that the user can be told that they are too old.
ASK = """
import sys
sys.path = [folder for folder in sys.path if folder]
import json, platform, sysconfig
print(json.dumps({
    "path": getattr(sys, "_base_executable", None) or sys.executable,
    "version": list(sys.version_info[:3]),
    "implementation": platform.python_implementation(),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """An interpreter that was asked what it is.

    path: of the one that a virtual environment would be made from. version: like "3.13.5". tag: what distinguishes it from
    others on a machine, like "3.13", "3.13t" (free-threaded) or "pypy3.11". command: what starts it with the packages that
    it was found with, which is not `path` in a virtual environment.
    """

    path: str
    version: str
    tag: str
    command: str = ""

    @property
    def name(self) -> str:
        """The tag as a part of a file's name: `py3.13t`."""
        return f"py{self.tag}" if self.tag[:1].isdigit() else self.tag

    @property
    def label(self) -> str:
        """What it is, for people: `Python 3.13.5 free-threaded`."""
        return f"Python {self.version}{' free-threaded' if self.tag.endswith('t') else ''}"


def execute(command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> Done:
    """Run a command with variables on top of the user's own. When it ends, so does everything that it started.

    folder: to run it in, instead of the current one. Raises OSError where it cannot be started.
    """
    # Python 2 would use an empty PYTHONHOME, and fail before it could report its version.
    variables = {name: value for name, value in (os.environ | environment).items() if environment.get(name) != ""}
    process = lifeline.start(list(command), variables, subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=folder)
    try:
        out, err = process.communicate()
    finally:
        lifeline.end(process)
    return Done(list(command), process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def find(name: str, run: Run = execute, option: str = "--python ") -> Interpreter:
    """Return the interpreter of a path, or of a version like "3.13t" on the PATH.

    option: what the user wrote before the name, for the messages. Raises UserError with one line where there is none, or
    only one that is too old.
    """
    refusals = []
    for place in _places(name):
        try:
            return _ask(place, f"{option}{name}", run)
        except UserError as refusal:
            refusals.append(refusal)
    if refusals:
        raise refusals[0]
    takes = option.strip()
    raise UserError(f"no interpreter {name!r}: {takes} takes a path, or a version like 3.13 or 3.13t on the PATH")


def _places(name: str) -> list[str]:
    """Return all commands of that name: the first on the PATH may be a pyenv shim of a version that is not active."""
    if not name:
        return []
    if os.sep in name or (os.altsep and os.altsep in name):
        commands, folders = [str(Path(name).expanduser().absolute())], [""]
    else:
        commands, folders = [name, f"python{name}"], os.get_exec_path()
    found = [shutil.which(command, path=folder or None) for command in commands for folder in folders]
    return list(dict.fromkeys(place for place in found if place))


def _ask(place: str, asked: str, run: Run) -> Interpreter:
    try:
        done = run([place, "-c", ASK], APART)
    except OSError as error:
        raise UserError(f"{asked} cannot be started: {error.strerror}") from error
    try:
        facts = json.loads(done.stdout.splitlines()[-1])
        path, numbers, kind = facts["path"], tuple(facts["version"]), facts["implementation"]
        threads = "t" if facts["free_threaded"] else ""
    except (ValueError, IndexError, KeyError, TypeError):
        raise UserError(f"{asked} is not a working Python: {complaint(done)}") from None
    full, short = ".".join(map(str, numbers)), ".".join(map(str, numbers[:2]))
    if numbers[:2] < OLDEST:
        raise UserError(f"{asked} is Python {full}: gilbench needs {'.'.join(map(str, OLDEST))} or newer")
    return Interpreter(path, full, f"{'' if kind == 'CPython' else kind.lower()}{short}{threads}", place)


def complaint(done: Done) -> str:
    """Return the line in which a command says why it failed: pip's and uv's last error, Python's last line, others' first."""
    lines = [line.strip() for line in (done.stderr.strip() or done.stdout.strip()).splitlines() if line.strip()]
    marked = [line.partition(": ")[2] for line in lines if re.match(r"(?i)(error|cause): ", line)]
    last = [line for line in lines[-1:] if "Traceback (most recent call last):" in lines]
    return printable((marked[-1:] or last or lines[:1] or [f"exit code {done.returncode}"])[0][:200])
