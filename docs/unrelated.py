"""Changes to code that no timed case touches, for docs/measure_check.py: the check must not call any of them a change."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from gilbench.checks.arms.repository import snapshot

MODULES = ("python_loops", "numpy_reductions", "csv_files", "dask_collections")  # the families that are measured
Change = Callable[[Path], None]


def changed(name: str, to: Path) -> None:
    """Copy this project into the folder `to`, and make the change called `name` there."""
    snapshot(Path.cwd(), to)
    CHANGES[name](to / "workloads")


def _on_top(code: str) -> Change:
    """Return a change that puts code below the import from __future__ in every measured module."""

    def change(folder: Path) -> None:
        for module in MODULES:
            path = folder / f"{module}.py"
            line = "from __future__ import annotations\n"
            path.write_text(path.read_text().replace(line, f"{line}\n{code}\n", 1))

    return change


def _at_the_end(code: str) -> Change:
    def change(folder: Path) -> None:
        for module in MODULES:
            path = folder / f"{module}.py"
            path.write_text(f"{path.read_text()}\n\n{code}\n")

    return change


def _functions(count: int) -> str:
    return "\n".join(
        f"def _unused_{i}(a, b={i}):\n    c = [a] * b\n    return {{x: c for x in range(b)}}\n" for i in range(count)
    )


def _new_module(folder: Path) -> None:
    (folder / "another_family.py").write_text(
        (folder / "mixed.py").read_text().replace("def half_and_half", "def another_half")
    )


def _renamed_module(folder: Path) -> None:
    (folder / "csv_files.py").rename(folder / "files_with_commas.py")
    (folder / "python_loops.py").rename(folder / "loops_in_plain_python.py")
    (folder / "numpy_reductions.py").rename(folder / "np.py")


def _renamed_functions(folder: Path) -> None:
    for module in MODULES:
        path = folder / f"{module}.py"
        path.write_text(re.sub(r"\b_(read|sum|sqrt|count|words)(\w*)\b", r"_another_name_for_\1\2", path.read_text()))


def _other_docstrings(folder: Path) -> None:
    for module in MODULES:
        path = folder / f"{module}.py"
        path.write_text(
            re.sub(r'^    """(?=\w)', '    """Once upon a time there was this: ', path.read_text(), flags=re.M)
        )


CHANGES: Mapping[str, Change] = {
    "an import: json": _on_top("import json  # noqa"),
    "an import: decimal": _on_top("import decimal  # noqa"),
    "an import: asyncio": _on_top("import asyncio  # noqa"),
    "an import: unittest.mock": _on_top("import unittest.mock  # noqa"),
    "an import: email, http and xml": _on_top("import email.message, http.client, xml.dom.minidom  # noqa"),
    "ten more functions": _at_the_end(_functions(10)),
    "two hundred more functions": _at_the_end(_functions(200)),
    "two hundred more functions on top": _on_top(_functions(200)),
    "a class": _at_the_end("class _Unused:\n    a = 1\n    def m(self):\n        return self.a\n"),
    "fifty dataclasses": _at_the_end(
        "import dataclasses as _d\n" + "\n".join(f"@_d.dataclass\nclass _D{i}:\n    x: int = {i}" for i in range(50))
    ),
    "a thousand constants": _at_the_end("\n".join(f"_CONSTANT_{i} = {i} * 1.5" for i in range(1000))),
    "a large table": _at_the_end("_TABLE = {i: str(i) for i in range(50_000)}"),
    "a megabyte of text": _at_the_end('_TEXT = "x" * 1_000_000'),
    "small objects all over the heap": _at_the_end("_OBJECTS = [object() for _ in range(30_000)][::3]"),
    "three hundred blank lines": _on_top("\n" * 300),
    "a long comment": _on_top("# nothing to see here\n" * 500),
    "other docstrings": _other_docstrings,
    "renamed functions": _renamed_functions,
    "renamed files": _renamed_module,
    "a new file": _new_module,
    "a regular expression": _at_the_end('import re as _re\n_PATTERN = _re.compile(r"(a|b)*c{3,}\\\\d+")'),
    "logging": _on_top("import logging\nlogging.getLogger(__name__).addHandler(logging.NullHandler())"),
    "an environment variable": _on_top('import os as _os\n_os.environ["GILBENCH_UNRELATED"] = "y" * 2000'),
}
