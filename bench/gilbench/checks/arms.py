"""Arms: which software runs a case. A spec names a source tree, an interpreter, and packages; an arm has them ready to run.

The folders of both arms have paths of the same length. Each holds a snapshot of its tree: a temporary git worktree of a
revision, or a copy of a checkout's files. The measuring code is the same in both arms; the workloads, and whatever else the
tree holds, come from the arm. The user's checkout, index, and stash are not touched.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gilbench import variables
from gilbench.console import printable
from gilbench.errors import UserError
from gilbench.process import interpreters
from gilbench.process.environments import copy_code, environment

ASK = """
import json
from gilbench.machine import fingerprint
from gilbench.targets.builtin import all_workloads
keep = ("name", "family", "representative", "collection", "pinned", "modules", "threshold")
found = [{key: getattr(workload, key, None) for key in keep} for workload in all_workloads().values()]
print(json.dumps({"workloads": found, "machine": fingerprint()}))
"""
KEYS = ("rev", "path", "python", "with")
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "venv", "node_modules", "__pycache__", ".cache", "*.pyc")


@dataclass(frozen=True)
class Spec:
    """What the user asks for. rev: git revision. path: folder. python: version or path. packages: requirements."""

    text: str
    rev: str | None = None
    path: str | None = None
    python: str | None = None
    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arm:
    """An arm that can be measured.

    name: "base" or "head". folder: holds `harness` (our code) and `tree` (the arm's sources; if these are gilbench's own, the
    workloads come from there). python: the interpreter's path. label: what the arm is, for people.
    """

    name: str
    folder: Path
    python: str
    label: str

    @property
    def tree(self) -> Path:
        """The folder of the arm's sources: on the import path, only the harness comes before it."""
        return self.folder / "tree"

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of this arm's workers."""
        path = os.pathsep.join(str(self.folder / part) for part in ("harness", "tree", "tree/src"))
        families = self.tree / "workloads" if (self.tree / "bench" / "gilbench").is_dir() else ""
        return {"PYTHONPATH": path, "PYTHONPYCACHEPREFIX": "", variables.WORKLOADS: str(families)}


@dataclass(frozen=True)
class Known:
    """What an arm says about itself before anything is measured.

    workloads: name -> some fields of Workload. machine: fingerprint, as in gilbench.machine.
    """

    workloads: Mapping[str, Mapping[str, Any]]
    machine: Mapping[str, Any]


def ask(arm: Arm) -> Known:
    """Ask an arm for its workloads and versions. Raises UserError where it cannot be imported."""
    done = subprocess.run(
        [arm.python, "-P", "-c", ASK],
        capture_output=True,
        text=True,
        env={**os.environ, **arm.environment},
        cwd=arm.folder,
        check=False,
    )
    try:
        found = json.loads(done.stdout.splitlines()[-1])
        return Known({workload["name"]: workload for workload in found["workloads"]}, found["machine"])
    except (ValueError, IndexError, KeyError, TypeError):
        said = (done.stderr.strip() or "it said nothing").splitlines()[-1].removeprefix("gilbench.errors.UserError: ")
        missing = re.search("No module named '(dask|numpy|pandas|pyperf|psutil|scipy|click|threadpoolctl)", said)
        fix = ""
        if missing:
            fix = f": install gilbench's packages there, or add with={missing[1]} for an environment of its own"
        raise UserError(f"{arm.name} ({arm.label}) cannot be imported: {printable(said)}{fix}") from None


def parse(text: str) -> Spec:
    """Read a spec: a git revision, or `key=value` pairs separated by commas; `with` may come several times.

    >>> parse("main").rev, parse("rev=main,with=pandas==3.0.3,with=numpy>=2,<3").packages
    ('main', ('pandas==3.0.3', 'numpy>=2,<3'))

    Raises UserError for anything else.
    """
    if not re.match(r"\w+=", text):
        return Spec(text, rev=text)
    found: dict[str, Any] = {}
    packages = []
    for pair in re.split(r",(?=\w+=[^=])", text):
        key, _, value = pair.partition("=")
        if key not in KEYS or not value:
            raise UserError(
                f"{text!r} is not an arm: write a git revision, or {'=, '.join(KEYS)}= pairs separated by commas"
            )
        if key == "with":
            packages.append(value)
        elif key in found:
            raise UserError(f"{text!r} names {key}= twice")
        else:
            found[key] = value
    if "rev" in found and "path" in found:
        raise UserError(f"{text!r} names both rev= and path=: leave one out")
    return Spec(text, packages=tuple(packages), **found)


