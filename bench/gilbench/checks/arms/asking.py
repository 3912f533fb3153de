"""Questions to an interpreter before anything is measured: what is installed there, and where a package comes from."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from gilbench.checks.arms import inside
from gilbench.checks.arms.arm import Arm
from gilbench.console import printable
from gilbench.errors import UserError
from gilbench.process.interpreters import APART, Done, complaint, execute

SCRIPT = str(Path(inside.__file__))
TOOLS = ("asv", "asv-runner", "pyperf", "pytest")  # that run benchmarks; plug-ins of pytest come with it


@dataclass(frozen=True)
class Facts:
    """What an interpreter says about itself, as arms/inside.py has it.

    installed: name -> {version, requires, released, plugin}. markers: the variables of PEP 508. prefix: its environment's folder.
    """

    installed: Mapping[str, Mapping[str, Any]]
    markers: Mapping[str, str]
    prefix: str = ""

    def unmet(self, requirements: Sequence[str], requires_python: str = "") -> str:
        """Return the first requirement that is not satisfied here, or "" where all of them are."""
        try:
            if not SpecifierSet(requires_python).contains(self.markers["python_full_version"], prereleases=True):
                return f"Python {requires_python}"
        except InvalidSpecifier:
            return f"Python {requires_python}"
        return next((text for text in requirements if not self._met(text)), "")

    def _met(self, text: str) -> bool:
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            return False
        if wanted.marker and not wanted.marker.evaluate({**self.markers, "extra": ""}):
            return True
        found = self.installed.get(canonicalize_name(wanted.name))
        return found is not None and not wanted.url and wanted.specifier.contains(found["version"], prereleases=True)

    def requirements_of(self, project: str) -> tuple[str, ...] | None:
        """Return what an installed project requires without its extras; None where it is not installed."""
        found = self.installed.get(canonicalize_name(project)) if project else None
        return None if found is None else tuple(text for text in found["requires"] if "extra ==" not in text)

    def tools(self, without: Sequence[str] = ()) -> tuple[str, ...]:
        """Return requirements for what runs benchmarks, in the versions that are installed here. without: names to leave out."""
        apart = {canonicalize_name(name) for name in without}
        return tuple(
            f"{name}=={found['version']}"
            for name, found in sorted(self.installed.items())
            if (name in TOOLS or found["plugin"]) and found["released"] and name not in apart
        )


@dataclass(frozen=True)
class Origin:
    """Where an arm's packages come from. imported: package -> file. wrong: why the arm cannot be used, or ""."""

    imported: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""


def facts_of(python: str) -> Facts:
    """Ask an interpreter what is installed there. Raises UserError where it does not answer."""
    done = execute([python, "-P", SCRIPT, "facts"], APART)
    said = _last_line(done)
    if said is None:
        raise UserError(f"{python} does not say what is installed there: {complaint(done)}")
    return Facts(said["installed"], said["markers"], said["prefix"])


def origin_of(arm: Arm, project: str, packages: Sequence[str], *, installed: bool) -> Origin:
    """Import the packages as the arm's workers will; return their files, and whether these are the arm's own.

    project: the name of the installed project, whose packages count where `packages` is empty. installed: whether the
    arm's interpreter belongs to an environment that was made for it, from where its packages may come.
    """
    done = execute([arm.python, "-P", SCRIPT, "imported", project, *packages], arm.environment, arm.folder)
    said = _last_line(done)
    if said is None:
        return Origin(wrong=f"{' or '.join(packages) or project} cannot be imported: {last_of(done)}")
    own = (os.path.realpath(arm.tree), *([said["prefix"]] if installed else []))
    for package, file in said["imported"].items():
        if not any(Path(file).is_relative_to(folder) for folder in own):
            return Origin(said["imported"], f"{package} is imported from {file}, which is not {arm.name}'s")
    return Origin(said["imported"])


def files_of(python: str, project: str) -> dict[str, str]:
    """Return what a project installed, apart from scripts and metadata: the place in site-packages -> the path."""
    return _last_line(execute([python, "-P", SCRIPT, "files", project], APART)) or {}


def shared(base: Mapping[str, str], head: Mapping[str, str]) -> str:
    """Return a sentence that names a file which both arms import, or "". base, head: package -> file."""
    for package in sorted(set(base) & set(head)):
        if base[package] == head[package]:
            return f"both arms import {package} from {base[package]}"
    return ""


def last_of(done: Done) -> str:
    """Return the last line that a process printed, without control characters."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return printable((lines or [f"exit code {done.returncode}"])[-1][:300])


def active_python() -> str:
    """Return the interpreter of the environment that is active: the one that VIRTUAL_ENV names, or else ours."""
    folder = os.environ.get("VIRTUAL_ENV")
    binary = Path(folder or "") / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return (
        str(binary) if folder and binary.exists() and not binary.parent.parent.samefile(sys.prefix) else sys.executable
    )


def _last_line(done: Done) -> Any:
    try:
        return None if done.returncode else json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return None
