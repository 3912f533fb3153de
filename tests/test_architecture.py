"""The architecture: docs/architecture.md, the layers in pyproject.toml and the folders agree; names are plain.

import-linter holds the directions of imports (`make lint`).
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "bench" / "gilbench"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {contract["id"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
MODULES = [path for path in FILES if path.stem not in ("__init__", "__main__")]
PARTS = sorted(
    path.stem
    for path in PACKAGE.iterdir()
    if (path.suffix == ".py" or (path / "__init__.py").is_file()) and not path.stem.startswith("__")
)
MOST_MODULES = 13  # in one folder
ALIASES = {"numpy": "np", "pandas": "pd"}  # those that everybody uses


def layers() -> list[str]:
    """Return the parts in the order of the layers, the highest first."""
    found = [part.strip() for layer in CONTRACTS["layers"]["layers"] for part in layer.split("|")]
    return [part for part in found if part != "__main__"]


def section(heading: str) -> str:
    """Return a section of the page."""
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def imports(path: Path) -> Iterator[tuple[str, str, str | None]]:
    """Yield (module, name, alias) of every import in a file; the name is empty where the module itself is imported."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((found.name, "", found.asname) for found in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            yield from ((node.module or "", found.name, found.asname) for found in node.names)


def is_module(dotted: str) -> bool:
    """Return whether a dotted name is a module or a folder of ours."""
    place = PACKAGE.parent.joinpath(*dotted.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


# --- The plan


def test_the_layers_have_every_part_once() -> None:
    assert sorted(layers()) == PARTS


def test_the_picture_draws_the_layers_from_top_to_bottom() -> None:
    picture = re.search(r"^```mermaid\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert picture
    groups = re.findall(r"^    subgraph (\w+) \[\"[^\"]+\"\]\n(.*?)^    end$", picture[1], re.MULTILINE | re.DOTALL)
    drawn = [part for _, nodes in groups for part in re.findall(r"\w+", nodes.replace("-->", " "))]
    assert drawn == layers()
    assert picture[1].rstrip().splitlines()[-1].split() == " --> ".join(name for name, _ in groups).split()


def test_every_part_has_its_line() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\((\S+)\) \| \S.* \|$", section("The parts"), re.MULTILINE)
    assert [name for name, _ in rows] == layers()
    for name, link in rows:
        assert (ROOT / "docs" / link).resolve() in (PACKAGE / f"{name}.py", PACKAGE / name / "__init__.py")


def test_the_data_flow_has_a_line_for_each_command_that_measures() -> None:
    assert re.findall(r"^- \*\*(\w+)\*\*", section("How data flows"), re.MULTILINE) == [
        "run", "check", "advise", "probe",
    ]  # fmt: skip


def test_constants_that_the_page_names_are_in_the_files_that_it_links() -> None:
    named = re.findall(r"`([A-Z_]+)` in \[[^\]]+\]\((\S+?)\)", section("Where to change what"))
    assert named
    for constant, link in named:
        text = (ROOT / "docs" / link).read_text(encoding="utf-8")
        assert re.search(rf"^{constant}\b.*=", text, re.MULTILINE), f"{constant} in {link}"


def test_modules_that_contracts_name_are_there() -> None:
    """import-linter says so of most; this names the contract."""
    for identity, contract in CONTRACTS.items():
        for key in ("modules", "source_modules", "forbidden_modules"):
            for name in contract.get(key, ()):
                assert is_module(name.removesuffix(".*")), f"{identity}: {name}"


def test_a_child_process_loads_nothing_that_started_it() -> None:
    """import-linter reads imports; this also sees those that are made at run time."""
    contract = CONTRACTS["children"]
    code = f"import json, sys, {', '.join(contract['source_modules'])}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    forbidden = tuple(contract["forbidden_modules"])
    assert [name for name in loaded if name in forbidden or name.startswith(tuple(f"{f}." for f in forbidden))] == []


# --- Names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_is_called_like_one_of_the_standard_library(path: Path) -> None:
    assert path.stem not in sys.stdlib_module_names


def test_no_folder_is_called_like_a_module_of_the_standard_library() -> None:
    assert not {path.parent.name for path in FILES} & sys.stdlib_module_names


def test_no_folder_holds_more_modules_than_one_can_take_in_at_a_glance() -> None:
    counts = Counter(path.parent for path in MODULES)
    assert {str(folder): count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_no_two_modules_share_a_name() -> None:
    counts = Counter(path.stem for path in MODULES)
    assert sorted(name for name, count in counts.items() if count > 1) == []


def test_no_underscore_name_is_imported_from_outside_its_folder() -> None:
    found = []
    for path in FILES:
        here = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
        for module, name, _ in imports(path):
            dotted = f"{module}.{name}" if name else module
            private = [part for part in dotted.split(".") if part.startswith("_") and not part.startswith("__")]
            if module.startswith("gilbench") and private:
                folder = module if is_module(f"{module}.{name}") else module.rpartition(".")[0]
                if folder != here:
                    found.append(f"{path.relative_to(PACKAGE)}: {dotted}")
    assert found == []


def test_no_alias_hides_the_name_of_a_module() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}: {name or module} as {alias}"
        for path in FILES
        for module, name, alias in imports(path)
        if (not name or is_module(f"{module}.{name}")) and alias not in (None, name, ALIASES.get(module))
    ]
    assert found == []