@contextlib.contextmanager
def prepared(base: Spec, head: Spec, cache: Path) -> Iterator[tuple[Arm, Arm]]:
    """Yield both arms, ready to be measured; everything temporary is removed at the end, even after Ctrl-C.

    cache: folder that keeps the environments with other packages. What crashed checks left behind is removed first.
    Raises UserError with one line for what is not available.
    """
    remove_leftovers()
    with tempfile.TemporaryDirectory(prefix=f"gilbench-arms-{os.getpid()}-", ignore_cleanup_errors=True) as scratch:
        arms = []
        try:
            for name, spec in (("base", base), ("head", head)):
                arms.append(_prepare(name, spec, Path(scratch) / name, cache))
            yield arms[0], arms[1]
        finally:
            for name in ("base", "head"):
                _remove_worktree(Path(scratch) / name / "tree")


def _prepare(name: str, spec: Spec, folder: Path, cache: Path) -> Arm:
    folder.mkdir()
    copy_code(folder / "harness")
    where = check_out(spec, folder / "tree")
    python = interpreter(spec, cache)
    subprocess.run([python, "-P", "-m", "compileall", "-q", str(folder)], capture_output=True, check=False)
    detail = [where, *([f"python {spec.python}"] if spec.python else []), *spec.packages]
    return Arm(name, folder, python, ", ".join(detail))


def check_out(spec: Spec, to: Path) -> str:
    """Put the spec's sources into the folder `to`; return what they are, for people. Raises UserError."""
    if spec.rev is not None:
        commit = git(
            "rev-parse", "--verify", "--quiet", f"{spec.rev}^{{commit}}", wrong=f"no revision {spec.rev!r} here"
        )
        git("worktree", "add", "--quiet", "--detach", str(to), commit, wrong=f"cannot check out {spec.rev!r}")
        return f"{spec.rev} ({commit[:9]})" if not commit.startswith(spec.rev) else commit[:9]
    source = Path(spec.path).expanduser() if spec.path else Path.cwd()
    if not source.is_dir():
        raise UserError(f"no folder {spec.path!r}: path= takes another checkout")
    snapshot(source, to)
    return "working tree" if source.resolve() == Path.cwd() else str(spec.path)


def snapshot(source: Path, to: Path) -> None:
    """Copy a checkout as it is: with git, the tracked files, and the untracked ones that are not ignored."""
    command = ["git", "-C", str(source), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=False) if shutil.which("git") else None
    if listed is None or listed.returncode:
        shutil.copytree(source, to, ignore=LEFT_OUT)
        return
    for name in os.fsdecode(listed.stdout).split("\0"):
        if name and (source / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, to / name)


def interpreter(spec: Spec, cache: Path) -> str:
    """Return the path of an arm's interpreter: ours, the one named, or that of a cached environment with the packages.

    Raises UserError where the one named is missing, broken, or too old, or where a package cannot be installed.
    """
    python = interpreters.find(spec.python, option="python=").command if spec.python else sys.executable
    return environment(python, spec.packages, cache) if spec.packages else python


def remove_leftovers() -> None:
    """Remove the folders and worktrees of checks whose process is gone, such as those that were killed."""
    import psutil

    for folder in Path(tempfile.gettempdir()).glob("gilbench-arms-*"):
        pid = folder.name.split("-")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            for name in ("base", "head"):
                _remove_worktree(folder / name / "tree")
            shutil.rmtree(folder, ignore_errors=True)
    if shutil.which("git"):
        subprocess.run(["git", "worktree", "prune"], capture_output=True, check=False)


def _remove_worktree(tree: Path) -> None:
    if (tree / ".git").is_file():
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], capture_output=True, check=False)


def git(*arguments: str, wrong: str) -> str:
    """Return what git prints. Raises UserError where it fails: `wrong`, and git's own last line."""
    if shutil.which("git") is None:
        raise UserError("git is not installed: compare folders with path=")
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise UserError(f"{wrong}{f': {said[-1]}' if said else ''}")
    return done.stdout.strip()
