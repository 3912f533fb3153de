"""What project a source tree holds: its metadata, whether it has to be compiled, and the packages that it ships. Pure reading."""

from __future__ import annotations

import configparser
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

METADATA = ("pyproject.toml", "setup.py", "setup.cfg")
# Tables of pyproject.toml that change no build: those of linters, formatters, test runners and the like.
NO_BUILD = (
    "bandit", "basedpyright", "black", "bumpversion", "check-manifest", "cibuildwheel", "codespell", "commitizen", "coverage",
    "deptry", "docformatter", "importlinter", "interrogate", "isort", "mypy", "nox", "pydocstyle", "pylint", "pyright", "pytest",
    "ruff", "semantic_release", "tbump", "towncrier", "tox", "ty", "typos", "vulture", "yapf",
)  # fmt: skip
# Keys of [project] that change nothing of what is imported or required.
NO_IMPORT = (
    "authors",
    "classifiers",
    "description",
    "keywords",
    "license",
    "license-files",
    "maintainers",
    "readme",
    "urls",
)
COMPILING = (
    "maturin",
    "mesonpy",
    "py_build_cmake",
    "scikit_build_core",
    "sipbuild",
    "skbuild",
    "enscons",
)  # build backends
# In setup.py, setup.cfg, and the tables of pyproject.toml: what makes compiled modules or other generated files.
EXTENSIONS = re.compile(
    r"ext_modules|ext-modules|cythonize|\bExtension\(|cffi_modules|rust_extensions|mypycify|setuptools_rust|hatch-cython"
    r"|hatch-mypyc|\"hooks\": \{[^}]*\"(?!vcs|version)[\w-]+\"|run-setuptools|\"script\": \"build"
)
# Folders next to a package that are not what the project ships; after the list of setuptools' automatic discovery.
APART = frozenset(
    (
        "asv_bench", "asv_benchmarks", "bench", "benches", "benchmark", "benchmarks", "bin", "build", "changelog",
        "ci", "conftest", "dist", "doc", "docs", "documentation", "env", "example", "examples", "exercise",
        "exercises", "experiments", "fabfile", "htmlcov", "manage", "manpages", "node_modules", "noxfile",
        "requirements", "scripts", "setup", "site", "tasks", "test", "tests", "tools", "util", "utils", "vendor",
        "venv", "versioneer", "www",
    )
)  # fmt: skip
DEPTH = 2  # folders below the top of a repository in which its only project may be


@dataclass(frozen=True)
class Project:
    """A project as its tree shows it.

    folder: the way from the tree's top to its metadata. name: as in its metadata, "" where only a build tells. metadata:
    digest of what a build reads, apart from the sources. requirements: what it requires, None where only a build tells.
    compiled: whether its sources alone cannot be imported. sources: folders, from the tree's top, that hold its packages.
    packages: what it lets people import.
    """

    folder: str = ""
    name: str = ""
    metadata: str = ""
    requirements: tuple[str, ...] | None = ()
    requires_python: str = ""
    compiled: bool = False
    sources: tuple[str, ...] = ("", "src")
    packages: tuple[str, ...] = ()

    @property
    def buildable(self) -> bool:
        """Whether there is metadata to build it from."""
        return bool(self.metadata)


def read_project(tree: Path, inside: str = "") -> Project:
    """Return the project that the user stands in: that of the nearest metadata upwards, or the only one further down.

    inside: the way from the tree's top to the user's folder. A tree without metadata is a project without a name.
    """
    folder = _folder_of_metadata(tree, inside)
    if folder is None:
        return Project()
    place = tree / folder
    settings = _settings(place)
    project = settings.get("project", {})
    name = str(project.get("name") or _in(settings, "tool", "poetry", "name") or _name_elsewhere(place) or "")
    sources = tuple(_joined(folder, source) for source in _source_folders(place, settings))
    return Project(
        folder=folder,
        name=name,
        metadata=_digest(place, settings),
        requirements=None if _asked_elsewhere(place, project) else tuple(map(str, project.get("dependencies", ()))),
        requires_python=str(project.get("requires-python", "")),
        compiled=_compiled(place, settings),
        sources=sources,
        packages=_packages([tree / source for source in sources], name),
    )


