"""`gilbench new NAME`: a module to start from, for the user's own workloads. Its text is that of template.py."""

from __future__ import annotations

import importlib.util
import keyword
from pathlib import Path

from gilbench.errors import UserError


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
