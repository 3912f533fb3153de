"""What is asked of an interpreter, in a process of its own: this file runs as a script, and needs only the standard library.

    python -P inside.py facts                    # the packages that are installed, and the values of markers
    python -P inside.py imported PROJECT NAME... # the file from which each package is really imported
    python -P inside.py files PROJECT            # what a project installed

The last line that is printed is JSON.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.metadata
import json
import os
import platform
import sys
from typing import Any


def facts() -> dict[str, Any]:
    """Return what is installed, which of it are plug-ins of pytest, and what this interpreter is.

    installed: name, as in metadata but in lower case with dashes -> {version, requires, released, plugin}. released: whether
    it came from an index rather than from a folder or an address. markers: as PEP 508 names them.
    """
    installed = {}
    for found in importlib.metadata.distributions():
        name = found.metadata["Name"]
        if name and _normal(name) not in installed:
            installed[_normal(name)] = {
                "version": found.version,
                "requires": found.requires or [],
                "released": found.read_text("direct_url.json") is None,
                "plugin": any(entry.group == "pytest11" for entry in found.entry_points),
            }
    version = sys.implementation.version
    level = "" if version.releaselevel == "final" else f"{version.releaselevel[0]}{version.serial}"
    return {
        "installed": installed,
        "prefix": sys.prefix,
        "markers": {
            "implementation_name": sys.implementation.name,
            "implementation_version": f"{version.major}.{version.minor}.{version.micro}{level}",
            "os_name": os.name,
            "platform_machine": platform.machine(),
            "platform_python_implementation": platform.python_implementation(),
            "platform_release": platform.release(),
            "platform_system": platform.system(),
            "platform_version": platform.version(),
            "python_full_version": platform.python_version(),
            "python_version": ".".join(platform.python_version_tuple()[:2]),
            "sys_platform": sys.platform,
        },
    }


def imported(project: str, *names: str) -> dict[str, Any]:
    """Import packages; return for each the file, or for a namespace the folder, that it came from.

    project: the name of the installed project, or "". names: of packages; where there are none, what the project installed.
    Where several are asked for, those that cannot be imported are left out; where none can be, what it raises ends the process.
    """
    found: dict[str, str] = {}
    raised: list[BaseException] = []
    for name in names or _installed_by(project):
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a package may raise anything
            raised.append(error)
            continue
        file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "built in")
        found[name] = os.path.realpath(file)
    if raised and not found:
        raise raised[0]
    return {"imported": found, "prefix": os.path.realpath(sys.prefix)}


def files(project: str) -> dict[str, str]:
    """Return what an installed project brought, apart from scripts and metadata: the place in site-packages -> the path."""
    try:
        found = importlib.metadata.files(project) or []
    except (importlib.metadata.PackageNotFoundError, ValueError):  # ValueError: no name
        return {}
    apart = ("..", "__pycache__")
    return {
        file.as_posix(): os.fspath(file.locate())
        for file in found
        if not set(apart) & set(file.parts) and not file.parts[0].endswith((".dist-info", ".data"))
    }


def _installed_by(project: str) -> list[str]:
    """Return the top-level packages and modules that an installed project brought, as its record says."""
    try:
        files = importlib.metadata.files(project) or []
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return []
    suffixes = (".py", *importlib.machinery.all_suffixes())
    tops = set()
    for file in files:
        top = file.parts[0]
        if len(file.parts) == 1:
            if str(file).endswith(suffixes):
                tops.add(top.partition(".")[0])
        elif str(file).endswith(suffixes) and top.isidentifier():
            tops.add(top)
    tops = {top for top in tops if top.isidentifier() and not top.startswith("__editable__")}
    same = {top for top in tops if _normal(top) == _normal(project)}
    return sorted(same or tops)


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


if __name__ == "__main__":
    asked, *arguments = sys.argv[1:]
    answer = facts() if asked == "facts" else files(*arguments) if asked == "files" else imported(*arguments)
    print(json.dumps(answer))