def sources_digest(tree: Path, folder: str = "") -> str:
    """Return a digest of all files of a project, apart from git's own: what a build may read."""
    found = hashlib.sha256()
    for path in sorted((tree / folder).rglob("*")):
        parts = path.relative_to(tree).parts
        if ".git" not in parts and "__pycache__" not in parts and path.is_file():
            found.update(f"{'/'.join(parts)}\0{path.stat().st_size}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def _folder_of_metadata(tree: Path, inside: str) -> str | None:
    upwards = [inside, *(str(parent) for parent in Path(inside).parents)] if inside else [""]
    for folder in upwards:
        folder = "" if folder == "." else folder
        if _has_metadata(tree / folder):
            return folder
    below = [
        place
        for depth in range(1, DEPTH + 1)
        for place in sorted(tree.glob("/".join("*" * depth)))
        if place.is_dir() and not APART & set(place.relative_to(tree).parts) and _has_metadata(place)
    ]
    return str(below[0].relative_to(tree)) if len(below) == 1 else None


def _has_metadata(place: Path) -> bool:
    if (place / "setup.py").is_file() or "metadata" in _config(place):
        return True
    settings = _settings(place)
    return "project" in settings or "build-system" in settings or _in(settings, "tool", "poetry") is not None


def _settings(place: Path) -> dict[str, Any]:
    """Return pyproject.toml, read; nothing where it is missing, or malformed, which its build will report."""
    try:
        return tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _config(place: Path) -> configparser.ConfigParser:
    """Return setup.cfg, read; nothing where it is missing or malformed."""
    found = configparser.ConfigParser(interpolation=None)
    try:
        found.read_string(_text(place / "setup.cfg"))
    except configparser.Error:
        return configparser.ConfigParser()
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _in(settings: Mapping[str, Any], *keys: str) -> Any:
    """Return what nested tables hold, None where any of them is missing."""
    found: Any = settings
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _joined(folder: str, source: str) -> str:
    found = (Path(folder) / source).as_posix()
    return "" if found == "." else found


def _name_elsewhere(place: Path) -> str:
    name = _config(place).get("metadata", "name", fallback="")
    said = re.search(r"""\bname\s*=\s*["']([\w.-]+)["']""", _text(place / "setup.py"))
    return name or (said[1] if said else "")


def _asked_elsewhere(place: Path, project: Mapping[str, Any]) -> bool:
    """Return whether what the project requires may be said outside [project], where only its build can read it."""
    return "dependencies" in project.get("dynamic", ()) or not ("dependencies" in project or "name" in project)


def _digest(place: Path, settings: Mapping[str, Any]) -> str:
    """Return a digest of what a build reads apart from the sources: metadata without what only people and linters read."""
    tools = {name: table for name, table in settings.get("tool", {}).items() if name not in NO_BUILD}
    project = {key: value for key, value in settings.get("project", {}).items() if key not in (*NO_IMPORT, "version")}
    read = {"build-system": settings.get("build-system"), "project": project, "tool": tools}
    files = {name: _text(place / name) for name in METADATA[1:]}
    named = settings.get("tool", {}).get("setuptools", {}).get("dynamic", {}).get("dependencies", {}).get("file", ())
    listed = [named] if isinstance(named, str) else list(named)
    listed += sorted(path.name for path in place.glob("requirements*.txt")) if files["setup.py"] else []
    read["files"] = files | {name: _text(place / name) for name in listed}
    return hashlib.sha256(json.dumps(read, sort_keys=True, default=str).encode()).hexdigest()


def _compiled(place: Path, settings: Mapping[str, Any]) -> bool:
    backend = str(_in(settings, "build-system", "build-backend") or "").partition(".")[0]
    requires = " ".join(map(str, _in(settings, "build-system", "requires") or ()))
    tools = json.dumps(
        {name: table for name, table in settings.get("tool", {}).items() if name not in NO_BUILD}, default=str
    )
    texts = (requires, tools, _text(place / "setup.py"), _text(place / "setup.cfg"))
    return backend in COMPILING or any(EXTENSIONS.search(text) for text in texts)


def _source_folders(place: Path, settings: Mapping[str, Any]) -> list[str]:
    """Return the folders that hold the packages, from the project's own: as its metadata says, or by layout."""
    said = [folder for folder in _said_folders(place, settings) if (place / folder).is_dir()]
    if said:
        return list(dict.fromkeys(said))
    return ["src"] if any(_modules(place / "src")) else [""]


def _said_folders(place: Path, settings: Mapping[str, Any]) -> Iterator[str]:
    tool = settings.get("tool", {})
    yield from _folders(_in(tool, "setuptools", "package-dir", ""))
    yield from _folders(_in(tool, "setuptools", "packages", "find", "where"))
    yield from _folders(_in(tool, "maturin", "python-source"))
    yield from _folders(_in(tool, "pdm", "build", "package-dir"))
    yield from _folders(_in(tool, "uv", "build-backend", "module-root"))
    for table in (
        _in(tool, "hatch", "build", "targets", "wheel"),
        _in(tool, "hatch", "build"),
        _in(tool, "scikit-build", "wheel"),
    ):
        packages = table.get("packages", ()) if isinstance(table, Mapping) else ()
        yield from _folders([Path(str(package)).parent.as_posix() for package in packages])
    for package in _in(tool, "poetry", "packages") or ():
        if isinstance(package, Mapping):
            yield str(package.get("from", ""))
    config = _config(place)
    for line in config.get("options", "package_dir", fallback="").splitlines():
        package, _, folder = line.partition("=")
        if folder and not package.strip():
            yield folder.strip()
    yield from config.get("options.packages.find", "where", fallback="").split()
    setup = _text(place / "setup.py")
    for pattern in (
        r"""package_dir\s*=\s*(?:\{\s*|dict\(\s*)["']["']\s*:\s*["']([\w./-]+)["']""",
        r"""find_(?:namespace_)?packages\(\s*(?:where\s*=\s*)?["']([\w./-]+)["']""",
    ):
        yield from re.findall(pattern, setup)


def _folders(said: Any) -> Iterator[str]:
    found = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    yield from ("" if folder == "." else str(folder) for folder in found)


def _packages(folders: list[Path], name: str) -> tuple[str, ...]:
    """Return what can be imported from the folders: what is named like the project, or else all packages, or all modules."""
    found = sorted({module for folder in folders for module in _modules(folder)})
    like = re.sub(r"[-_.]+", "_", name).lower()
    same = [module for module in found if module.replace(".", "_").lower() == like]
    whole = [module for module in found if not any((folder / f"{module}.py").is_file() for folder in folders)]
    return tuple(same or whole or found)


def _modules(folder: Path) -> Iterator[str]:
    """Yield the packages and modules of a folder. Of a namespace, the package inside it is named: `google.cloud.storage`."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = path.name.partition(".")[0] if path.is_file() else path.name
        if not name.isidentifier() or (name.startswith("_") and path.is_file()) or name in APART:
            continue
        if (path.is_file() and path.suffix == ".py") or (path / "__init__.py").is_file():
            yield name
        elif path.is_dir() and any(path.rglob("__init__.py")):
            yield from (f"{name}.{inner}" for inner in _modules(path))
