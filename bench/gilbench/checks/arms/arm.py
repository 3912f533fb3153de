"""An arm: the software that is measured, ready to run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gilbench import variables


@dataclass(frozen=True)
class Arm:
    """An arm that can be measured.

    name: "base" or "head". folder: holds `harness` (our code) and `tree` (the arm's sources; if these are gilbench's own, the
    workloads come from there). python: the interpreter's path. label: what the arm is, for people. sources: folders inside
    the tree that are on the import path, "" for the tree itself; none where the build is installed. packages: what the
    project lets people import. imported: package -> the file that it really was imported from. inside: the folder in the
    tree that is the user's current one.
    """

    name: str
    folder: Path
    python: str
    label: str
    sources: tuple[str, ...] = ("", "src")
    packages: tuple[str, ...] = ()
    imported: Mapping[str, str] = field(default_factory=dict)
    inside: str = ""

    @property
    def tree(self) -> Path:
        """The folder of the arm's sources: that of the whole repository."""
        return self.folder / "tree"

    @property
    def here(self) -> Path:
        """The user's current folder, as it is in this arm: benchmarks are found and run from there."""
        return self.tree / self.inside

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of this arm's workers. On the import path, only the harness comes before the sources."""
        path = os.pathsep.join(map(str, (self.folder / "harness", *(self.tree / source for source in self.sources))))
        families = self.tree / "workloads" if (self.tree / "bench" / "gilbench").is_dir() else ""
        found = {"PYTHONPATH": path, "PYTHONPYCACHEPREFIX": "", variables.WORKLOADS: str(families)}
        return found | activated(self.python)


def activated(python: str) -> dict[str, str]:
    """Return the variables that make an interpreter's virtual environment the active one; none for other interpreters."""
    scripts = Path(python).parent
    if not (scripts.parent / "pyvenv.cfg").is_file():
        return {}
    path = os.pathsep.join([str(scripts), os.environ.get("PATH", os.defpath)])
    return {"VIRTUAL_ENV": str(scripts.parent), "PATH": path}
