"""Virtual environments for other interpreters than ours: made once and kept.

Only what is measured runs there. The measuring code is a snapshot of ours, and dask, pandas and the other packages that we
require are not newer than ours. So where the versions are the same, differences between interpreters are their own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from gilbench import workloads
from gilbench.console import Say
from gilbench.errors import UserError
from gilbench.process.interpreters import APART, Interpreter, Run, complaint, execute

Install = Callable[[str, Mapping[str, str]], dict[str, str]]

# As pip and uv word it.
UNREACHABLE = re.compile("(?i)connection broken|connection error|error sending request|failed to fetch")
HARD = ("click", "cloudpickle", "dask", "psutil", "pyperf", "threadpoolctl")  # every worker imports these
WHEELS = ("numpy", "pandas", "pyarrow", "scipy")  # building these needs compilers for three languages, and half an hour
SCRIPT = 100_000  # bytes; a larger file is no script that an installer wrote
OURS = ("jinja2", "matplotlib", "rich")  # page, charts and terminal: no worker imports them


@dataclass(frozen=True)
class Need:
    """A requirement of ours, in parts. bounds: versions, followed by `;` and a marker if there is one."""

    name: str
    extras: str
    bounds: str

    def text(self, *, extras: bool = True, newer: bool = False) -> str:
        """Return it for an installer. newer: versions newer than the one here are accepted too."""
        bounds, semicolon, marker = self.bounds.partition(";")
        with contextlib.suppress(PackageNotFoundError):
            if not newer:
                # `<=` accepts no local version, such as the "+cpu" of 2.0+cpu.
                bounds = f"{bounds}{',' if bounds else ''}<={version(self.name).partition('+')[0]}"
        return f"{self.name}{self.extras if extras else ''}{bounds}{semicolon}{marker}"


def measuring(
    interpreter: Interpreter, cache: Path, say: Say, run: Run = execute, packages: Sequence[str] = ()
) -> tuple[Path, dict[str, str]]:
    """Return an interpreter's environment for workers, and package -> why it is missing there. Made once, then kept.

    packages: requirements in place of ours for the same packages. Raises UserError with one line where one of them, or a
    package that every worker needs, is not available.
    """
    given = {re.split(r"[^\w.-]", text, maxsplit=1)[0].lower() for text in packages}
    needs = [need for need in _needs() if need.name not in OURS and need.name.lower() not in given]

    def install(binary: str, variables: Mapping[str, str]) -> dict[str, str]:
        if packages:
            done = run([*installer(binary, wheels=True), *packages], variables)
            if done.returncode:
                raise UserError(f"no environment for {interpreter.label} with {' '.join(packages)}: {complaint(done)}")
        return _install_available(interpreter, binary, needs, packages, variables, run)

    key = [interpreter.path, interpreter.version, interpreter.tag, *(need.text() for need in needs), *packages]
    how = "uv" if shutil.which("uv") else "pip"
    return kept(
        cache, key, interpreter.path, install, run,
        lambda: say(f"making an environment for {interpreter.label} with {how}, once: this takes a minute or two"),
    )  # fmt: skip


def environment(python: str, packages: Sequence[str], cache: Path, run: Run = execute) -> str:
    """Return the interpreter of a virtual environment with our dependencies and these packages; made once, then kept.

    Raises UserError with one line where any of them is not available.
    """
    needs = own_requirements()

    def install(binary: str, variables: Mapping[str, str]) -> dict[str, str]:
        done = run([*installer(binary), *packages, *needs], variables)
        if done.returncode:
            raise UserError(f"no environment with {' '.join(packages)}: {complaint(done)}")
        return {}

    folder, _ = kept(cache, [os.path.realpath(python), needs, list(packages)], python, install, run, lambda: None)
    return str(binary_of(folder))


def own_requirements() -> list[str]:
    """Return what gilbench requires, as an installer takes it. Raises UserError where gilbench is not installed."""
    return [need.text(newer=True) for need in _needs()]


def _needs() -> list[Need]:
    """Return what gilbench requires, as its own metadata says."""
    try:
        texts = requires("gilbench") or []
    except PackageNotFoundError:
        raise UserError(
            "gilbench is not installed here, so what it needs is not known: make setup installs it"
        ) from None
    parts = [re.match(r"([\w.-]+)\s*(\[[^]]*])?\s*(.*)", text) for text in texts if "extra ==" not in text]
    return [Need(part[1], part[2] or "", part[3]) for part in parts if part]


def _install_available(
    interpreter: Interpreter,
    binary: str,
    needs: Sequence[Need],
    packages: Sequence[str],
    variables: Mapping[str, str],
    run: Run,
) -> dict[str, str]:
    """Install all at once, or else one by one; return package -> why it is missing. Raises UserError for one in HARD.

    packages: already there, and named each time, so that none of the others replaces them.
    """
    command = [*installer(binary, wheels=True), *packages]
    done = run([*command, *(need.text() for need in needs)], variables)
    if not done.returncode:
        return {}
    if UNREACHABLE.search(done.stderr):  # one by one they would fail too, after minutes
        raise UserError(
            f"no environment for {interpreter.label}: the package index cannot be reached: check the network"
        )
    refused = {}
    for need in sorted(needs, key=lambda need: need.name not in HARD):
        reason = _install_one(command, need, variables, run)
        if reason and need.name in HARD:
            raise UserError(f"every worker needs {need.name}, which is not available for {interpreter.label}: {reason}")
        if reason:
            refused[need.name] = reason
    return refused


def _install_one(command: Sequence[str], need: Need, variables: Mapping[str, str], run: Run) -> str:
    """Install a package, newer than ours only where it must be; return why it is not available, or nothing.

    Its extras are left out, because the list itself names what they require.
    """
    for newer in (False, True):
        done = run([*command, need.text(extras=False, newer=newer)], variables)
        if not done.returncode:
            return ""
    return complaint(done)


def installer(binary: str, *, wheels: bool = False) -> list[str]:
    """Return a command that installs the requirements added to it. wheels: never build what is hard to build."""
    uv = shutil.which("uv")
    if uv:
        only = [part for package in WHEELS for part in ("--only-binary", package)] if wheels else []
        return [uv, "pip", "install", "--quiet", "--python", binary, "--compile-bytecode", *only]
    only = ["--prefer-binary", "--only-binary", ",".join(WHEELS)] if wheels else []
    pip = [binary, "-P", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--compile"]
    return [*pip, *only]


def kept(
    cache: Path, key: Sequence[Any], python: str, install: Install, run: Run, making: Callable[[], object]
) -> tuple[Path, dict[str, str]]:
    """Return the environment of that key, and what `install` returned when it was made. A broken one is made again.

    making: called first where it has to be made. Raises UserError where the cache cannot be written.
    """
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    folder = cache.absolute() / "environments" / name
    said = _ready(folder)
    if said is None:
        making()
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            _remove_half_made(folder)
            said = _make(folder, python, install, run)
        except OSError as error:
            raise UserError(f"cannot make {folder}: {error.strerror}; set GILBENCH_CACHE to another folder") from error
    return folder, said


def _ready(folder: Path) -> dict[str, str] | None:
    """Return what `install` returned for an environment; None where it is incomplete, or its interpreter is gone."""
    try:
        said = json.loads((folder / "ready").read_text())
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) and binary_of(folder).exists() else None


def _make(folder: Path, python: str, install: Install, run: Run) -> dict[str, str]:
    """Make an environment next to its place, and move it there when it is complete; return what `install` returns.

    So nobody finds half of one, and two processes that make the same one at the same time do not disturb each other.
    """
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        uv = shutil.which("uv")
        creator = [uv, "venv", "--quiet", "--no-project", "--python", python] if uv else [python, "-P", "-m", "venv"]
        done = run([*creator, str(unfinished)], APART)
        if done.returncode:
            raise UserError(f"{python} cannot make a virtual environment: {complaint(done)}")
        scratch = unfinished / "tmp"  # an installer that is killed leaves its temporary files behind
        scratch.mkdir(parents=True)
        said = install(str(binary_of(unfinished)), {**APART, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))})
        shutil.rmtree(scratch, ignore_errors=True)
        (unfinished / "ready").write_text(json.dumps(said))
        _lead_to(folder, unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if _ready(folder) is None:  # else another process was quicker
                raise
        return said
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _lead_to(place: Path, made: Path) -> None:
    """Let the scripts of an environment name the interpreter at the place where the environment will be."""
    for script in binary_of(made).parent.iterdir():
        if script.is_file() and not script.is_symlink() and script.stat().st_size < SCRIPT:
            text = script.read_bytes()
            if os.fsencode(made) in text and b"\0" not in text:
                script.write_bytes(text.replace(os.fsencode(made), os.fsencode(place)))


def _remove_half_made(folder: Path) -> None:
    """Remove a broken environment from its place, and whatever killed processes were making next to it."""
    import psutil

    shutil.rmtree(folder, ignore_errors=True)
    for left in folder.parent.glob("*.*"):
        pid = left.name.rpartition(".")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def binary_of(folder: Path) -> Path:
    """Return the interpreter of the virtual environment in a folder."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def copy_code(to: Path) -> None:
    """Copy the package gilbench, its workloads included, into a folder, as an installation has it."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(__file__).parents[1], to / "gilbench", ignore=ignored)
    for families in workloads.__path__:
        shutil.copytree(families, to / "gilbench" / "workloads", ignore=ignored, dirs_exist_ok=True)
