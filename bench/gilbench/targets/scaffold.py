"""`gilbench new`: files to start from: a module of workloads, whose text is template.py, or workflows, which are in ci/."""

from __future__ import annotations

import importlib.util
import keyword
from pathlib import Path

from gilbench.errors import UserError

CI = "ci"  # the name that asks for workflows
WORKFLOWS = Path(".github") / "workflows"


def new_ci(folder: Path) -> list[Path]:
    """Write GitHub workflows that check pull requests into a project's folder; return their paths.

    Raises UserError where one of them is there already, or cannot be written. Nothing is written over.
    """
    templates = sorted(Path(__file__).with_name(CI).glob("*.yml"))
    paths = [folder / WORKFLOWS / template.name for template in templates]
    for path in paths:
        if path.exists():
            raise UserError(f"{path} already exists: delete it, or edit it")
    try:
        for template, path in zip(templates, paths, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(template.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    return paths


def new(name: str, folder: Path) -> Path:
    """Write NAME.py into a folder and return its path. Raises UserError where the name is taken or no module can have it."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UserError(f"{name!r} cannot name a module: use letters, digits and _, such as my_work (.py is added)")
    path = folder / f"{name}.py"
    if path.exists() or path.with_suffix("").exists():
        raise UserError(f"{path if path.exists() else path.with_suffix('')} already exists: choose another name")
    if name == "__main__" or importlib.util.find_spec(name):
        raise UserError(f"another module is named {name!r}, and {path.name} would hide it: choose another name")
    text = Path(__file__).with_name("template.py").read_text(encoding="utf-8").replace("NAME", name)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    return path
