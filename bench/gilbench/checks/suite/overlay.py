"""Head's benchmark files in base's tree, so that a benchmark that changed compares like with like."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

BENCHMARK_FOLDERS = frozenset(
    {
        "asv_bench",
        "bench",
        "benches",
        "benchmark",
        "benchmarking",
        "benchmarks",
        "perf",
        "performance",
        "test",
        "testing",
        "tests",
    }
)
"""Names of folders whose whole content belongs to the benchmarks, and not to what is under test."""
CONFIGURATION = ("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "conftest.py")
"""Files at the top of a project that decide how pytest runs its tests."""


def belonging_to(files: Iterable[str], folders: Iterable[str] = ()) -> list[PurePosixPath]:
    """Return what belongs to benchmark files, relative to the tree: whole folders where their name says so, else the files.

    files: those that hold benchmarks. folders: more that belong to them as a whole. With each file come the conftest files of
    the folders around it.
    """
    found: dict[PurePosixPath, None] = {PurePosixPath(folder): None for folder in folders}
    for file in map(PurePosixPath, files):
        whole = next((at for at, part in enumerate(file.parts[:-1]) if part.lower() in BENCHMARK_FOLDERS), None)
        found[file if whole is None else PurePosixPath(*file.parts[: whole + 1])] = None
        found |= dict.fromkeys(folder / "conftest.py" for folder in file.parents)
    return [
        path for path in found if not any(other != path and other in path.parents and other.parts for other in found)
    ]


def lay_over(head: Path, base: Path, paths: Iterable[PurePosixPath]) -> None:
    """Put these files and folders of head's tree into base's, in place of its own. Those that head lacks are removed.

    A folder is replaced as a whole, so that no file of base's stays beside head's.
    """
    for path in (*paths, *map(PurePosixPath, CONFIGURATION)):
        source, to = head / path, base / path
        if to.is_dir() and not to.is_symlink():
            shutil.rmtree(to)
        else:
            to.unlink(missing_ok=True)
        if source.is_dir():
            shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to)
